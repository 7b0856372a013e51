"""A page of the overview: the database chooses, sorts and sums up, by the rules of `overview` and `forecast`.

What `overview.choose`, `count_views` and `add_up` do with whole lists in Python, this does in one statement over what
`outlook` keeps; a test holds the two together. Where nothing can be kept, Python does it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Page
from django.utils import timezone
from django.utils.translation import gettext as _

from usage import outlook, overview, reads
from usage.forecast import MOST_DAYS, Verdict
from usage.overview import Business, Totals, View
from usage.requests import page_of
from waops.access import current

PER_PAGE = 50
LAST_PAGE = 1_000_000
"""Further pages are as empty as this one."""

OUT, BEFORE_RESET, LASTS, TOO_LITTLE_DATA, DISABLED = map(
    overview.RISK.index,
    (Verdict.OUT, Verdict.BEFORE_RESET, Verdict.LASTS, Verdict.TOO_LITTLE_DATA, Verdict.DISABLED),
)
IN_VIEW = {
    View.OUT: f"verdict = {OUT}",
    View.BEFORE_RESET: f"verdict = {BEFORE_RESET}",
    View.NEARLY: f"is_enabled AND share >= {overview.NEARLY}",
    View.DISABLED: "NOT is_enabled",
    View.OVERDUE: "is_enabled AND overdue",
    View.DISAGREES: f"is_enabled AND abs(used - replies) > "
    f"greatest({overview.TOLERATED}, {overview.TOLERANCE}::float8 * greatest(used, replies))",
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
    "rate": ("rate",),
    "out": ("exhausted_at",),
    "reset": ("resets_on",),
    "ends": ("subscription_end_date",),
    "replies": ("replies",),
    "tokens": ("tokens",),
    "cost": ("(SELECT max(cost) FROM unnest(costs) AS cost)",),
    "trend": (
        "(SELECT (SELECT sum(replied) FROM unnest(outlook.trend[8:14]) AS replied)"
        " - (SELECT sum(replied) FROM unnest(outlook.trend[1:7]) AS replied)"
        " FROM waops.usage_outlook AS outlook WHERE outlook.business_id = chosen.id)",
    ),
}
"""As overview.ORDERS has them."""

LISTING = """
    WITH profile AS (
        SELECT profile.id, {optional},
               coalesce(profile.monthly_ai_response_limit, 0) AS "limit",
               coalesce(profile.monthly_ai_responses_used, 0) AS used,
               profile.last_responses_reset_date,
               coalesce(
                   date_trunc('month', profile.last_responses_reset_date AT TIME ZONE 'UTC'), '0001-01-01'
               ) AS month
        FROM public.profiles AS profile
        WHERE %(ids)s::uuid[] IS NULL OR profile.id = ANY (%(ids)s)
    ),
    -- When a counter is due depends on the month of its last reset only.
    reset AS MATERIALIZED (
        SELECT known.month, reset.resets_on, reset.overdue
        FROM (SELECT DISTINCT profile.month FROM profile) AS known
        CROSS JOIN LATERAL waops.next_reset(nullif(known.month, '0001-01-01') AT TIME ZONE 'UTC', %(now)s) AS reset
    ),
    stand AS (
        SELECT profile.*, profile.last_responses_reset_date AS last_reset, reset.resets_on, reset.overdue,
               outlook.business_id IS NULL AS is_stale, outlook.currencies, outlook.costs,
               coalesce(outlook.replies, 0) AS replies, coalesce(outlook.tokens, 0) AS tokens,
               coalesce(outlook.untracked, 0) AS untracked, coalesce(outlook.unpriced, 0) AS unpriced,
               outlook.mean, outlook.deviation, outlook.error,
               coalesce(
                   nullif(profile.business_name, ''), nullif(profile.full_name, ''),
                   replace(%(unnamed)s, '#', left(profile.id::text, 8))
               ) AS name,
               coalesce(profile.plan_type, '') AS plan,
               profile."limit" > 0 AND profile.is_active IS NOT FALSE
                   AND coalesce(profile.subscription_end_date > %(now)s, true) AS is_enabled,
               profile.used::float8 / nullif(greatest(profile."limit", 0), 0) AS share,
               outlook.mean * CASE WHEN outlook.replies >= {enough} THEN
                   greatest(1, profile.used::float8 / outlook.replies) ELSE 1 END AS rate
        FROM profile
        JOIN reset ON reset.month = profile.month
        LEFT JOIN waops.usage_outlook AS outlook ON outlook.business_id = profile.id AND {kept}
    ),
    lasting AS (
        SELECT stand.*,
               CASE
                   WHEN NOT is_enabled THEN NULL
                   WHEN used >= "limit" THEN %(now)s::timestamptz
                   WHEN ("limit" - used) / nullif(rate, 0) <= {most_days}
                   THEN %(now)s::timestamptz + make_interval(secs => ("limit" - used) / rate * 86400)
               END AS exhausted_at
        FROM stand
    ),
    business AS MATERIALIZED (
        SELECT lasting.*,
               CASE
                   WHEN NOT is_enabled THEN {disabled}
                   WHEN used >= "limit" THEN {out}
                   WHEN rate IS NULL THEN {too_little_data}
                   WHEN exhausted_at < resets_on THEN {before_reset}
                   ELSE {lasts}
               END AS verdict
        FROM lasting
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
        FROM (SELECT * FROM chosen ORDER BY {order} LIMIT {per_page} OFFSET %(offset)s) AS chosen
    )
    SELECT overall.*, summed.*, spent.*, page.*, outlook.trend
    FROM overall
    CROSS JOIN summed
    CROSS JOIN spent
    LEFT JOIN page ON true
    LEFT JOIN waops.usage_outlook AS outlook ON outlook.business_id = page.id
    ORDER BY page.place
"""


@dataclass(frozen=True)
class Listing:
    """A page of the chosen rows; `counts` and `plans` are those of all rows, `totals` of the chosen."""

    page: Page[Business]
    counts: Mapping[View, int]
    plans: Sequence[str]
    totals: Totals


def listing(
    now: datetime,
    number: int | None = None,
    *,
    view: str = View.ALL,
    plan: str = "",
    search: str = "",
    order: str = "risk",
) -> Listing:
    """Page `number` of what `overview.choose` chooses, as of `now`. Raises BadAddressError where there is no such."""
    filters = {"view": view, "plan": plan, "search": search, "order": order}
    rows = _read(now, number, **filters)
    if rows[0]["stale"] and outlook.refresh(now):
        rows = _read(now, number, **filters)
    if rows[0]["stale"]:
        return _in_python(now, number, **filters)
    first = rows[0]
    found = [overview.judge(row, now) for row in rows if row["id"] is not None]
    # Its length is all that it is asked for: the rows are those of the page already.
    page = page_of(range(first["sum_businesses"]), number, PER_PAGE)
    page.object_list = found
    return Listing(
        page,
        {view: first[f"in_{view}"] for view in View},
        sorted(first["plans"]),
        Totals(
            costs=dict(zip(first["sum_currencies"] or (), first["sum_costs"] or (), strict=True)),
            **{
                name: int(first[f"sum_{name}"])
                for name in ("businesses", "limit", "used", "replies", "tokens", "untracked", "unpriced")
            },
        ),
    )


def _in_python(now: datetime, number: int | None, **filters: str) -> Listing:
    everybody = overview.load(now)
    chosen = overview.choose(everybody, **filters)
    return Listing(
        page_of(chosen, number, PER_PAGE),
        overview.count_views(everybody),
        sorted({one.plan for one in everybody if one.plan}),
        overview.add_up(chosen),
    )


def _read(now: datetime, number: int | None, *, view: str, plan: str, search: str, order: str) -> list[dict[str, Any]]:
    """The page's rows, each with the sums; one row without an id where the page has none."""
    words = search.lower().split()
    conditions = [IN_VIEW[View(view)]]
    if plan:
        conditions.append(PLAN)
    if words:
        conditions.append(SEARCH)
    return reads.read(
        LISTING.format(
            optional=reads.optional_columns(),
            enough=overview.ENOUGH_TO_COMPARE,
            kept=outlook.KEPT,
            most_days=MOST_DAYS,
            disabled=DISABLED,
            out=OUT,
            too_little_data=TOO_LITTLE_DATA,
            before_reset=BEFORE_RESET,
            lasts=LASTS,
            chosen=" AND ".join(conditions),
            counts=", ".join(f"count(*) FILTER (WHERE {condition}) AS in_{one}" for one, condition in IN_VIEW.items()),
            order=_order(order),
            per_page=PER_PAGE,
        ),
        now=now,
        today=timezone.localdate(now),
        ids=current().among(None),
        plan=plan,
        words=words,
        # As str(Profile) names it.
        unnamed=_("No name (%(id)s)") % {"id": "#"},
        offset=PER_PAGE * (min(max(1, number or 1), LAST_PAGE) - 1),
    )


def _order(order: str) -> str:
    """Ties are in the order of names, whichever way the list is sorted."""
    direction = "DESC" if order.startswith("-") else "ASC"
    keys = [f"{key} {direction} NULLS LAST" for key in ORDERS[order.removeprefix("-")]]
    return ", ".join([*keys, *(f"{key} ASC" for key in ORDERS["name"]), "chosen.id"])
