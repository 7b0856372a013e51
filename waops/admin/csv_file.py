"""CSV that spreadsheets open correctly: UTF-8 with a byte order mark, and no cells that they would
calculate.

The library defusedcsv checks only a cell's first character, and only in ASCII. It lets a leading space, line break or
full-width sign pass, and a formula after a semicolon, where Excel begins a cell in some languages.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from typing import Any

BYTE_ORDER_MARK = "\ufeff"
"""Without it Excel reads Arabic as Latin."""

_SPACE = r"[\s\"\x00-\x20\u200b-\u200f\u2060\ufeff]*"
_FORMULA = re.compile(rf"(^|[;\t\r\n\v\f])({_SPACE})(?=[=+\-@|%\uff1d\uff0b\uff0d\uff20])")


def csv_lines(rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """The file, line by line."""
    writer = csv.writer(_Echo())
    yield BYTE_ORDER_MARK
    for row in rows:
        yield writer.writerow([cell(value) for value in row])


def cell(value: Any) -> Any:
    """The value, with an apostrophe before each sign in a text that would start a formula."""
    return _FORMULA.sub(r"\1\2'", value) if isinstance(value, str) else value


class _Echo:
    """A file object for the csv module that returns what is written."""

    def write(self, text: str) -> str:
        return text
