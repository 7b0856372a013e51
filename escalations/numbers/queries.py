"""The desk's numbers, read from escalations and their history.

Of cases opened in the period: how many, how long until the first claim, repeats, reasons, hours. Of cases resolved in
it: how many, and how long that took since they were opened. Cases of which nobody knows when they were opened are in
none of these but the number resolved.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
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
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
)
from django.db.models.functions import Coalesce, ExtractHour, NullIf, TruncDate, TruncWeek
from django.utils.timezone import get_current_timezone

from escalations.criteria import Cases
from escalations.models import Escalation, Event
from escalations.numbers.period import Period
from escalations.queries import all_cases, with_people, with_resolver
from waops.models import User

REPEAT = timedelta(days=7)
"""A customer who is back within this time after a case was resolved was not helped."""
MOST_DAYS = 62
"""Days that are charted one by one; longer periods by weeks, which begin on Mondays."""
MOST_CHOICES = 500
MOST_REASONS = 20
CHUNK = 1_000
"""Rows of the export that are read at once."""


@dataclass(frozen=True)
class Scope:
    """`person` is the id of a member of staff: only the cases which that person has claimed or resolved."""

    period: Period
    business: UUID | None = None
    person: int | None = None


@dataclass(frozen=True)
class Spread:
    """Half of the cases took no longer than `median`, nine of ten no longer than `ninety`; None without cases."""

    count: int
    median: timedelta | None
    ninety: timedelta | None


@dataclass(frozen=True)
class Totals:
    """`repeats` are opened cases whose customer had a case resolved within REPEAT before."""

    opened: int
    repeats: int
    to_claim: Spread
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


def opened(scope: Scope) -> Cases:
    """The cases opened in the period."""
    period = scope.period
    return _of(scope, all_cases().filter(escalated_at__gte=period.begins, escalated_at__lt=period.ends))


def is_repeat(period: Period) -> Exists:
    """Whether a case opened in the period is its customer's next within REPEAT of one that was resolved.

    The period is part of it although the case's own moment says it all: so the server can match all the cases at
    once, where there are many.
    """
    return Exists(
        Escalation.objects.filter(
            whatsapp_number=OuterRef("whatsapp_number"),
            instance_id=OuterRef("instance_id"),
            resolved_at__lte=OuterRef("escalated_at"),
            resolved_at__gt=OuterRef("escalated_at") - REPEAT,
        ).filter(resolved_at__gt=period.begins - REPEAT, resolved_at__lt=period.ends)
    )


def resolved(scope: Scope) -> Cases:
    """The cases resolved in the period."""
    period = scope.period
    return _of(scope, all_cases().filter(resolved_at__gte=period.begins, resolved_at__lt=period.ends))


def totals(scope: Scope) -> Totals:
    """Four queries."""
    of_resolved = resolved(scope).aggregate(cases=Count("pk"), **_spread(F("resolved_at") - F("escalated_at")))
    return Totals(
        opened=opened(scope).count(),
        repeats=opened(scope).filter(is_repeat(scope.period)).count(),
        to_claim=_time_to_claim(scope),
        to_resolve=Spread(of_resolved["cases"], of_resolved["median"], of_resolved["ninety"]),
    )


def _time_to_claim(scope: Scope) -> Spread:
    """From the claims, of which there are fewer than cases: each case's first."""
    case = Escalation.objects.filter(pk=OuterRef("escalation_id"))
    claims = Event.objects.filter(kind=Event.Kind.CLAIMED, escalation_id__in=opened(scope).order_by().values("pk"))
    first = claims.values("escalation_id").annotate(
        claimed_at=Min("at"), escalated_at=Subquery(case.values("escalated_at"))
    )
    found = first.aggregate(cases=Count("claimed_at"), **_spread(F("claimed_at") - F("escalated_at")))
    return Spread(found["cases"], found["median"], found["ninety"])


def by_reason(scope: Scope) -> list[tuple[str | None, int]]:
    """The most frequent reasons of the cases opened."""
    rows = cast(QuerySet[Any, Any], opened(scope).order_by()).values("why").annotate(cases=Count("pk"))
    return list(rows.order_by("-cases", "why").values_list("why", "cases")[:MOST_REASONS])


def by_hour(scope: Scope) -> list[int]:
    """Cases opened in each of the 24 hours of the day."""
    hour = ExtractHour("escalated_at", tzinfo=get_current_timezone())
    rows = dict(opened(scope).order_by().annotate(hour=hour).values_list("hour").annotate(cases=Count("pk")))
    return [rows.get(number, 0) for number in range(24)]


def by_day(scope: Scope) -> list[Day]:
    """Every day of the period, or every week of a long one. Two queries."""
    period = scope.period
    is_long = period.days > MOST_DAYS
    step = timedelta(days=7 if is_long else 1)
    day = period.first - timedelta(days=period.first.weekday() if is_long else 0)

    def counted(cases: Cases, field: str) -> dict[date, int]:
        trunc = TruncWeek if is_long else TruncDate
        rows = cases.order_by().annotate(day=trunc(field, tzinfo=get_current_timezone())).values_list("day")
        found = rows.annotate(cases=Count("pk"))
        return {moment.date() if isinstance(moment, datetime) else moment: cases for moment, cases in found}

    begun, done = counted(opened(scope), "escalated_at"), counted(resolved(scope), "resolved_at")
    days = []
    while day <= period.last:
        days.append(Day(day, begun.get(day, 0), done.get(day, 0)))
        day += step
    return days


def businesses(period: Period) -> list[tuple[UUID, str]]:
    """Those with cases opened in the period: id and name."""
    named = NullIf("instance__business__business_name", Value("", TextField()))
    cases = all_cases().filter(
        escalated_at__gte=period.begins, escalated_at__lt=period.ends, instance__business_id__isnull=False
    )
    rows = cases.order_by().values_list(
        "instance__business_id", Coalesce(named, "instance__business__full_name", Value("", TextField()))
    )
    return list(rows.distinct()[:MOST_CHOICES])


def people() -> QuerySet[User]:
    """Staff who may resolve escalations."""
    return User.objects.filter(
        groups__permissions__codename="resolve_escalation", groups__permissions__content_type__app_label="escalations"
    ).distinct()[:MOST_CHOICES]


def export_rows(scope: Scope) -> Iterator[Any]:
    """Every case opened in the period, first to last, with all that the export shows; some at a time.

    A cursor on the server would need one connection throughout, which a transaction pooler does not give.
    """
    events = Event.objects.filter(escalation_id=OuterRef("pk"), kind=Event.Kind.CLAIMED).order_by("at")
    cases = with_resolver(with_people(opened(scope)))
    cases = cases.annotate(
        claimant=Subquery(events.values("actor_name")[:1]),
        claimed_at=Subquery(events.values("at")[:1]),
        is_repeat=is_repeat(scope.period),
    )
    cases = cases.order_by("escalated_at", "pk")
    chunk = list(cases[:CHUNK])
    while chunk:
        yield from chunk
        last = chunk[-1]
        later = Q(escalated_at__gt=last.escalated_at) | Q(escalated_at=last.escalated_at, pk__gt=last.pk)
        chunk = list(cases.filter(later, escalated_at__gte=last.escalated_at)[:CHUNK]) if len(chunk) == CHUNK else []


def _of(scope: Scope, cases: Cases) -> Cases:
    if scope.business:
        cases = cases.filter(instance__business_id=scope.business)
    if scope.person:
        acts = Event.objects.filter(
            escalation_id=OuterRef("pk"), actor_id=scope.person, kind__in=[Event.Kind.CLAIMED, Event.Kind.RESOLVED]
        )
        cases = cases.filter(Exists(acts))
    return cases


def _spread(took: Any) -> dict[str, Aggregate]:
    duration = ExpressionWrapper(took, DurationField())
    return {"median": Percentile(duration, share=0.5), "ninety": Percentile(duration, share=0.9)}
