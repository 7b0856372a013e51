"""One business: its period by day, model, personality, number, intent and hour, its customers, its history."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from usage import overview, reads
from usage.business_sql import DETAIL, HOURS, INTERACTIONS_OF_A_DAY, SURROUNDINGS, TOP_CUSTOMERS
from usage.models import QuotaChange, TopUp
from usage.overview import Business, add_costs

Row = TypeVar("Row")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""Start of the period before the first reset that is known."""
CUSTOMERS = 10
INTERACTIONS = 50
HISTORY = 50


@dataclass
class Part:
    """A line of a breakdown. `key` names it in addresses, `name` on the page."""

    key: str
    name: str
    replies: int = 0
    tokens: int = 0
    untracked: int = 0
    unpriced: int = 0
    costs: dict[str, Decimal] = field(default_factory=dict)

    def add(self, row: Mapping[str, Any]) -> None:
        self.replies += row["replies"]
        self.tokens += row["tokens"]
        self.untracked += row["untracked"]
        if row["currency"] is None:
            self.unpriced += row["replies"]
        else:
            self.costs = add_costs([self.costs, {row["currency"]: row["cost"]}])


@dataclass(frozen=True)
class PeriodSummary:
    """A period, over or running: what was answered, and what the counter held at its end or holds (None: unknown)."""

    start: datetime
    end: datetime | None
    replies: int
    tokens: int
    counter: int | None

    @property
    def is_before_the_first_reset(self) -> bool:
        return self.start == EPOCH

    @property
    def difference(self) -> int | None:
        return None if self.counter is None else self.counter - self.replies


@dataclass(frozen=True)
class Narrowed:
    """What the page is narrowed to: one WhatsApp number, one of its personalities, one day, a page of its answers."""

    number: UUID | None = None
    personality: str | None = None
    day: date | None = None
    page: int = 1
    with_hours: bool = False
    """Also what each hour of the day cost, which a day's page says anyway."""

    def holds(self, row: Mapping[str, Any]) -> bool:
        return (
            self.number in (None, row["instance_id"])
            and self.personality in (None, row["personality"])
            and self.day in (None, row["day"])
        )


@dataclass(frozen=True)
class Usage:
    """The period of a business by everything that tells its answers apart; each list adds up to `whole`."""

    whole: Part
    days: list[Part]
    models: list[Part]
    personalities: list[Part]
    numbers: list[Part]
    intents: list[Part]


@dataclass(frozen=True)
class BusinessPage:
    """`usage` is of what the page is narrowed to, `days` of the whole period whatever day it is narrowed to.

    `hours`: replies and tokens of each hour of the day, in the whole period. `costly_hours`: with what each hour cost,
    of what the page is narrowed to, if asked for. `interactions`: a page of the day's, newest first;
    `has_more`: there are older ones. `was_due`: when a reset that is overdue should have been.
    """

    business: Business
    start: datetime
    was_due: datetime
    usage: Usage
    days: list[Part]
    hours: list[tuple[int, int]]
    costly_hours: list[Part]
    periods: list[PeriodSummary]
    changes: list[QuotaChange]
    top_ups: list[TopUp]
    customers: list[dict[str, Any]]
    interactions: list[dict[str, Any]]
    has_more: bool
    silence: reads.Silence | None
    own_rule: int | None
    number_names: Mapping[str, str]
    personality_names: Mapping[str, str]


def load(business_id: UUID, narrowed: Narrowed, now: datetime | None = None) -> BusinessPage | None:
    """The running period of a business; None if there is no such business."""
    now = now or timezone.now()
    found = overview.load(now, [business_id])
    if not found:
        return None
    business = found[0]
    start = business.last_reset or EPOCH
    # A last reset in the future holds nothing yet; a period is never empty by construction.
    span: dict[str, Any] = {"business": business_id, "start": start, "end": now + timedelta(days=36_500)}
    around = reads.read(SURROUNDINGS, now=now, history=HISTORY, **span)[0]
    whole_period = replace(narrowed, day=None)
    in_period = [row for row in reads.read(DETAIL, **span) if whole_period.holds(row)]
    rows = [row for row in in_period if narrowed.holds(row)]
    numbers, names = around["numbers"] or {}, around["personalities"] or {}
    changes = [_from_json(QuotaChange, row) for row in around["changes"] or []]
    is_silent = business.is_in(overview.View.OUT) or business.is_in(overview.View.DISABLED)
    interactions = _interactions(business_id, narrowed, start) if narrowed.day else []
    return BusinessPage(
        business=business,
        start=start,
        was_due=datetime.fromisoformat(around["was_due"]),
        usage=_break_down(rows, numbers, names),
        days=_break_down(in_period, numbers, names).days,
        hours=[tuple((around["hours"] or {}).get(str(hour), (0, 0))) for hour in range(24)],
        costly_hours=_hours(business_id, narrowed, start, now) if narrowed.day or narrowed.with_hours else [],
        periods=_periods(around["periods"] or [], changes, business),
        changes=changes,
        top_ups=[_from_json(TopUp, row) for row in around["top_ups"] or []],
        customers=[] if narrowed.day else reads.read(TOP_CUSTOMERS, limit=CUSTOMERS, **span),
        interactions=interactions[:INTERACTIONS],
        has_more=len(interactions) > INTERACTIONS,
        silence=reads.silence([business_id]).get(business_id) if is_silent else None,
        own_rule=around["own_rule"],
        number_names=numbers,
        personality_names=names,
    )


def every_day(parts: Iterable[Part], first: date, last: date) -> list[tuple[date, Part]]:
    """With the days that have no reply."""
    by_day = {part.key: part for part in parts}
    days = [first + timedelta(days=age) for age in range((last - first).days + 1)]
    return [(day, by_day.get(str(day)) or Part(str(day), str(day))) for day in days]


def day_bounds(day: date) -> tuple[datetime, datetime]:
    """From midnight to midnight in the configured time zone: 23, 24 or 25 hours."""
    zone = timezone.get_default_timezone()
    start = datetime(day.year, day.month, day.day, tzinfo=zone)
    following = day + timedelta(days=1)
    return start.astimezone(UTC), datetime(following.year, following.month, following.day, tzinfo=zone).astimezone(UTC)


def _interactions(business_id: UUID, narrowed: Narrowed, period: datetime) -> list[dict[str, Any]]:
    assert narrowed.day is not None
    start, end = day_bounds(narrowed.day)
    return reads.read(
        INTERACTIONS_OF_A_DAY,
        business=business_id,
        start=max(start, period),
        end=end,
        number=narrowed.number,
        personality=narrowed.personality,
        limit=INTERACTIONS + 1,
        skip=(narrowed.page - 1) * INTERACTIONS,
    )


def _hours(business_id: UUID, narrowed: Narrowed, period: datetime, now: datetime) -> list[Part]:
    start, end = day_bounds(narrowed.day) if narrowed.day else (period, now + timedelta(days=36_500))
    hours = [Part(str(hour), f"{hour}:00") for hour in range(24)]
    rows = reads.read(
        HOURS,
        zone=settings.TIME_ZONE,
        business=business_id,
        start=max(start, period),
        end=end,
        number=narrowed.number,
        personality=narrowed.personality,
    )
    for row in rows:
        hours[row["hour"]].add(row)
    return hours


def _break_down(rows: list[dict[str, Any]], numbers: Mapping[str, str], personalities: Mapping[str, str]) -> Usage:
    whole = Part("", "")
    for row in rows:
        whole.add(row)

    def by(key: Callable[[dict[str, Any]], str], names: Mapping[str, str]) -> list[Part]:
        parts: dict[str, Part] = {}
        for row in rows:
            one = key(row)
            if one not in parts:
                parts[one] = Part(one, names.get(one, one))
            parts[one].add(row)
        return sorted(parts.values(), key=lambda part: (-part.replies, part.name))

    days = by(lambda row: str(row["day"]), {})
    return Usage(
        whole=whole,
        days=sorted(days, key=lambda part: part.key),
        models=by(lambda row: str(row["model"]), {}),
        personalities=by(lambda row: str(row["personality"]), personalities),
        numbers=by(lambda row: str(row["instance_id"]), numbers),
        intents=by(lambda row: str(row["intent"]), {}),
    )


def _periods(rows: list[dict[str, Any]], changes: Iterable[QuotaChange], business: Business) -> list[PeriodSummary]:
    """Latest first. The counter at a period's end is what the reset that ended it found."""
    held = {change.new_reset: change.old_used for change in changes if change.new_reset != change.old_reset}
    summaries: list[PeriodSummary] = []
    end: datetime | None = None
    for row in rows:
        start = datetime.fromisoformat(row["start"])
        counter = business.used if end is None and start == (business.last_reset or EPOCH) else held.get(end)
        summaries.append(PeriodSummary(start, end, row["replies"], row["tokens"], counter))
        end = start
    return summaries


def _from_json(model: type[Row], values: dict[str, Any]) -> Row:
    """An instance from the JSON of its row; moments come as text."""
    moments = {name for name in values if name.endswith("_at") or name in ("at", "old_reset", "new_reset")}
    return model(
        **{
            name: datetime.fromisoformat(value) if name in moments and value else value
            for name, value in values.items()
        }
    )
