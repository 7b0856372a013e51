"""Store expensive per-business figures in `usage_outlook`; recomputed when stale.

A reader checks for figures that are missing, or from another day or period, and has them computed first. The
computation holds the lock of `waops.refresh_usage`, so nothing is counted between reading the counts and storing the
figures.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.db import InternalError, OperationalError, connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone
from psycopg.errors import LockNotAvailable, ReadOnlySqlTransaction

from usage import reads
from usage.forecast import daily_rate
from usage.rollup import PERIOD

PATIENCE = "2s"
"""How long a page waits for a running count before it computes the figures itself, without storing them."""
TREND_DAYS = 14
"""Days before today whose replies are in a trend."""

# Returns the previous timeout.
LOCK = """
    SELECT pg_catalog.current_setting('lock_timeout'), pg_catalog.set_config('lock_timeout', %s, true),
           pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('waops.usage', 0))
"""
KEPT = "outlook.day = %(today)s::date AND outlook.last_reset IS NOT DISTINCT FROM profile.last_responses_reset_date"
STALE = f"""
    SELECT profile.id
    FROM public.profiles AS profile
    LEFT JOIN waops.usage_outlook AS outlook ON outlook.business_id = profile.id AND {KEPT}
    WHERE outlook.business_id IS NULL AND (%(ids)s::uuid[] IS NULL OR profile.id = ANY (%(ids)s))
"""  # noqa: S608
GONE = """
    DELETE FROM waops.usage_outlook AS outlook
    WHERE NOT EXISTS (SELECT FROM public.profiles AS profile WHERE profile.id = outlook.business_id)
"""
BUSINESSES = f"""
    WITH trend AS (
        SELECT instance.user_id AS business_id,
               array_agg(%(today)s::date - counted.day) AS ages,
               array_agg(counted.replies) AS replies
        FROM waops.usage_usagebyday AS counted
        JOIN public.whatsapp_instances AS instance ON instance.id = counted.instance_id
        WHERE counted.day BETWEEN %(today)s::date - %(days)s::integer AND %(today)s::date
          AND (%(ids)s::uuid[] IS NULL OR instance.user_id = ANY (%(ids)s))
        GROUP BY instance.user_id
    ),
    part AS (
        SELECT profile.id AS business_id, price.currency,
               sum(counted.replies) FILTER (WHERE this.period) AS replies,
               sum(counted.total_tokens) FILTER (WHERE this.period) AS tokens,
               sum(counted.untracked) FILTER (WHERE this.period) AS untracked,
               sum(
                   counted.prompt_tokens * price.input_per_million
                   + counted.completion_tokens * price.output_per_million
               ) FILTER (WHERE this.period) / 1000000 AS cost,
               sum(counted.replies) AS ever
        FROM public.profiles AS profile
        JOIN public.whatsapp_instances AS instance ON instance.user_id = profile.id
        JOIN waops.usage_usagebyperiod AS counted ON counted.instance_id = instance.id
        LEFT JOIN waops.usage_price AS price ON price.id = counted.price_id
        CROSS JOIN LATERAL (
            SELECT counted.period >= {PERIOD.format("profile.last_responses_reset_date")} AS period
        ) AS this
        WHERE %(ids)s::uuid[] IS NULL OR profile.id = ANY (%(ids)s)
        GROUP BY profile.id, price.currency
    ),
    spent AS (
        SELECT business_id,
               sum(ever)::bigint AS ever,
               sum(replies)::bigint AS replies,
               sum(tokens)::bigint AS tokens,
               sum(untracked)::bigint AS untracked,
               coalesce(sum(replies) FILTER (WHERE currency IS NULL), 0)::bigint AS unpriced,
               array_agg(currency::text ORDER BY currency)
                   FILTER (WHERE replies <> 0 AND cost IS NOT NULL) AS currencies,
               array_agg(cost ORDER BY currency)
                   FILTER (WHERE replies <> 0 AND cost IS NOT NULL) AS costs
        FROM part
        GROUP BY business_id
    )
    SELECT profile.id, profile.last_responses_reset_date AS last_reset,
           trend.ages, trend.replies AS daily,
           coalesce(spent.ever, 0) AS ever, coalesce(spent.replies, 0) AS replies, coalesce(spent.tokens, 0) AS tokens,
           coalesce(spent.untracked, 0) AS untracked, coalesce(spent.unpriced, 0) AS unpriced,
           coalesce(spent.currencies, '{{}}') AS currencies, coalesce(spent.costs, '{{}}') AS costs
    FROM public.profiles AS profile
    LEFT JOIN trend ON trend.business_id = profile.id
    LEFT JOIN spent ON spent.business_id = profile.id
    WHERE %(ids)s::uuid[] IS NULL OR profile.id = ANY (%(ids)s)
"""  # noqa: S608
COLUMNS = ("last_reset", "trend", "replies", "tokens", "untracked", "unpriced", "currencies", "costs")
RATE = ("mean", "deviation", "error")
KEEP = f"""
    INSERT INTO waops.usage_outlook (business_id, day, {", ".join((*COLUMNS, *RATE))})
    VALUES (%s, %s, {", ".join(["%s"] * len((*COLUMNS, *RATE)))})
    ON CONFLICT (business_id) DO UPDATE SET
        day = excluded.day, {", ".join(f"{name} = excluded.{name}" for name in (*COLUMNS, *RATE))}
"""  # noqa: S608
WORKED_OUT = """
    worked_out AS MATERIALIZED (
        SELECT * FROM jsonb_populate_recordset(NULL::waops.usage_outlook, %(rows)s::jsonb)
    ),
"""
"""The same rows from the result of `work_out`."""


def refresh(now: datetime, ids: Sequence[UUID] | None = None) -> bool:
    """Store the stale figures of these businesses, or of all. False if they cannot be stored now."""
    try:
        with transaction.atomic():
            _refresh(now, ids)
    except (InternalError, OperationalError) as error:
        if isinstance(error.__cause__, ReadOnlySqlTransaction | LockNotAvailable):
            return False
        raise
    return True


def work_out(now: datetime, ids: Sequence[UUID] | None = None) -> str:
    """What `refresh` would store for these businesses, as JSON."""
    names = ("replies", "tokens", "untracked", "unpriced", "currencies", "costs", "trend", *RATE)
    rows = [
        {"business_id": row["id"], **{name: row[name] for name in names}}
        for row in _figures(ids, timezone.localdate(now))
    ]
    return json.dumps(rows, cls=DjangoJSONEncoder)


def _refresh(now: datetime, ids: Sequence[UUID] | None) -> None:
    today = timezone.localdate(now)
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [PATIENCE])
        cursor.execute("SELECT pg_catalog.set_config('lock_timeout', %s, true)", [cursor.fetchone()[0]])
        cursor.execute(GONE)
        cursor.execute(STALE, {"today": today, "ids": None if ids is None else list(ids)})
        stale = [pk for (pk,) in cursor.fetchall()]
        rows = _figures(stale, today, using=connection)
        cursor.executemany(KEEP, [[row["id"], today, *(row[name] for name in (*COLUMNS, *RATE))] for row in rows])


def _figures(
    ids: Sequence[UUID] | None, today: date, *, using: BaseDatabaseWrapper | None = None
) -> list[dict[str, Any]]:
    rows = reads.read(BUSINESSES, using=using, today=today, days=TREND_DAYS, ids=ids)
    return [row | _measured(row) for row in rows]


def _measured(row: Mapping[str, Any]) -> dict[str, Any]:
    """`trend`, and the rate of the recorded replies, None if there is too little data."""
    trend = [0] * (TREND_DAYS + 1)
    for age, replies in zip(row["ages"] or (), row["daily"] or (), strict=True):
        trend[-1 - age] += replies
    rate = daily_rate(_full_days(trend, answered_before=row["ever"] > sum(trend)))
    return {"trend": trend, **{name: getattr(rate, name, None) for name in RATE}}


def _full_days(trend: list[int], *, answered_before: bool) -> list[int]:
    """The full days, latest first, from the first day with replies; all of them if there were earlier replies."""
    days = trend[-2::-1]
    known = max((age + 1 for age, replies in enumerate(days) if replies), default=0)
    return days[: len(days) if answered_before else known]
