"""Each business's quota: one statement computes its verdict, filters, position and sums.

Pages, exports, alerts, previews and reconciliation all read it; a page of the list is the same statement with a LIMIT.
The expensive figures of a business (its trend, rate and costs) come from `outlook`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

from django.core.paginator import Page
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy

from usage import outlook, reads
from usage.forecast import MOST_DAYS, Forecast, Rate, Verdict, band
from usage.models.profile import name_sql, unnamed
from usage.requests import page_of
from usage.resets import BETWEEN, OVERDUE, RESETS_ON
from waops.access.readers import current
from waops.database.long_text import LONGEST_NAME, cut

PER_PAGE = 50
LAST_PAGE = 1_000_000
"""Later pages are as empty as this one."""
NEARLY = 0.8
"""Share of the limit from which a business counts as nearly out."""
TOLERANCE = 0.05
"""Tolerated difference between counter and replies, as a share of the larger number…"""
TOLERATED = 5
"""…and the difference that is always tolerated."""
ENOUGH_TO_COMPARE = 20
"""Least replies in the period before the forecast trusts how much more the counter counts."""
RISK = (Verdict.OUT, Verdict.BEFORE_RESET, Verdict.LASTS, Verdict.TOO_LITTLE_DATA, Verdict.DISABLED)


class View(models.TextChoices):
    OUT = "out", gettext_lazy("Out now")
    BEFORE_RESET = "before_reset", gettext_lazy("Out before the reset")
    NEARLY = "nearly", gettext_lazy("80% and more")
    DISABLED = "disabled", gettext_lazy("Disabled")
    OVERDUE = "overdue", gettext_lazy("Reset overdue")
    DISAGREES = "disagrees", gettext_lazy("Counter disagrees")
    ALL = "all", gettext_lazy("All")


DISAGREE = f"abs({{0}} - {{1}}) > greatest({TOLERATED}, {TOLERANCE}::float8 * greatest({{0}}, {{1}}))"
"""Whether counter and replies differ by more than is tolerated."""
IN_VIEW = {
    View.OUT: f"verdict = {RISK.index(Verdict.OUT)}",
    View.BEFORE_RESET: f"verdict = {RISK.index(Verdict.BEFORE_RESET)}",
    View.NEARLY: f"is_enabled AND share >= {NEARLY}",
    View.DISABLED: "NOT is_enabled",
    View.OVERDUE: "is_enabled AND overdue",
    View.DISAGREES: "is_enabled AND disagrees",
    View.ALL: "true",
}
PLAN = "plan = %(plan)s"
SEARCH = "NOT EXISTS (SELECT FROM unnest(%(words)s::text[]) AS word WHERE strpos(lower(name), word) = 0)"
ORDERS: Mapping[str, Sequence[str]] = {
    "risk": ("verdict", "coalesce(exhausted_at, 'infinity')", "- coalesce(share, 0)"),
    "name": ('lower(name) COLLATE "C"',),
    "plan": ("nullif(plan, '') COLLATE \"C\"",),
    "used": ("used",),
    "limit": ('"limit"',),
    "share": ("share",),
    "rate": ("mean * counted_more",),
    "out": ("exhausted_at",),
    "reset": ("resets_on",),
    "ends": ("subscription_end_date",),
    "replies": ("replies",),
    "tokens": ("tokens",),
    "cost": ("(SELECT max(cost) FROM unnest(costs) AS cost)",),
    "trend": (
        "(SELECT (SELECT sum(replied) FROM unnest(outlook.trend[8:14]) AS replied)"
        " - (SELECT sum(replied) FROM unnest(outlook.trend[1:7]) AS replied)"
        " FROM {outlook} AS outlook WHERE outlook.business_id = chosen.id)",
    ),
}
"""Name in the address, and sort keys, ascending; NULL comes last in both directions. Cost compares the
largest amount of each row, whatever its currency; trend the last seven days with the seven before.
"""

# `planned` replaces limits, counters and last resets, for previews.
STATEMENT = """
    WITH {worked_out}
    planned AS (
        SELECT *
        FROM unnest(%(planned)s::uuid[], %(limits)s::bigint[], %(used)s::bigint[], %(resets)s::timestamptz[])
            AS one (id, "limit", used, reset)
    ),
    profile AS (
        SELECT profile.id, {optional},
               coalesce(planned."limit", profile.monthly_ai_response_limit, 0)::bigint AS "limit",
               coalesce(planned.used, profile.monthly_ai_responses_used, 0)::bigint AS used,
               profile.last_responses_reset_date,
               coalesce(planned.reset + {between}, {resets_on}) AS resets_on,
               planned.reset IS NULL AND {overdue} AS overdue
        FROM public.profiles AS profile
        LEFT JOIN planned ON planned.id = profile.id
        WHERE %(ids)s::uuid[] IS NULL OR profile.id = ANY (%(ids)s)
    ),
    stand AS (
        SELECT profile.*, profile.last_responses_reset_date AS last_reset,
               outlook.business_id IS NULL AS is_stale, outlook.currencies, outlook.costs,
               coalesce(outlook.replies, 0) AS replies, coalesce(outlook.tokens, 0) AS tokens,
               coalesce(outlook.untracked, 0) AS untracked, coalesce(outlook.unpriced, 0) AS unpriced,
               outlook.mean, outlook.deviation, outlook.error,
               coalesce({name}, replace(%(unnamed)s, '#', left(profile.id::text, 8))) AS name,
               coalesce(profile.plan_type, '') AS plan,
               profile."limit" > 0 AND profile.is_active IS NOT FALSE
                   AND coalesce(profile.subscription_end_date > %(now)s, true) AS is_enabled,
               profile.used::float8 / nullif(greatest(profile."limit", 0), 0) AS share,
               -- Where the counter counts more than the rows show (failed sends count too), the rate is raised.
               CASE WHEN outlook.replies >= {enough} THEN greatest(1, profile.used::float8 / outlook.replies) ELSE 1 END
                   AS counted_more,
               {disagree} AS disagrees
        FROM profile
        LEFT JOIN {outlook} AS outlook ON outlook.business_id = profile.id AND {kept}
    ),
    lasting AS (
        SELECT stand.*,
               CASE
                   WHEN NOT is_enabled THEN NULL
                   WHEN used >= "limit" THEN %(now)s::timestamptz
                   WHEN ("limit" - used) / nullif(mean * counted_more, 0) <= {most_days}
                   THEN %(now)s::timestamptz + make_interval(secs => ("limit" - used) / (mean * counted_more) * 86400)
               END AS exhausted_at
        FROM stand
    ),
    judged AS (
        SELECT lasting.*,
               CASE
                   WHEN NOT is_enabled THEN {disabled}
                   WHEN used >= "limit" THEN {out}
                   WHEN mean IS NULL THEN {too_little_data}
                   WHEN exhausted_at < resets_on THEN {before_reset}
                   -- The time of such a reset is unknown.
                   WHEN exhausted_at IS NOT NULL AND (overdue OR resets_on IS NULL) THEN {before_reset}
                   ELSE {lasts}
               END AS verdict
        FROM lasting
    ),
    business AS MATERIALIZED (
        SELECT judged.*, {views} FROM judged
    ),
    chosen AS NOT MATERIALIZED (
        SELECT * FROM business WHERE {chosen}
    ),
    overall AS (
        SELECT count(*) FILTER (WHERE is_stale) AS stale,
               ARRAY(SELECT DISTINCT plan FROM business WHERE plan <> '') AS plans,
               {counts}
        FROM business
    ),
    summed AS (
        SELECT count(*) AS sum_businesses, coalesce(sum("limit"), 0) AS sum_limit, coalesce(sum(used), 0) AS sum_used,
               coalesce(sum(replies), 0) AS sum_replies, coalesce(sum(tokens), 0) AS sum_tokens,
               coalesce(sum(untracked), 0) AS sum_untracked, coalesce(sum(unpriced), 0) AS sum_unpriced
        FROM chosen
    ),
    -- Nearly every business spends in one currency, and to take that from its array costs less than to unfold it.
    spent AS (
        SELECT array_agg(currency ORDER BY currency COLLATE "C") AS sum_currencies,
               array_agg(cost ORDER BY currency COLLATE "C") AS sum_costs
        FROM (
            SELECT part.currency, sum(part.cost) AS cost
            FROM (
                SELECT currencies[1] AS currency, costs[1] AS cost FROM chosen WHERE currencies <> '{{}}'
                UNION ALL
                SELECT more.* FROM chosen
                CROSS JOIN LATERAL unnest(currencies[2:], costs[2:]) AS more (currency, cost)
                WHERE cardinality(currencies) > 1
            ) AS part
            GROUP BY part.currency
        ) AS currency
    ),
    page AS (
        SELECT row_number() OVER () AS place, chosen.*
        FROM (SELECT * FROM chosen ORDER BY {order} LIMIT {limit} OFFSET %(offset)s) AS chosen
    )
    SELECT overall.*, summed.*, spent.*, page.*, outlook.trend
    FROM overall
    CROSS JOIN summed
    CROSS JOIN spent
    LEFT JOIN page ON true
    LEFT JOIN {outlook} AS outlook ON outlook.business_id = page.id
    ORDER BY page.place
"""
ALL_ROWS = "ALL"


@dataclass(frozen=True)
class Business:
    """A business and its quota.

    `trend`: replies per day, oldest first, ending today. `replies` and the following: in the current period.
    `resets_on`: when its counter is due to be reset, in the past if it is `is_overdue`; None: never. `share`: share of
    the limit that is used; None without a limit. `untracked` replies have no token counts and `unpriced` ones no price:
    `costs` leave both out.
    """

    id: UUID
    name: str
    plan: str
    is_enabled: bool
    limit: int
    used: int
    share: float | None
    last_reset: datetime | None
    resets_on: datetime | None
    is_overdue: bool
    subscription_end: datetime | None
    trend: tuple[int, ...]
    replies: int
    tokens: int
    untracked: int
    unpriced: int
    costs: Mapping[str, Decimal]
    disagrees: bool
    views: frozenset[View]
    forecast: Forecast

    @property
    def difference(self) -> int:
        """Counter minus replies."""
        return self.used - self.replies

    def is_in(self, view: View) -> bool:
        return view in self.views


class Planned(NamedTuple):
    """What a change would make of a business; `reset`: when it resets the counter, if it does."""

    limit: int
    used: int
    reset: datetime | None = None


@dataclass(frozen=True)
class Totals:
    """Totals over all rows of the list, not only the current page."""

    businesses: int
    limit: int
    used: int
    replies: int
    tokens: int
    untracked: int
    unpriced: int
    costs: Mapping[str, Decimal]


@dataclass(frozen=True)
class Listing:
    """The selected businesses, one page of them or all. `counts` and `plans` cover all businesses, `totals`
    the selected ones.
    """

    rows: Sequence[Business]
    counts: Mapping[View, int]
    plans: Sequence[str]
    totals: Totals


def load(
    now: datetime | None = None,
    ids: Iterable[UUID] | None = None,
    planned: Mapping[UUID, Planned] | None = None,
) -> Sequence[Business]:
    """All businesses, or these, by risk, as of `now`; `planned`: as if those had these values."""
    return _listing(now or timezone.now(), ids, planned=planned or {}).rows


def choose(now: datetime | None = None, **filters: str) -> Listing:
    """Every business that `view`, `plan` and `search` select, in the order of that name; a leading "-" means
    descending.
    """
    return _listing(now or timezone.now(), None, **filters)


def page(now: datetime, number: int | None = None, **filters: str) -> tuple[Page[Business], Listing]:
    """One page of what `choose` selects. Raises BadAddressError if there is no page with that `number`."""
    offset = PER_PAGE * (min(max(1, number or 1), LAST_PAGE) - 1)
    found = _listing(now, None, limit=PER_PAGE, offset=offset, **filters)
    # It is only asked for its length: the rows are already those of the page.
    pages = page_of(range(found.totals.businesses), number, PER_PAGE)
    pages.object_list = found.rows
    return pages, found


def add_costs(costs: Iterable[Mapping[str, Decimal]]) -> dict[str, Decimal]:
    """Sums by currency."""
    total: dict[str, Decimal] = {}
    for one in costs:
        for currency, amount in one.items():
            total[currency] = total.get(currency, Decimal()) + amount
    return dict(sorted(total.items()))


def _listing(now: datetime, ids: Iterable[UUID] | None, **asked: Any) -> Listing:
    wanted = current().among(ids)
    rows = _read(now, wanted, **asked)
    if rows[0]["stale"] and outlook.refresh(now, wanted):
        rows = _read(now, wanted, **asked)
    if rows[0]["stale"]:
        rows = _read(now, wanted, worked_out=outlook.work_out(now, wanted), **asked)
    first = rows[0]
    sums = ("businesses", "limit", "used", "replies", "tokens", "untracked", "unpriced")
    return Listing(
        [_business(row, now) for row in rows if row["id"] is not None],
        {view: first[f"in_{view}"] for view in View},
        sorted(first["plans"]),
        Totals(
            costs=dict(zip(first["sum_currencies"] or (), first["sum_costs"] or (), strict=True)),
            **{name: int(first[f"sum_{name}"]) for name in sums},
        ),
    )


def _read(
    now: datetime,
    wanted: list[UUID] | None,
    *,
    view: str = View.ALL,
    plan: str = "",
    search: str = "",
    order: str = "risk",
    limit: int | str = ALL_ROWS,
    offset: int = 0,
    planned: Mapping[UUID, Planned] = MappingProxyType({}),
    worked_out: str = "",
) -> list[dict[str, Any]]:
    """The rows, each with the sums; one row without an id if there are none."""
    words = search.lower().split()
    conditions = [f"is_{View(view)}", *([PLAN] if plan else []), *([SEARCH] if words else [])]
    source = "worked_out" if worked_out else "waops.usage_outlook"
    return reads.read(
        STATEMENT.format(
            worked_out=outlook.WORKED_OUT if worked_out else "",
            outlook=source,
            kept="true" if worked_out else outlook.KEPT,
            optional=reads.optional_columns(),
            between=BETWEEN,
            resets_on=RESETS_ON,
            overdue=OVERDUE,
            name=name_sql("profile"),
            enough=ENOUGH_TO_COMPARE,
            disagree=DISAGREE.format("profile.used", "coalesce(outlook.replies, 0)"),
            most_days=MOST_DAYS,
            **{verdict.value: RISK.index(verdict) for verdict in Verdict},
            views=", ".join(f"{condition} AS is_{one}" for one, condition in IN_VIEW.items()),
            chosen=" AND ".join(conditions),
            counts=", ".join(f"count(*) FILTER (WHERE is_{one}) AS in_{one}" for one in View),
            order=_order(order).format(outlook=source),
            limit=limit,
        ),
        now=now,
        today=timezone.localdate(now),
        ids=wanted,
        planned=list(planned),
        limits=[one.limit for one in planned.values()],
        used=[one.used for one in planned.values()],
        resets=[one.reset for one in planned.values()],
        plan=plan,
        words=words,
        unnamed=unnamed("#"),
        offset=offset,
        rows=worked_out,
    )


def _order(order: str) -> str:
    """Ties are sorted by name, in both directions of the list."""
    direction = "DESC" if order.startswith("-") else "ASC"
    keys = [f"{key} {direction} NULLS LAST" for key in ORDERS[order.removeprefix("-")]]
    return ", ".join([*keys, *(f"{key} ASC" for key in ORDERS["name"]), "chosen.id"])


def _business(row: Mapping[str, Any], now: datetime) -> Business:
    return Business(
        id=row["id"],
        name=cut(row["name"], LONGEST_NAME),
        plan=row["plan"],
        is_enabled=row["is_enabled"],
        limit=row["limit"],
        used=row["used"],
        share=row["share"],
        last_reset=row["last_reset"],
        resets_on=row["resets_on"],
        is_overdue=row["overdue"],
        subscription_end=row["subscription_end_date"],
        trend=tuple(row["trend"] or ()),
        replies=row["replies"],
        tokens=row["tokens"],
        untracked=row["untracked"],
        unpriced=row["unpriced"],
        costs=reads.costs(row),
        disagrees=row["disagrees"],
        views=frozenset(view for view in View if row[f"is_{view}"]),
        forecast=_forecast(row, now),
    )


def _forecast(row: Mapping[str, Any], now: datetime) -> Forecast:
    """The statement's verdict, with the rate and the band around it."""
    verdict, exhausted_at = RISK[row["verdict"]], row["exhausted_at"]
    rate = None
    if row["mean"] is not None:
        rate = Rate(row["mean"], row["deviation"], row["error"]).times(row["counted_more"])
    if exhausted_at is None:
        return Forecast(verdict, rate)
    edges = band(row["limit"] - row["used"], rate, now) if rate and verdict is not Verdict.OUT else (now, now)
    is_known = row["resets_on"] and not row["overdue"]
    return Forecast(verdict, rate, exhausted_at, *edges, exhausted_at - row["resets_on"] if is_known else None)
