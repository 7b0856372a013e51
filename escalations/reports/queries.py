"""The desk's reports, read from escalations and their history.

For escalations opened in the period: how many, how long until the first claim and the first reply, repeats, reasons,
hours. For escalations resolved in it: how many, and how long that took since they were opened. Escalations with an
unknown opening time count only in the number resolved.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Any, cast
from uuid import UUID

from django.db.models import (
    Aggregate,
    Count,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    Min,
    OuterRef,
    QuerySet,
    Subquery,
    TextField,
    Value,
)
from django.db.models.functions import Coalesce, ExtractHour, TruncDate, TruncWeek
from django.utils.functional import Promise
from django.utils.timezone import get_current_timezone, localdate
from django.utils.translation import gettext_lazy as _

from escalations.annotations import Escalations, with_people, with_resolver
from escalations.models import Escalation, Event
from escalations.queries import all_escalations
from usage.models.profile import name_at
from waops.access.people import User
from waops.database.moments import midnight
from waops.database.paging import Cursor, oldest_after
from waops.database.plausible import Plausible

LONGEST = 366
"""Days."""


REPEAT = timedelta(days=7)
"""A customer who returns within this time after an escalation was resolved was not helped."""

MOST_DAYS = 62
"""Days that are charted one by one; longer periods by weeks, which begin on Mondays."""

MOST_CHOICES = 500

MOST_REASONS = 20

CHUNK = 1_000
"""Rows of the export that are read at a time."""


@dataclass(frozen=True)
class Period:
    """A period of days, from the start of `first` to the end of `last`."""

    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def begins(self) -> datetime:
        return midnight(self.first)

    @property
    def ends(self) -> datetime:
        """The first moment after the period."""
        return midnight(self.last + timedelta(days=1))


class Preset(Enum):
    """The value is its name in addresses, with its label."""

    TODAY = ("today", _("Today"))
    WEEK = ("7-days", _("Last 7 days"))
    MONTH = ("30-days", _("Last 30 days"))
    THIS_MONTH = ("this-month", _("This month"))
    LAST_MONTH = ("last-month", _("Last month"))

    def __init__(self, slug: str, words: Promise) -> None:
        self.slug = slug
        self.words = words

    def period(self) -> Period:
        """The period of this preset, as of now."""
        today = localdate()
        first_of_month = today.replace(day=1)
        if self is Preset.TODAY:
            return Period(today, today)
        if self is Preset.WEEK:
            return Period(today - timedelta(days=6), today)
        if self is Preset.MONTH:
            return Period(today - timedelta(days=29), today)
        if self is Preset.THIS_MONTH:
            return Period(first_of_month, today)
        last = first_of_month - timedelta(days=1)
        return Period(last.replace(day=1), last)


@dataclass(frozen=True)
class Scope:
    """`person` is the id of a staff member: only escalations that person has claimed or resolved."""

    period: Period
    business: UUID | None = None
    person: int | None = None


@dataclass(frozen=True)
class Spread:
    """Half of the escalations took at most `median`, 90 % at most `ninety`; None without escalations."""

    count: int
    median: timedelta | None
    ninety: timedelta | None


@dataclass(frozen=True)
class Totals:
    """Counts and waiting times. `repeats`: escalations opened at most REPEAT after one of the same customer was
    resolved.
    """

    opened: int
    repeats: int
    to_claim: Spread
    to_reply: Spread
    to_resolve: Spread


@dataclass(frozen=True)
class Day:
    """A day, or the week that begins on it."""

    day: date
    opened: int
    resolved: int


class Percentile(Aggregate):
    function = "PERCENTILE_CONT"
    template = "%(function)s(%(share)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = DurationField()


def opened(scope: Scope) -> Escalations:
    """The escalations opened in the period."""
    period = scope.period
    return _of(scope, all_escalations().filter(escalated_at__gte=period.begins, escalated_at__lt=period.ends))


def is_repeat(period: Period) -> Exists:
    """Whether an escalation opened in the period follows one of the same customer resolved within REPEAT
    before.

    The period is part of the condition although the row's own time implies it: the server can then match all rows in
    one hash join.
    """
    return Exists(
        Escalation.objects.filter(
            whatsapp_number=OuterRef("whatsapp_number"),
            instance_id=OuterRef("instance_id"),
            resolved_at__lte=OuterRef("escalated_at"),
            resolved_at__gt=OuterRef("escalated_at") - REPEAT,
        ).filter(resolved_at__gt=period.begins - REPEAT, resolved_at__lt=period.ends)
    )


def resolved(scope: Scope) -> Escalations:
    """The escalations resolved in the period."""
    period = scope.period
    return _of(scope, all_escalations().filter(resolved_at__gte=period.begins, resolved_at__lt=period.ends))


def totals(scope: Scope) -> Totals:
    """The totals of the period; takes five queries."""
    of_resolved = resolved(scope).aggregate(count=Count("pk"), **_spread(F("resolved_at") - Plausible("escalated_at")))
    return Totals(
        opened=opened(scope).count(),
        repeats=opened(scope).filter(is_repeat(scope.period)).count(),
        to_claim=_time_to(Event.Kind.CLAIMED, scope),
        to_reply=_time_to(Event.Kind.REPLIED, scope),
        to_resolve=Spread(of_resolved["count"], of_resolved["median"], of_resolved["ninety"]),
    )


def _time_to(kind: Event.Kind, scope: Scope) -> Spread:
    """From events of that kind, which are fewer than the escalations: each escalation's first."""
    escalation = Escalation.objects.filter(pk=OuterRef("escalation_id"))
    events = Event.objects.filter(kind=kind, escalation_id__in=opened(scope).order_by().values("pk"))
    first = events.values("escalation_id").annotate(
        first_at=Min("at"), escalated_at=Subquery(escalation.values("escalated_at"))
    )
    found = first.aggregate(count=Count("first_at"), **_spread(F("first_at") - Plausible("escalated_at")))
    return Spread(found["count"], found["median"], found["ninety"])


def by_reason(scope: Scope) -> list[tuple[str | None, int]]:
    """The most frequent reasons of the escalations opened."""
    rows = cast(QuerySet[Any, Any], opened(scope).order_by()).values("why").annotate(count=Count("pk"))
    return list(rows.order_by("-count", "why").values_list("why", "count")[:MOST_REASONS])


def by_hour(scope: Scope) -> list[int]:
    """Escalations opened in each of the 24 hours of the day."""
    hour = ExtractHour("escalated_at", tzinfo=get_current_timezone())
    rows = dict(opened(scope).order_by().annotate(hour=hour).values_list("hour").annotate(count=Count("pk")))
    return [rows.get(number, 0) for number in range(24)]


def by_day(scope: Scope) -> list[Day]:
    """Every day of the period, or every week of a long one. Two queries."""
    period = scope.period
    is_long = period.days > MOST_DAYS
    step = timedelta(days=7 if is_long else 1)
    day = period.first - timedelta(days=period.first.weekday() if is_long else 0)

    def counted(escalations: Escalations, field: str) -> dict[date, int]:
        trunc = TruncWeek if is_long else TruncDate
        rows = escalations.order_by().annotate(day=trunc(field, tzinfo=get_current_timezone())).values_list("day")
        found = rows.annotate(count=Count("pk"))
        return {moment.date() if isinstance(moment, datetime) else moment: count for moment, count in found}

    begun, done = counted(opened(scope), "escalated_at"), counted(resolved(scope), "resolved_at")
    days = []
    while day <= period.last:
        days.append(Day(day, begun.get(day, 0), done.get(day, 0)))
        day += step
    return days


def businesses(period: Period) -> list[tuple[UUID, str]]:
    """Id and name of the businesses with escalations opened in the period."""
    escalations = all_escalations().filter(
        escalated_at__gte=period.begins, escalated_at__lt=period.ends, instance__business_id__isnull=False
    )
    rows = escalations.order_by().values_list(
        "instance__business_id", Coalesce(name_at("instance__business"), Value("", TextField()))
    )
    return list(rows.distinct()[:MOST_CHOICES])


def people() -> QuerySet[User]:
    """Staff who may resolve escalations, including administrators and closed accounts."""
    staff: QuerySet[User] = User.objects.with_perm(
        "escalations.resolve_escalation",
        is_active=None,  # type: ignore[arg-type]
        backend="django.contrib.auth.backends.ModelBackend",
    )
    return staff[:MOST_CHOICES]


def export_rows(scope: Scope) -> Iterator[Any]:
    """Every escalation opened in the period, first to last, with everything the export shows, in chunks.

    A server-side cursor would need one connection throughout, which a transaction pooler does not provide.
    """
    acts = Event.objects.filter(escalation_id=OuterRef("pk")).order_by("at")
    events, replies = acts.filter(kind=Event.Kind.CLAIMED), acts.filter(kind=Event.Kind.REPLIED)
    escalations = with_resolver(with_people(opened(scope)))
    escalations = escalations.annotate(
        claimant=Subquery(events.values("actor_name")[:1]),
        claimed_at=Subquery(events.values("at")[:1]),
        replied_at=Subquery(replies.values("at")[:1]),
        is_repeat=is_repeat(scope.period),
    )
    after: Cursor | None = None
    while chunk := list(oldest_after(escalations, "escalated_at", after)[:CHUNK]):
        yield from chunk
        after = Cursor(chunk[-1].escalated_at, chunk[-1].pk)


def _of(scope: Scope, escalations: Escalations) -> Escalations:
    if scope.business:
        escalations = escalations.filter(instance__business_id=scope.business)
    if scope.person:
        acts = Event.objects.filter(
            escalation_id=OuterRef("pk"), actor_id=scope.person, kind__in=[Event.Kind.CLAIMED, Event.Kind.RESOLVED]
        )
        escalations = escalations.filter(Exists(acts))
    return escalations


def _spread(took: Any) -> dict[str, Aggregate]:
    duration = ExpressionWrapper(took, DurationField())
    return {"median": Percentile(duration, share=0.5), "ninety": Percentile(duration, share=0.9)}
