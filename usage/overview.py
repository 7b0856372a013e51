"""All businesses by risk: what a row of the overview is, its views, its order, its totals.

A row is made from one statement's columns and judged in Python by the same forecast that draws a business's chart, so
chart, alert and export cannot disagree. Of five thousand businesses that takes half a second: for a page of the list
`listing` has the database choose and sort them.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from usage import reads
from usage.forecast import Forecast, Rate, Verdict, daily_rate, forecast
from usage.models import Profile

NEARLY = 0.8
"""Share of the limit from which a business is listed as nearly out."""
TOLERANCE = 0.05
"""Share of the larger number by which counter and answers may differ…"""
TOLERATED = 5
"""…and the number they may always differ by."""
ENOUGH_TO_COMPARE = 20
"""Answers in the period from which the forecast believes how much more than them the counter counts."""
RISK = (Verdict.OUT, Verdict.BEFORE_RESET, Verdict.LASTS, Verdict.TOO_LITTLE_DATA, Verdict.DISABLED)
FAR = datetime(9999, 1, 1, tzinfo=UTC)


class View(models.TextChoices):
    OUT = "out", _("Out now")
    BEFORE_RESET = "before_reset", _("Out before the reset")
    NEARLY = "nearly", _("80% and more")
    DISABLED = "disabled", _("Disabled")
    OVERDUE = "overdue", _("Reset overdue")
    DISAGREES = "disagrees", _("Counter disagrees")
    ALL = "all", _("All")


def disagree(counter: int, replies: int) -> bool:
    """Whether they differ by more than what is tolerated."""
    return abs(counter - replies) > max(TOLERATED, TOLERANCE * max(counter, replies))


@dataclass(frozen=True)
class Business:
    """One row. `trend`: replies per day, oldest first, today last. `replies` and what follows: of the period so far.

    `untracked` replies have no token counts and `unpriced` ones no price: `costs` leave both out.
    """

    id: UUID
    name: str
    plan: str
    is_enabled: bool
    limit: int
    used: int
    last_reset: datetime | None
    resets_on: datetime
    is_overdue: bool
    subscription_end: datetime | None
    trend: tuple[int, ...]
    replies: int
    tokens: int
    untracked: int
    unpriced: int
    costs: Mapping[str, Decimal]
    forecast: Forecast

    @property
    def share(self) -> float | None:
        """Used of the limit; None without a limit."""
        return self.used / self.limit if self.limit > 0 else None

    @property
    def difference(self) -> int:
        """Counter minus answers."""
        return self.used - self.replies

    @property
    def disagrees(self) -> bool:
        return disagree(self.used, self.replies)

    def is_in(self, view: str) -> bool:
        match view:
            case View.OUT:
                return self.forecast.verdict is Verdict.OUT
            case View.BEFORE_RESET:
                return self.forecast.verdict is Verdict.BEFORE_RESET
            case View.NEARLY:
                return self.is_enabled and (self.share or 0) >= NEARLY
            case View.DISABLED:
                return not self.is_enabled
            case View.OVERDUE:
                return self.is_enabled and self.is_overdue
            case View.DISAGREES:
                return self.is_enabled and self.disagrees
        return True


@dataclass(frozen=True)
class Totals:
    """Of all the rows on a list, whatever page is shown."""

    businesses: int
    limit: int
    used: int
    replies: int
    tokens: int
    untracked: int
    unpriced: int
    costs: Mapping[str, Decimal]


ORDERS: dict[str, Callable[[Business], Any]] = {
    "risk": lambda one: (RISK.index(one.forecast.verdict), one.forecast.exhausted_at or FAR, -(one.share or 0)),
    "name": lambda one: one.name.lower(),
    "plan": lambda one: one.plan or None,
    "used": lambda one: one.used,
    "limit": lambda one: one.limit,
    "share": lambda one: one.share,
    "rate": lambda one: one.forecast.rate and one.forecast.rate.mean,
    "out": lambda one: one.forecast.exhausted_at,
    "reset": lambda one: one.resets_on,
    "ends": lambda one: one.subscription_end,
    "replies": lambda one: one.replies,
    "tokens": lambda one: one.tokens,
    "cost": lambda one: max(one.costs.values(), default=None),
    "trend": lambda one: sum(one.trend[-8:-1]) - sum(one.trend[-15:-8]),
}
"""Name in the address, and key, ascending; None comes last either way. Cost compares the largest amounts of each row,
whatever their currency."""


def load(now: datetime | None = None, ids: Iterable[UUID] | None = None) -> list[Business]:
    """All businesses, or these, as of `now`."""
    now = now or timezone.now()
    today = timezone.localdate(now)
    return [judge(row | measured(row), now) for row in reads.businesses(now, today, ids)]


def after_change(one: Business, now: datetime, *, limit: int, used: int) -> Business:
    """The same business with another limit or counter, judged anew."""
    judged = forecast(
        limit=limit,
        used=used,
        is_enabled=one.is_enabled,
        now=now,
        resets_on=one.resets_on,
        rate=one.forecast.rate,
    )
    return replace(one, limit=limit, used=used, forecast=judged)


def count_views(businesses: Iterable[Business]) -> dict[View, int]:
    counts = Counter(view for one in businesses for view in View if one.is_in(view))
    return {view: counts[view] for view in View}


def choose(
    businesses: Iterable[Business], *, view: str = View.ALL, plan: str = "", search: str = "", order: str = "risk"
) -> list[Business]:
    """The rows of a list, in its order; `order` is a key of ORDERS, with "-" before it for descending."""
    words = search.lower().split()
    chosen = [
        one
        for one in businesses
        if one.is_in(view) and (not plan or one.plan == plan) and all(word in one.name.lower() for word in words)
    ]
    chosen.sort(key=lambda one: (one.name.lower(), one.id))
    key = ORDERS[order.removeprefix("-")]
    known = [one for one in chosen if key(one) is not None]
    known.sort(key=key, reverse=order.startswith("-"))
    return known + [one for one in chosen if key(one) is None]


def add_up(businesses: Iterable[Business]) -> Totals:
    rows = list(businesses)
    return Totals(
        businesses=len(rows),
        limit=sum(one.limit for one in rows),
        used=sum(one.used for one in rows),
        replies=sum(one.replies for one in rows),
        tokens=sum(one.tokens for one in rows),
        untracked=sum(one.untracked for one in rows),
        unpriced=sum(one.unpriced for one in rows),
        costs=add_costs(one.costs for one in rows),
    )


def add_costs(costs: Iterable[Mapping[str, Decimal]]) -> dict[str, Decimal]:
    """Sums by currency."""
    total: dict[str, Decimal] = {}
    for one in costs:
        for currency, amount in one.items():
            total[currency] = total.get(currency, Decimal()) + amount
    return dict(sorted(total.items()))


def measured(row: Mapping[str, Any]) -> dict[str, Any]:
    """Of a row of `reads.BUSINESSES`, what takes the most work: `trend`, and `mean`, `deviation` and `error` of the
    recorded answers' rate, None where there is too little data."""
    trend = [0] * (reads.TREND_DAYS + 1)
    for age, replies in zip(row["ages"] or (), row["daily"] or (), strict=True):
        trend[-1 - age] += replies
    rate = daily_rate(_full_days(trend, answered_before=row["ever"] > sum(trend)))
    names = ("mean", "deviation", "error")
    return {"trend": trend, **{name: getattr(rate, name, None) for name in names}}


def judge(row: Mapping[str, Any], now: datetime) -> Business:
    """From the columns of `reads.BUSINESSES` with what `measured` adds."""
    ends = row["subscription_end_date"]
    is_enabled = row["limit"] > 0 and row["is_active"] is not False and (ends is None or ends > now)
    counted_more = row["used"] / row["replies"] if row["replies"] >= ENOUGH_TO_COMPARE else 1.0
    rate = None if row["mean"] is None else Rate(row["mean"], row["deviation"], row["error"]).times(counted_more)
    return Business(
        id=row["id"],
        name=row["business_name"] or row["full_name"] or str(Profile(id=row["id"])),
        plan=row["plan_type"] or "",
        is_enabled=is_enabled,
        limit=row["limit"],
        used=row["used"],
        last_reset=row["last_reset"],
        resets_on=row["resets_on"],
        is_overdue=row["overdue"],
        subscription_end=ends,
        trend=tuple(row["trend"]),
        replies=row["replies"],
        tokens=row["tokens"],
        untracked=row["untracked"],
        unpriced=row["unpriced"],
        costs=reads.costs(row),
        forecast=forecast(
            limit=row["limit"],
            used=row["used"],
            is_enabled=is_enabled,
            now=now,
            resets_on=row["resets_on"],
            rate=rate,
        ),
    )


def _full_days(trend: list[int], *, answered_before: bool) -> list[int]:
    """The full days, latest first, from the first with any reply on; all of them where there were replies before."""
    days = trend[-2::-1]
    known = max((age + 1 for age, replies in enumerate(days) if replies), default=0)
    return days[: len(days) if answered_before else known]
