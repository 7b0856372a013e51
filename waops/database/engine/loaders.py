"""Load values that psycopg or Python cannot read, so that one hostile row does not break a page.

Dates and times beyond Python's range become OutOfRange, intervals are cut to what datetimes can hold, and JSON that
Python cannot parse (nested too deeply, numbers with thousands of digits) is loaded as text.
"""

import json
import re
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from functools import cache
from itertools import accumulate
from typing import Any

from django.db.backends.postgresql.psycopg_any import get_adapters_template
from psycopg import DataError, postgres
from psycopg.abc import Buffer
from psycopg.adapt import AdaptersMap, Dumper, Loader
from psycopg.types import datetime as standard

from waops.database.moments import OutOfRange, OutOfRangeDate, is_plain

LONGEST_SPAN = timedelta(days=3_000_000)
"""Longer than the time between any two datetimes."""

MOST_BRACKETS, DEEPEST = 400, 200
LONG_NUMBER = re.compile(rb"\d{4300}")
"""Python's parser reads JSON within these limits without an error, whatever the stack depth."""
NO_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*"|[^][{}"]+')


class TimestampLoader(standard.TimestampLoader):
    def load(self, data: Buffer) -> datetime:
        try:
            moment = super().load(data)
        except DataError:
            return OutOfRange(bytes(data).decode(), None)
        return moment if is_plain(moment) else OutOfRange(bytes(data).decode(), None)


class DateLoader(standard.DateLoader):
    def load(self, data: Buffer) -> date:
        try:
            day = super().load(data)
        except DataError:
            return OutOfRangeDate(bytes(data).decode())
        return day if is_plain(day) else OutOfRangeDate(bytes(data).decode())


class IntervalLoader(standard.IntervalLoader):
    def load(self, data: Buffer) -> timedelta:
        try:
            span = super().load(data)
        except DataError:  # also "infinity", which Postgres supports for intervals since 17
            span = -timedelta.max if bytes(data).startswith(b"-") else timedelta.max
        return max(min(span, LONGEST_SPAN), -LONGEST_SPAN)


def readable(data: Buffer) -> str:
    """The value if Python's parser can read it, otherwise its text as a JSON string."""
    data = bytes(data)
    text = data.decode()
    if data.count(b"[") + data.count(b"{") > MOST_BRACKETS and _depth(data) > DEEPEST:
        return json.dumps(text)
    if LONG_NUMBER.search(data):
        try:
            json.loads(text)
        except ValueError:
            return json.dumps(text)
    return text


def _depth(data: bytes) -> int:
    opened = accumulate(1 if bracket in b"[{" else -1 for bracket in NO_BRACKETS.sub(b"", data))
    return max(opened, default=0)


class JsonTextLoader(Loader):
    """Loads `jsonb` as text for Django, whose JSON fields and expressions parse it themselves."""

    def load(self, data: Buffer) -> str:
        return readable(data)


class JsonLoader(Loader):
    def load(self, data: Buffer) -> Any:
        return json.loads(readable(data))


class NumericLoader(Loader):
    """NaN and Infinity become floats: a Decimal NaN raises when compared or formatted."""

    def load(self, data: Buffer) -> Decimal | float:
        value = Decimal(bytes(data).decode())
        return value if value.is_finite() else float(value)


class OutOfRangeDumper(Dumper):
    """Write back the original text. In a list the dumper of one element is used for all, including plain datetimes."""

    oid = postgres.types["timestamptz"].oid

    def dump(self, obj: date) -> bytes:
        return str(obj).encode()


class OutOfRangeDateDumper(OutOfRangeDumper):
    oid = postgres.types["date"].oid


@cache
def adapters(zone: tzinfo | None) -> AdaptersMap:
    """Django's adapters for a connection with that time zone, plus these loaders. Its cursors use the text
    format only.
    """
    context = AdaptersMap(get_adapters_template(True, zone))

    class TimestamptzLoader(standard.TimestamptzLoader):
        timezone = zone
        """If it differs, Django would register its own loader."""

        def load(self, data: Buffer) -> datetime:
            text = bytes(data).decode()
            try:
                # Many times faster than psycopg's loader, which is pure Python once extended.
                moment = datetime.fromisoformat(text)
                if moment.tzinfo is not zone:
                    moment = moment.astimezone(zone) if zone else moment.replace(tzinfo=None)
            except (ValueError, OverflowError):
                try:
                    moment = super().load(data).replace(tzinfo=zone)
                except DataError:
                    return OutOfRange(text, zone)
            return moment if is_plain(moment) else OutOfRange(text, zone)

    context.register_loader("timestamptz", TimestamptzLoader)
    context.register_loader("timestamp", TimestampLoader)
    context.register_loader("date", DateLoader)
    context.register_loader("interval", IntervalLoader)
    context.register_loader("jsonb", JsonTextLoader)
    context.register_loader("json", JsonLoader)
    context.register_loader("numeric", NumericLoader)
    context.register_dumper(OutOfRange, OutOfRangeDumper)
    context.register_dumper(OutOfRangeDate, OutOfRangeDateDumper)
    return context
