"""A text shows no more of a phone number than its last four digits, however the number is written."""

import re
import unicodedata
from collections.abc import Callable

import pytest
from django.contrib.auth.models import AnonymousUser
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import quick
from waops.access import personal
from waops.access.masking import masked_in
from waops.access.readers import Reader, reading_as
from waops.database.long_text import LONGEST, cut
from waops.templatetags.waops import json_block, outside_block, outside_text

SEPARATORS = [
    *("", " ", "-", ".", "/", "_", ",", "،", "*", "|", "\t", "\n", "\u200b", "\u2009", "\u202f", "—", "–", "\u2212"),
    *("    ", " - ", " / ", ", ", ") ", "\ufe0f\u20e3", "</b><b>", '<span class="n">', "&nbsp;", "%20", "\u2066", "ـ"),
    *("·", "~", "\\", "😀", "\u200e\u00a0", ";", "; ", "؛", "?", "؟", "'", '"', "'', '"),
]
MIXED = [" ", "-", "/", "_", "*", "|", "\u2009", "—", "    ", " - ", "\ufe0f\u20e3", "</b><b>", "&nbsp;"]
"""Commas and dots mixed are how lists of amounts are written."""
ARABIC, PERSIAN, WIDE = ({ord(str(i)): chr(zero + i) for i in range(10)} for zero in (0x660, 0x6F0, 0xFF10))
BOLD = {ord(str(i)): chr(0x1D7CE + i) for i in range(10)}
numbers = st.from_regex(r"(20|966|1|44|49|7|974)[1-9][0-9]{8,9}", fullmatch=True)


def digits_in(text: str) -> str:
    return "".join(str(unicodedata.digit(one)) for one in text if unicodedata.digit(one, None) is not None)


MASK = re.compile(r"\u2066(?:\+\d{1,3}\s)?•••\s•••\s\d{0,4}\u2069")
AROUND = ("2026-01-01T10:00:00", "00000000-0000-4000-8000-", ", 10:30")


def leaks(number: str, shown: str) -> bool:
    """Five digits of the number in a row, beside what a mask shows: the country's code and the last four."""
    rest = MASK.sub("#", shown)
    for known in AROUND:
        rest = rest.replace(known, "#")
    seen = digits_in(rest)
    return any(number[place : place + 5] in seen for place in range(len(number) - 4))


@st.composite
def written(draw: st.DrawFn) -> tuple[str, str]:
    """A number, and a text that holds it: in groups, with one separator or several, in any script."""
    number = draw(numbers)
    local = draw(st.booleans()) and number.startswith("20")
    digits = f"0{number[2:]}" if local else draw(st.sampled_from(["", "+", "00"])) + number
    cuts = sorted(draw(st.sets(st.integers(2, len(digits) - 1), max_size=6)))
    groups = [digits[i:j] for i, j in zip([0, *cuts], [*cuts, len(digits)], strict=True)]
    mixed = draw(st.booleans())
    one = draw(st.sampled_from(SEPARATORS))
    text = groups[0]
    for group in groups[1:]:
        text += (draw(st.sampled_from(MIXED)) if mixed else one) + group
    text = text.translate(draw(st.sampled_from([{}, ARABIC, PERSIAN, WIDE, BOLD])))
    before = draw(st.sampled_from(["", "call ", "رقمي", f"{AROUND[0]}.", "wa.me/", "id:", AROUND[1]]))
    return number, before + text + draw(st.sampled_from(["", " now", ".0", "e+11", " بعد العصر", ", 10:30"]))


@settings(max_examples=quick.examples(400), deadline=None, derandomize=True, database=None)
@given(written())
def test_a_number_in_any_form_keeps_its_last_digits_only(example: tuple[str, str]) -> None:
    number, text = example
    shown = masked_in(text)
    assert not leaks(number, shown), shown


@settings(max_examples=quick.examples(200), deadline=None, derandomize=True, database=None)
@given(written())
def test_a_number_in_any_form_is_neither_searched_nor_filtered_by(example: tuple[str, str]) -> None:
    _number, text = example
    with reading_as(Reader(AnonymousUser())):
        assert personal.refusal(text, by_number=True)
        assert personal.refusal(text, by_number=False)
        assert not personal.shows(text)


@settings(max_examples=quick.examples(200), deadline=None, derandomize=True, database=None)
@given(numbers, st.lists(st.text(st.characters(exclude_categories=["Nd", "Nl", "No", "Cs"]), max_size=12), min_size=12))
def test_a_known_number_is_found_whatever_stands_between(number: str, between: list[str]) -> None:
    text = "".join(f"{digit}{one}" for digit, one in zip(number, between, strict=False))
    text += number[len(between) :]
    assert not leaks(number, masked_in(text, [number]))


@pytest.mark.parametrize(
    "text",
    [
        "2010-99-88 7766",
        "2010-11-12 7766",
        "2026-01-01T10:00:00.201099887766",
        "00000000-0000-4000-8000-201099887766",
        "2.01099887766e+11",
        "{'phone': 201099887766.0}",
        "20 10 99 88 77 66",
        "2 0 1 0 9 9 8 8 7 7 6 6",
        "2️⃣0️⃣1️⃣0️⃣9️⃣9️⃣8️⃣8️⃣7️⃣7️⃣6️⃣6️⃣",
        "2010<b>99</b>887766",
        "②⓪①⓪⑨⑨⑧⑧⑦⑦⑥⑥",
    ],
)
def test_the_forms_that_were_found(text: str) -> None:
    assert not leaks("201099887766", masked_in(text)), masked_in(text)
    assert not leaks("201011127766", masked_in(text)), masked_in(text)


ORDINARY = [
    "order 12345 of 2026-11-25 10:00:00, 1,234,567 EGP",
    "8c925655-2f32-4cae-92b4-6221091234ff",
    "2026-11-25 2026-11-26",
    "from 10:00 to 12:30",
    "10:00 - 12:30, 14:00",
    "25/11/2026 at 5",
    "25.11.2026",
    "11/25/2026, 3 pieces",
    "150.00, 200.50",
    "1500.00 - 2500.00 EGP",
    "2026-01-01T10:00:00.123456+00:00",
    "2026-11-25T10:00:00Z",
    "$100, $200, $300",
    "1000+2000=3000",
    "12.5% 13.5%",
    "الأسعار: ١٥٠.٠٠، ٢٠٠.٥٠",
    "يوم ٢٥/١١/٢٠٢٦ الساعة ١٠:٣٠",
    "room 5, 10:00, 12:30, 15:45",
    "order #12345, 2 pieces, size 42",
    "1. shirt 2. shoes 3. hat 4. bag 5. belt 6. coat 7. scarf 8. socks",
    "3 x 150.00 = 450.00",
    "at 9:05, 17:45 on 3/4/2026",
    "",
]


@pytest.mark.parametrize("text", ORDINARY)
def test_an_ordinary_text_stays_as_it_is(text: str) -> None:
    assert masked_in(text) == text


@pytest.mark.parametrize("length", [20, 100, 160])
def test_a_number_at_the_end_of_a_cut_text_is_masked(length: int) -> None:
    """The part of a number before the cut is too short to be one."""
    for place in range(3 * length - 12, 3 * length):
        text = f"{'word ' * place}"[:place] + "201012345678 and more" + " " * 400
        with reading_as(Reader(AnonymousUser())):
            shown = outside_text(" " * (3 * length - 60) + text[-600:], length) + outside_text(text[:300], length)
        assert not re.search(r"\d{5}", digits_in(shown)), shown


@pytest.mark.parametrize("show", [outside_text, outside_block, lambda text: personal.text(cut(text))])
def test_a_number_at_the_end_of_what_a_page_shows_is_masked(show: Callable[[str], str]) -> None:
    for before in range(LONGEST - 12, LONGEST):
        with reading_as(Reader(AnonymousUser())):
            shown = show("x" * before + "201012345678 and more")
        assert "20101" not in digits_in(shown), before


def test_json_numbers_are_masked_and_shares_rounded() -> None:
    value = {"a": 201012345678.0, "b": 0.201012345678, "c": [201012345678], "d": 0.5, "e": 12.25, "f": True, "g": 1e300}
    with reading_as(Reader(AnonymousUser())):
        shown = json_block(value)
    assert "20101" not in shown
    assert "01234" not in shown
    for kept in ('"d": 0.5', '"e": 12.25', '"f": true'):
        assert kept in shown.replace("&quot;", '"')


def test_a_number_that_a_page_masks_is_masked_in_its_texts() -> None:
    with reading_as(Reader(AnonymousUser())):
        personal.number_in_groups("201012345678")
        assert not leaks("201012345678", personal.text("two0one 10 oh, 1 then 2 then 3, 4 and 5 and 6 and 7 and 8"))
        assert not leaks("201012345678", personal.text("2a0b1c0d1e2f3g4h5i6j7k8l"))
