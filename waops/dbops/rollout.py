"""The rollout of the database functions: percentages, traces, and the share of messages they stored."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from waffle.models import Sample

from waops.database import tracing
from waops.database.tracing import FunctionTrace, TraceLine
from waops.dbops.adoption import DAY, HOUR, Adoption, adoption, take_reading
from waops.dbops.figures import Column, Figures, Kind
from waops.dbops.plan import plan

LINES, CHANGES = 100, 10
"""Most trace lines, and changes, that the page shows."""
DURATIONS = {
    15: gettext_lazy("15 minutes"),
    60: gettext_lazy("1 hour"),
    480: gettext_lazy("8 hours"),
    1440: gettext_lazy("24 hours"),
}
"""For how many minutes a function can be traced."""


@dataclass(frozen=True)
class FunctionSwitch:
    """`percent` of the calls use the function, as public.function_switches() tells callers."""

    name: str
    percent: Decimal
    is_traceable: bool
    traced_until: datetime | None


@dataclass(frozen=True)
class AdoptionRow:
    period: str
    share: float | None
    messages: int | None
    since: datetime | None
    state: str


@dataclass(frozen=True)
class Change:
    at: datetime
    by: str
    function: str
    what: str
    said: str


@dataclass(frozen=True)
class Line:
    at: datetime
    function: str
    milliseconds: float
    details: str


ADOPTION_COLUMNS = (
    Column("period", gettext_lazy("period")),
    Column("share", gettext_lazy("through the functions"), Kind.PERCENT),
    Column("messages", gettext_lazy("new messages"), Kind.COUNT),
    Column("since", gettext_lazy("since"), Kind.TIME),
    Column("state", gettext_lazy("state")),
)
LINE_COLUMNS = (
    Column("at", gettext_lazy("when"), Kind.TIME),
    Column("function", gettext_lazy("function"), Kind.NAME),
    Column("milliseconds", gettext_lazy("duration, ms"), Kind.MILLISECONDS),
    Column("details", gettext_lazy("details"), Kind.NAME),
)
CHANGE_COLUMNS = (
    Column("at", gettext_lazy("when"), Kind.TIME),
    Column("by", gettext_lazy("by")),
    Column("function", gettext_lazy("function"), Kind.NAME),
    Column("what", gettext_lazy("what")),
    Column("said", gettext_lazy("change"), Kind.NAME),
)


@cache
def traceable() -> frozenset[str]:
    """Functions that support tracing."""
    return frozenset(
        function.name.partition(".")[2] for function in plan().functions if "waops.trace_call(" in (function.body or "")
    )


def switches() -> list[FunctionSwitch]:
    traces = tracing.running()
    return [
        FunctionSwitch(
            sample.name,
            sample.percent,
            sample.name in traceable(),
            traces[sample.name].until if sample.name in traces else None,
        )
        for sample in Sample.objects.order_by("name")
    ]


def set_percent(function: str, percent: str, by: Any) -> Decimal:
    """The next result of function_switches contains it.

    Raises LookupError for a function without a flag, ValueError for an invalid percentage.
    """
    value = _percentage(percent)
    with transaction.atomic():
        sample = Sample.objects.select_for_update().filter(name=function).first()
        if sample is None:
            raise LookupError(function)
        before, sample.percent = sample.percent, value
        sample.save()
        _record(by, sample, CHANGE, f"{before.normalize():f} % → {value.normalize():f} %")
    return value


def _percentage(text: str) -> Decimal:
    try:
        value = Decimal(text).quantize(Decimal("0.1"))
    except InvalidOperation:
        value = Decimal("NaN")
    if value.is_nan() or not 0 <= value <= 100:
        raise ValueError(_("A rollout percentage is a number from 0 to 100."))
    return value


def set_trace(function: str, minutes: str, by: Any) -> FunctionTrace | None:
    """Trace the function for so many minutes of DURATIONS, or stop with 0. Returns the running trace.

    Raises LookupError for a function that cannot be traced, ValueError for another duration.
    """
    if function not in traceable():
        raise LookupError(function)
    if minutes not in ("0", *map(str, DURATIONS)):
        raise ValueError(_("Choose a duration from the list."))
    with transaction.atomic():
        if minutes == "0":
            tracing.stop(function)
            _record(by, FunctionTrace(function), DELETION, "0 min")
            return None
        trace = tracing.start(function, timedelta(minutes=int(minutes)))
        _record(by, trace, ADDITION, f"{minutes} min")
        return trace


def _record(by: Any, what: Any, action: int, said: str) -> None:
    """In the admin's log, as its own pages do."""
    LogEntry.objects.create(
        user_id=by.pk,
        content_type=ContentType.objects.get_for_model(what),
        object_id=what.pk,
        object_repr=str(what)[:200],
        action_flag=action,
        change_message=said,
    )


def change_figures() -> Figures:
    types = ContentType.objects.get_for_models(Sample, FunctionTrace)
    entries = LogEntry.objects.filter(content_type__in=types.values()).select_related("user")
    rows = [
        Change(
            entry.action_time,
            entry.user.get_username(),
            entry.object_repr,
            _("rollout percentage") if entry.content_type_id == types[Sample].pk else _("trace"),
            entry.get_change_message(),
        )
        for entry in entries.order_by("-action_time")[:CHANGES]
    ]
    return Figures("changes", gettext_lazy("Recent changes"), CHANGE_COLUMNS, rows)


def line_figures(function: str = "") -> Figures:
    rows = [_line(line) for line in tracing.newest(LINES, [function] if function else [])]
    none = gettext_lazy("None yet. Trace a function to see its calls here.")
    return Figures("trace", gettext_lazy("Traced calls"), LINE_COLUMNS, rows, empty=none)


def _line(line: TraceLine) -> Line:
    details = json.dumps(line.details, ensure_ascii=False)
    return Line(line.at, line.function, line.milliseconds, details.strip("{}").replace('"', ""))


def adoption_figures(using: str = "default") -> Figures:
    """The adoption as figures. Takes a reading first."""
    take_reading(using)
    rows = [
        _adoption_row(adoption(HOUR, using), _("the last hour")),
        _adoption_row(adoption(DAY, using), _("the last day")),
    ]
    note = gettext_lazy("Share of all rows inserted into the messages table.")
    return Figures("adoption", gettext_lazy("Messages stored by the functions"), ADOPTION_COLUMNS, rows, note)


def _adoption_row(found: Adoption, period: str) -> AdoptionRow:
    known = found.unknown is None
    return AdoptionRow(
        period,
        found.share,
        found.messages if found.since else None,
        found.since,
        _("measured") if known else found.unknown.label if found.unknown else "",
    )
