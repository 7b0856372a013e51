"""Tables of figures, described once for terminal, page and JSON."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.template.defaultfilters import filesizeformat
from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

UNKNOWN = "—"
NOTHING = gettext_lazy("Nothing.")
NARROW = 3
"""Most columns that a phone can show side by side."""


class Kind(StrEnum):
    """How a value is shown. Names and SQL are left to right in every language."""

    TEXT = "text"
    NAME = "name"
    SQL = "sql"
    COUNT = "count"
    BYTES = "bytes"
    MILLISECONDS = "milliseconds"
    PERCENT = "percent"
    TIME = "time"
    FLAG = "flag"
    FIGURE = "figure"
    """A number that is already formatted with its unit."""

    @property
    def is_number(self) -> bool:
        return self in (Kind.COUNT, Kind.BYTES, Kind.MILLISECONDS, Kind.PERCENT, Kind.FIGURE)


@dataclass(frozen=True)
class Column:
    """`attribute` of the row's object; a percentage is a share between 0 and 1. A terminal leaves out `wide`
    columns; a page shows them when the row's first cell is pressed.
    """

    attribute: str
    label: str | Promise
    kind: Kind = Kind.TEXT
    wide: bool = False


@dataclass(frozen=True)
class Cell:
    column: Column
    text: str

    @property
    def is_unknown(self) -> bool:
        return self.text == UNKNOWN

    @property
    def classes(self) -> str:
        """CSS classes of the cell on a page."""
        kind = self.column.kind
        names = ("number", kind.is_number), ("name", kind is Kind.NAME), ("unknown", self.is_unknown)
        return " ".join(name for name, holds in names if holds)


@dataclass(frozen=True)
class Row:
    """One row of a page's table: the cell that names it, its other cells, and those that do not fit."""

    heading: Cell
    cells: list[Cell]
    more: list[Cell]


@dataclass(frozen=True)
class Figures:
    """One table. If the server cannot provide it, `unavailable` says why, and `remedy` is the line that
    changes this. `empty` is shown if there are no rows. A `folded` table is shown when its title is
    pressed.
    """

    key: str
    title: str | Promise
    columns: tuple[Column, ...]
    rows: Sequence[Any] = ()
    note: str | Promise = ""
    unavailable: str | Promise = ""
    remedy: str = ""
    empty: str | Promise = NOTHING
    folded: bool = False

    def cells(self) -> Iterator[list[Cell]]:
        """The cells of each row, as shown in the current language."""
        for row in self.rows:
            yield [Cell(column, shown(getattr(row, column.attribute), column.kind)) for column in self.columns]

    def narrow_columns(self) -> list[Column]:
        """Columns that a page shows in the table itself."""
        return [column for column in self.columns if not column.wide]

    @property
    def is_wide(self) -> bool:
        """Whether the table is too wide for a phone."""
        return len(self.narrow_columns()) > NARROW

    def rows_of_cells(self) -> Iterator[Row]:
        for cells in self.cells():
            wide = [cell for cell in cells if cell.column.wide and not cell.is_unknown]
            yield Row(cells[0], [cell for cell in cells[1:] if not cell.column.wide], wide)

    def to_json(self) -> dict[str, Any]:
        rows = [{column.attribute: getattr(row, column.attribute) for column in self.columns} for row in self.rows]
        result: dict[str, Any] = {"rows": rows}
        if self.unavailable:
            result |= {"unavailable": str(self.unavailable), "remedy": self.remedy}
        return result


def shown(value: Any, kind: Kind) -> str:
    """The value, formatted for the current language."""
    if value is None or value == "":
        return UNKNOWN
    match kind:
        case Kind.BYTES:
            return filesizeformat(int(value))
        case Kind.COUNT:
            return formats.number_format(int(value), 0, force_grouping=True)
        case Kind.MILLISECONDS:
            return formats.number_format(float(value), 2 if float(value) < 100 else 0, force_grouping=True)
        case Kind.PERCENT:
            return f"{formats.number_format(100 * float(value), 1)} %"
        case Kind.TIME:
            return moment(value)
        case Kind.FLAG:
            return _("yes") if value else _("no")
    return str(value)


def moment(value: datetime) -> str:
    """Date and time in the current time zone."""
    return f"{timezone.localtime(value):%Y-%m-%d %H:%M}"
