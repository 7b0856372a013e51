"""One business: its period by day, model, personality, number, intent and hour, its customers, its history."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from usage import quota, reads
from usage.business_sql import DETAIL, HOURS, REPLIES_OF_A_DAY, SURROUNDINGS, TOP_CUSTOMERS
from usage.models import QuotaChange, TopUp
from usage.quota import Business, View, add_costs
from usage.rollup import EPOCH, FIRST, LAST, period_of
from waops.database import moments

Row = TypeVar("Row")

CUSTOMERS = 10
LISTED_DAYS = 366
"""Most days before today that are listed, including days without replies…"""
ODD_DAYS = 100
"""…and most earlier days with replies that are also listed."""
REPLIES_PER_PAGE = 50
HISTORY = 50


@dataclass
class Part:
    """One line of a breakdown. `key` identifies it in addresses, `name` on the page."""

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
    """A past or current period: the replies, and the counter at its end or now (None: unknown)."""

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
    """What the page is narrowed to: one WhatsApp number, one of its personalities, one day, a page of its replies."""

    number: UUID | None = None
    personality: str | None = None
    day: date | None = None
    page: int = 1
    with_hours: bool = False
    """Also show the cost of each hour, which the page of a single day always does."""

    def holds(self, row: Mapping[str, Any]) -> bool:
        return (
            self.number in (None, row["instance_id"])
            and self.personality in (None, row["personality"])
            and self.day in (None, row["day"])
        )


@dataclass(frozen=True)
class Usage:
    """A business's period, broken down by every attribute of its replies; each breakdown adds up to `whole`."""

    whole: Part
    days: list[Part]
    models: list[Part]
    personalities: list[Part]
    numbers: list[Part]
    intents: list[Part]


@dataclass(frozen=True)
class BusinessPage:
    """`usage` covers what the page is narrowed to, `days` the whole period.

    `hours`: replies and tokens by hour of the day, in the whole period. `costly_hours`: the same with costs, for what
    the page is narrowed to, if requested. `replies`: a page of the day's replies, newest first; `has_more`: there
    are older ones.
    """

    business: Business
    start: datetime
    usage: Usage
    days: list[Part]
    hours: list[tuple[int, int]]
    costly_hours: list[Part]
    periods: list[PeriodSummary]
    changes: list[QuotaChange]
    top_ups: list[TopUp]
    customers: list[dict[str, Any]]
    replies: list[dict[str, Any]]
    has_more: bool
    silence: reads.Silence | None
    own_rule: int | None
    number_names: Mapping[str, str]
    personality_names: Mapping[str, str]


def load(business_id: UUID, narrowed: Narrowed, now: datetime | None = None) -> BusinessPage | None:
    """The current period of a business; None if there is no such business."""
    now = now or timezone.now()
    found = quota.load(now, [business_id])
    if not found:
        return None
    business = found[0]
    start = period_of(business.last_reset)
    span: dict[str, Any] = {"business": business_id, "start": start, "end": now + timedelta(days=36_500)}
    around = reads.read(SURROUNDINGS, now=now, history=HISTORY, **span)[0]
    whole_period = replace(narrowed, day=None)
    in_period = [row for row in reads.read(DETAIL, **span) if whole_period.holds(row)]
    rows = [row for row in in_period if narrowed.holds(row)]
    numbers, names = around["numbers"] or {}, around["personalities"] or {}
    changes = [_from_json(QuotaChange, row) for row in around["changes"] or []]
    is_silent = business.is_in(View.OUT) or business.is_in(View.DISABLED)
    replies = _replies(business_id, narrowed, start) if narrowed.day else []
    return BusinessPage(
        business=business,
        start=start,
        usage=_break_down(rows, numbers, names),
        days=_break_down(in_period, numbers, names).days,
        hours=[tuple((around["hours"] or {}).get(str(hour), (0, 0))) for hour in range(24)],
        costly_hours=_hours(business_id, narrowed, start, now) if narrowed.day or narrowed.with_hours else [],
        periods=_periods(around["periods"] or [], changes, business),
        changes=changes,
        top_ups=[_from_json(TopUp, row) for row in around["top_ups"] or []],
        customers=[] if narrowed.day else reads.read(TOP_CUSTOMERS, limit=CUSTOMERS, **span),
        replies=replies[:REPLIES_PER_PAGE],
        has_more=len(replies) > REPLIES_PER_PAGE,
        silence=reads.silence([business_id]).get(business_id) if is_silent else None,
        own_rule=around["own_rule"],
        number_names=numbers,
        personality_names=names,
    )


def every_day(parts: Iterable[Part], first: date, today: date) -> list[tuple[date, Part]]:
    """All days from `first` to `today`, including those without replies; the latest LISTED_DAYS if there are more."""
    by_day = {part.key: part for part in parts}
    length = max(0, min((today - first).days + 1, LISTED_DAYS))
    days = [today - timedelta(days=age) for age in range(length)][::-1]
    return [(day, by_day.get(str(day)) or Part(str(day), str(day))) for day in days]


def odd_days(parts: Iterable[Part], listed: Iterable[tuple[date, Part]]) -> tuple[list[tuple[date, Part]], Part | None]:
    """Days with replies before and after the listed ones: the latest of them, and all others summed up."""
    known = {part.key for _day, part in listed}
    odd = sorted((part for part in parts if part.key not in known), key=lambda part: part.key, reverse=True)
    others = Part("", "")
    for part in odd[ODD_DAYS:]:
        others.replies += part.replies
        others.tokens += part.tokens
        others.untracked += part.untracked
        others.unpriced += part.unpriced
        others.costs = add_costs([others.costs, part.costs])
    return [(date.fromisoformat(part.key), part) for part in odd[:ODD_DAYS]], others if odd[ODD_DAYS:] else None


def day_bounds(day: date) -> tuple[datetime, datetime]:
    """The midnights around a day in the configured time zone: 23, 24 or 25 hours apart."""
    return moments.midnight(day).astimezone(UTC), moments.midnight(day + timedelta(days=1)).astimezone(UTC)


def _replies(business_id: UUID, narrowed: Narrowed, period: datetime) -> list[dict[str, Any]]:
    assert narrowed.day is not None
    start, end = day_bounds(narrowed.day)
    # The first and the last day also count everything before and after.
    start = moments.OutOfRange("-infinity") if start <= FIRST and period == EPOCH else max(start, period)
    end = moments.OutOfRange("infinity") if end > LAST else end
    return reads.read(
        REPLIES_OF_A_DAY,
        business=business_id,
        start=start,
        end=end,
        number=narrowed.number,
        personality=narrowed.personality,
        limit=REPLIES_PER_PAGE + 1,
        skip=(narrowed.page - 1) * REPLIES_PER_PAGE,
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
    held = {
        change.new_reset and period_of(change.new_reset): change.old_used
        for change in changes
        if change.new_reset != change.old_reset
    }
    summaries: list[PeriodSummary] = []
    end: datetime | None = None
    for row in rows:
        start = datetime.fromisoformat(row["start"])
        counter = business.used if end is None and start == period_of(business.last_reset) else held.get(end)
        summaries.append(PeriodSummary(start, end, row["replies"], row["tokens"], counter))
        end = start
    return summaries


def _from_json(model: type[Row], values: dict[str, Any]) -> Row:
    """An instance from its row's JSON; times are text."""
    times = {name for name in values if name.endswith("_at") or name in ("at", "old_reset", "new_reset")}
    return model(**{name: moments.read(value) if name in times and value else value for name, value in values.items()})
