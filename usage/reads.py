"""Queries of the quota pages; customers without a reply."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.postgres import types

from waops.access.readers import current
from waops.database.live_schema import live_tables
from waops.database.replica import reading

JSONB = types["jsonb"].oid

OPTIONAL_COLUMNS = {
    "plan_type": "text",
    "is_active": "boolean",
    "subscription_end_date": "timestamptz",
    "business_name": "text",
    "full_name": "text",
}
"""Columns of `profiles` that a deployment may lack."""

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
        WHERE counted.instance_id = instance.id AND counted.replies > 0 AND counted.last_at <= now()
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
    """Since the last AI reply: customers who wrote without an answer, and the number of their messages."""

    since: datetime
    customers: int
    messages: int


def read(query: str, *, using: BaseDatabaseWrapper | None = None, **values: Any) -> list[dict[str, Any]]:
    """The rows of a query by column name. Django's cursors return JSON as text; it is parsed here."""
    with (using or reading()).cursor() as cursor:
        cursor.execute(query, values)
        names = [column.name for column in cursor.description]
        json_names = [column.name for column in cursor.description if column.type_code == JSONB]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    for row in rows:
        row.update({name: json.loads(row[name]) for name in json_names if row[name] is not None})
    return rows


def optional_columns() -> str:
    """The select list of OPTIONAL_COLUMNS, NULL for columns the deployment lacks."""
    present = live_tables().get("profiles", frozenset())
    return ", ".join(
        f"profile.{name}::{type_}" if name in present else f"NULL::{type_} AS {name}"
        for name, type_ in OPTIONAL_COLUMNS.items()
    )


def silence(ids: Iterable[UUID]) -> dict[UUID, Silence]:
    """Silence by business, for those that have a WhatsApp number."""
    wanted = current().among(ids)
    if not wanted:
        return {}
    rows = read(SILENCE, ids=wanted)
    return {row["business_id"]: Silence(row["since"], row["customers"], row["messages"]) for row in rows}


def costs(row: Mapping[str, Any]) -> dict[str, Decimal]:
    """Amounts by currency."""
    return dict(zip(row["currencies"] or (), row["costs"] or (), strict=True))
