"""No cell of a file is a formula to a spreadsheet, whichever character it takes for the end of a cell."""

import csv
import io
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import quick
from usage import export as quota_export
from waops.admin.csv_file import cell, csv_lines

SIGNS = "=+-@＝＋－＠"
PAYLOADS = [
    *("=1+1", "+1", "-1+1", "@SUM(1)", "＝1+1", "＋1", "－1", "＠A1", "|cmd", "%1"),
    *(" =1", "\n=1", "\t=1", "\r=1", "\u200b=1", "\ufeff=1", "\u3000=1", ";=1+1", "a;=1+1", "a; ＝1", "a\n=1", "a\t+1"),
]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_formula_is_text(payload: str) -> None:
    for line_end in (";", "\t", "\n"):
        for part in cell(payload).split(line_end):
            assert not re.match(rf"[\s\u200b\ufeff]*[{re.escape(SIGNS)}]", part), part


@pytest.mark.parametrize("text", ["", "Mona", "a=b", "1-2", "a;b", "10 - 5", "a, b", "e@example.com"])
def test_a_text_stays_as_it_is(text: str) -> None:
    assert cell(text) == text


@settings(max_examples=quick.examples(300), deadline=None, derandomize=True, database=None)
@given(st.lists(st.text(st.sampled_from(f"{SIGNS};,\t\r\n \"'a1\u200b"), max_size=8), min_size=1, max_size=3))
def test_no_reader_finds_a_formula(row: list[str]) -> None:
    file = "".join(csv_lines([row])).removeprefix("\ufeff")
    for delimiter in (",", ";", "\t"):
        for cells in csv.reader(io.StringIO(file, newline=""), delimiter=delimiter):
            for one in cells:
                assert not re.match(rf"[\s\u200b]*[{re.escape(SIGNS)}]", one), (delimiter, one)


def test_numbers_stay_numbers() -> None:
    assert "".join(csv_lines([[-5, 1.5, None, "ع"]])) == "\ufeff-5,1.5,,ع\r\n"


@pytest.mark.parametrize("payload", PAYLOADS)
def test_the_quota_export_writes_such_cells(payload: str) -> None:
    lines = b"".join(quota_export.response([[payload, 1]], "csv", "quota")).decode()
    assert lines == "".join(csv_lines([[payload, 1]]))
