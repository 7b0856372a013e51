"""Customers with two open escalations, which stop the unique index on open ones."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper

from waops.repair import ARCHIVE, Group, Repair

HISTORY = f"{settings.APP_SCHEMA}.escalations_event"

# Rows without an instance are no duplicates to the unique index.
FIND = """
    SELECT instance_id::text, whatsapp_number,
           pg_catalog.array_agg(id::text ORDER BY escalated_at NULLS LAST, created_at NULLS LAST, id)
    FROM public.escalated_conversations
    WHERE resolved_at IS NULL AND instance_id IS NOT NULL
    GROUP BY instance_id, whatsapp_number HAVING pg_catalog.count(*) > 1
    ORDER BY instance_id, whatsapp_number
"""

LOCK = """
    SELECT FROM public.escalated_conversations AS escalation
    JOIN ROWS FROM (unnest(%(instances)s::uuid[]), unnest(%(numbers)s::text[]))
        AS key (instance_id, whatsapp_number)
        ON key.instance_id = escalation.instance_id AND key.whatsapp_number = escalation.whatsapp_number
    WHERE escalation.resolved_at IS NULL
    ORDER BY escalation.id
    FOR UPDATE OF escalation
"""

# A microsecond apart, and later than what was resolved before: a customer's rows must differ in resolved_at.
CLOSE = f"""
    WITH ranked AS (
        SELECT escalation.id,
               pg_catalog.to_jsonb(escalation) AS content,
               pg_catalog.row_number() OVER customer AS place,
               pg_catalog.first_value(escalation.id) OVER customer AS kept,
               GREATEST(
                   pg_catalog.clock_timestamp(),
                   (
                       SELECT pg_catalog.max(earlier.resolved_at) FROM public.escalated_conversations AS earlier
                       WHERE earlier.whatsapp_number = escalation.whatsapp_number
                         AND earlier.instance_id = escalation.instance_id
                   )
               ) AS base
        FROM public.escalated_conversations AS escalation
        JOIN ROWS FROM (unnest(%(instances)s::uuid[]), unnest(%(numbers)s::text[]))
            AS key (instance_id, whatsapp_number)
            ON key.instance_id = escalation.instance_id AND key.whatsapp_number = escalation.whatsapp_number
        WHERE escalation.resolved_at IS NULL
        WINDOW customer AS (
            PARTITION BY escalation.instance_id, escalation.whatsapp_number
            ORDER BY escalation.escalated_at NULLS LAST, escalation.created_at NULLS LAST, escalation.id
        )
    ),
    closed AS (
        UPDATE public.escalated_conversations AS escalation
        SET resolved_at = ranked.base + ranked.place * interval '1 microsecond'
        FROM ranked
        WHERE escalation.id = ranked.id AND ranked.place > 1
        RETURNING escalation.id, escalation.instance_id, escalation.whatsapp_number, escalation.resolved_at,
                  ranked.kept, ranked.content
    ),
    archived AS (
        INSERT INTO {ARCHIVE} ("table", row_id, "row", repair, archived_at)
        SELECT 'escalated_conversations', id, content, %(repair)s, pg_catalog.now() FROM closed
    )
    INSERT INTO {HISTORY} (escalation_id, instance_id, whatsapp_number, kind, at, actor_name, details)
    SELECT id, instance_id, whatsapp_number, 'merged', resolved_at, 'repair',
           pg_catalog.jsonb_build_object('into', kept)
    FROM closed
"""  # noqa: S608


class DuplicateEscalations(Repair):
    """Keeps the longest-waiting open escalation of a customer and closes the others, with an entry in the history."""

    name = "repair_duplicate_escalations"
    table = "escalated_conversations"
    key = ("instance_id", "whatsapp_number")

    def find(self, connection: BaseDatabaseWrapper) -> list[Group]:
        with connection.cursor() as cursor:
            cursor.execute(FIND)
            return [Group((instance, number), ids[0], ids[1:]) for instance, number, ids in cursor.fetchall()]

    def apply(self, connection: BaseDatabaseWrapper, groups: Sequence[Group]) -> int:
        keys: dict[str, Any] = {
            "instances": [group.key[0] for group in groups],
            "numbers": [group.key[1] for group in groups],
            "repair": self.name,
        }
        with connection.cursor() as cursor:
            cursor.execute(LOCK, keys)
            cursor.execute(CLOSE, keys)
            return int(cursor.rowcount)
