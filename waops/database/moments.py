"""Times that Postgres can store and Python's datetime cannot: `infinity`, years BC, years beyond 9999.

Tenants write the service's tables, so any of these can be in any column. They are loaded as an OutOfRange: a datetime
that can be compared, sorted and subtracted like any other, is displayed as Postgres wrote it, and is written back
unchanged.
"""

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, Self, SupportsIndex

from django.utils import dateformat, timezone

FIRST_YEAR, LAST_YEAR = 1000, 9000
"""Years between these are plain datetimes. The margin on both sides keeps time zones and year spans from
overflowing.
"""

PATTERN = re.compile(r"(\d{4,6})-(\d\d)-(\d\d)(?:[ T]\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:\+00(?::00)?)?)?( BC)?")
INFINITE = {"infinity", "-infinity"}
FIRST_DAY_BC, LAST_YEAR_AD = (-4713, 11, 24), 294_276
"""Postgres's own limits; its year 4714 BC is -4713 in astronomical counting."""


def _year(text: str) -> int:
    """The year that represents it among datetimes."""
    year = text.partition("-")[0]
    is_past = text.startswith("-") or text.endswith("BC") or (year.isdecimal() and int(year) < FIRST_YEAR)
    return FIRST_YEAR if is_past else LAST_YEAR


class AsWritten(date):
    """A value that Python cannot hold; `text` is what Postgres wrote.

    Adding a timedelta does not change it: what is out of range stays out of range. Two on the same side compare as
    equal.
    """

    text: str

    def __add__(self, other: timedelta) -> Self:
        return self

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return self if isinstance(other, timedelta) else super().__sub__(other)

    def isoformat(self, *args: Any, **options: Any) -> str:
        return self.text

    def strftime(self, form: str) -> str:
        return self.text

    def __format__(self, form: str) -> str:
        return self.text

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.text!r})"


class OutOfRangeDate(AsWritten):
    """A date that Python cannot hold."""

    def __new__(cls, text: str) -> Self:
        new = super().__new__(cls, _year(text), 1, 1)
        new.text = text
        return new

    def replace(self, *args: Any, **fields: Any) -> Self:
        return self

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        return type(self), (self.text,)


class OutOfRange(AsWritten, datetime):
    """A time that Python cannot hold."""

    convert_to_local_time = False
    """Tells templates not to convert it to local time."""

    def __new__(cls, text: str, zone: tzinfo | None = UTC) -> Self:
        new = datetime.__new__(cls, _year(text), 1, 1, tzinfo=zone)
        new.text = text
        return new

    def replace(self, *args: Any, **fields: Any) -> Self:
        return type(self)(self.text, fields.get("tzinfo", self.tzinfo))

    def astimezone(self, tz: tzinfo | None = None) -> Self:
        return type(self)(self.text, tz or UTC)

    def date(self) -> OutOfRangeDate:
        return OutOfRangeDate(self.text)

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        return type(self), (self.text, self.tzinfo)


def is_plain(moment: date) -> bool:
    """Whether this is an ordinary time that can be calculated with."""
    return FIRST_YEAR <= moment.year < LAST_YEAR and not isinstance(moment, AsWritten)


def midnight(day: date) -> datetime:
    """The first moment of a day in the configured time zone."""
    return datetime(day.year, day.month, day.day, tzinfo=timezone.get_default_timezone())


def read(text: str) -> datetime:
    """Parse a time that Postgres wrote into JSON."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return OutOfRange(text)
    return moment if is_plain(moment) else OutOfRange(text)


def parse(text: str) -> datetime:
    """Parse a time from an address or form, as written by `isoformat`. Raises ValueError unless Postgres can
    store it.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        if text in INFINITE:
            return OutOfRange(text)
        found = PATTERN.fullmatch(text)
        if found is None:
            raise
        year, month, day = map(int, found.groups()[:3])
        year = 1 - year if found[4] else year
        date(2000 + year % 400, month, day)  # The calendar repeats every 400 years.
        if found[1] == "0000" or not FIRST_DAY_BC <= (year, month, day) <= (LAST_YEAR_AD, 12, 31):
            raise
        return OutOfRange(text)
    return moment if is_plain(moment) else OutOfRange(text, moment.tzinfo)


_format = dateformat.Formatter.format


def _format_or_text(self: dateformat.Formatter, form: Any) -> str:
    moment = self.data  # type: ignore[attr-defined]
    return moment.text if isinstance(moment, AsWritten) else _format(self, form)


# All of Django's ways to format a time end here, and no setting can change it.
dateformat.Formatter.format = _format_or_text  # type: ignore[method-assign, assignment]
