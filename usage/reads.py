"""What the quota pages read, one statement each: all businesses, one business, customers who got no answer."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.postgres import types

from waops.access import current
from waops.live_schema import live_tables
from waops.replica import reading

JSONB = types["jsonb"].oid
TREND_DAYS = 14
"""Days before today whose replies come with a business."""

OPTIONAL_COLUMNS = {
    "plan_type": "text",
    "is_active": "boolean",
    "subscription_end_date": "timestamptz",
    "business_name": "text",
    "full_name": "text",
}
"""Columns of `profiles` that a deployment may lack."""

BUSINESSES = """
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
            SELECT counted.period >= coalesce(profile.last_responses_reset_date, to_timestamp(0)) AS period
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
               array_agg(currency::text ORDER BY currency) FILTER (WHERE cost IS NOT NULL) AS currencies,
               array_agg(cost ORDER BY currency) FILTER (WHERE cost IS NOT NULL) AS costs
        FROM part
        GROUP BY business_id
    )
    SELECT profile.id, {optional},
           coalesce(profile.monthly_ai_response_limit, 0) AS limit,
           coalesce(profile.monthly_ai_responses_used, 0) AS used,
           profile.last_responses_reset_date AS last_reset,
           reset.resets_on, reset.overdue,
           trend.ages, trend.replies AS daily,
           coalesce(spent.ever, 0) AS ever, coalesce(spent.replies, 0) AS replies, coalesce(spent.tokens, 0) AS tokens,
           coalesce(spent.untracked, 0) AS untracked, coalesce(spent.unpriced, 0) AS unpriced,
           spent.currencies, spent.costs
    FROM public.profiles AS profile
    CROSS JOIN LATERAL waops.next_reset(profile.last_responses_reset_date, %(now)s) AS reset
    LEFT JOIN trend ON trend.business_id = profile.id
    LEFT JOIN spent ON spent.business_id = profile.id
    WHERE %(ids)s::uuid[] IS NULL OR profile.id = ANY (%(ids)s)
"""

SILENCE = """
    SELECT instance.user_id AS business_id,
           min(silent.since) AS since,
           count(unanswered.messages) AS customers,
           coalesce(sum(unanswered.messages), 0)::bigint AS messages
    FROM public.whatsapp_instances AS instance
    JOIN public.profiles AS profile ON profile.id = instance.user_id
    LEFT JOIN LATERAL (
        SELECT counted.last_at
        FROM waops.usage_usagebyday AS counted
        WHERE counted.instance_id = instance.id AND counted.replies > 0
        ORDER BY counted.day DESC
        LIMIT 1
    ) AS latest ON true
    CROSS JOIN LATERAL (
        SELECT coalesce(latest.last_at, profile.last_responses_reset_date, profile.created_at) AS since
    ) AS silent
    LEFT JOIN public.whatsapp_conversations AS conversation
        ON conversation.instance_id = instance.id AND conversation.last_activity > silent.since
    LEFT JOIN LATERAL (
        SELECT nullif(count(*), 0) AS messages
        FROM public.whatsapp_conversation_messages AS message
        WHERE message.conversation_id = conversation.id
          AND message.role = 'user'
          AND message.timestamp > silent.since
          AND NOT EXISTS (
              SELECT FROM public.whatsapp_conversation_messages AS reply
              WHERE reply.conversation_id = conversation.id
                AND reply.timestamp > message.timestamp
                AND reply.role = 'assistant'
          )
    ) AS unanswered ON true
    WHERE instance.user_id = ANY (%(ids)s)
    GROUP BY instance.user_id
"""


@dataclass(frozen=True)
class Silence:
    """Since the AI's last answer: customers who wrote and got nothing, and what they wrote."""

    since: datetime
    customers: int
    messages: int


def read(query: str, *, using: BaseDatabaseWrapper | None = None, **values: Any) -> list[dict[str, Any]]:
    """Rows by column name. Django's cursors leave JSON as text; here it is read."""
    with (using or reading()).cursor() as cursor:
        cursor.execute(query, values)
        names = [column.name for column in cursor.description]
        json_names = [column.name for column in cursor.description if column.type_code == JSONB]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    for row in rows:
        row.update({name: json.loads(row[name]) for name in json_names if row[name] is not None})
    return rows


def businesses(
    now: datetime, today: date, ids: Iterable[UUID] | None = None, *, using: BaseDatabaseWrapper | None = None
) -> list[dict[str, Any]]:
    """Every business, or these, with quota, reset, replies per day, and what the period has cost so far."""
    wanted = current().among(ids)
    query = BUSINESSES.format(optional=optional_columns())
    return read(query, using=using, now=now, today=today, days=TREND_DAYS, ids=wanted)


def optional_columns() -> str:
    """The select list of OPTIONAL_COLUMNS, null where the deployment lacks one."""
    present = live_tables().get("profiles", frozenset())
    return ", ".join(
        f"profile.{name}::{type_}" if name in present else f"NULL::{type_} AS {name}"
        for name, type_ in OPTIONAL_COLUMNS.items()
    )


def silence(ids: Iterable[UUID]) -> dict[UUID, Silence]:
    """By business, of those that have a WhatsApp number."""
    wanted = current().among(ids)
    if not wanted:
        return {}
    rows = read(SILENCE, ids=wanted)
    return {row["business_id"]: Silence(row["since"], row["customers"], row["messages"]) for row in rows}


def costs(row: Mapping[str, Any]) -> dict[str, Decimal]:
    """Amounts by currency."""
    return dict(zip(row["currencies"] or (), row["costs"] or (), strict=True))
