"""Messages stored twice, which stop the unique index on (conversation_id, message_id)."""

from collections.abc import Sequence
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from waops.repair import ARCHIVE, Group, Repair

# A message without an id is never a duplicate.
FIND = """
    SELECT conversation_id::text, message_id, pg_catalog.array_agg(id::text ORDER BY "timestamp", id)
    FROM public.whatsapp_conversation_messages
    WHERE message_id IS NOT NULL
    GROUP BY conversation_id, message_id HAVING pg_catalog.count(*) > 1
    ORDER BY conversation_id, message_id
"""

# Also the first of each key: were it deleted elsewhere meanwhile, its copies would no longer be copies.
LOCK = """
    SELECT FROM public.whatsapp_conversation_messages AS message
    JOIN ROWS FROM (unnest(%(conversations)s::uuid[]), unnest(%(messages)s::text[]))
        AS key (conversation_id, message_id)
        ON key.conversation_id = message.conversation_id AND key.message_id = message.message_id
    ORDER BY message.id
    FOR UPDATE OF message
"""

REMOVE = f"""
    WITH ranked AS (
        SELECT message.id,
               pg_catalog.row_number() OVER (
                   PARTITION BY message.conversation_id, message.message_id ORDER BY message."timestamp", message.id
               ) AS place
        FROM public.whatsapp_conversation_messages AS message
        JOIN ROWS FROM (unnest(%(conversations)s::uuid[]), unnest(%(messages)s::text[]))
            AS key (conversation_id, message_id)
            ON key.conversation_id = message.conversation_id AND key.message_id = message.message_id
    ),
    removed AS (
        DELETE FROM public.whatsapp_conversation_messages AS message USING ranked
        WHERE message.id = ranked.id AND ranked.place > 1
        RETURNING message.id, pg_catalog.to_jsonb(message) AS content
    )
    INSERT INTO {ARCHIVE} ("table", row_id, "row", repair, archived_at)
    SELECT 'whatsapp_conversation_messages', id, content, %(repair)s, pg_catalog.now() FROM removed
"""  # noqa: S608


class DuplicateMessages(Repair):
    """Keeps the first message of each (conversation_id, message_id), by time and id; removes the others."""

    name = "repair_duplicate_messages"
    table = "whatsapp_conversation_messages"
    key = ("conversation_id", "message_id")

    def find(self, connection: BaseDatabaseWrapper) -> list[Group]:
        with connection.cursor() as cursor:
            cursor.execute(FIND)
            return [Group((conversation, message), ids[0], ids[1:]) for conversation, message, ids in cursor.fetchall()]

    def apply(self, connection: BaseDatabaseWrapper, groups: Sequence[Group]) -> int:
        keys: dict[str, Any] = {
            "conversations": [group.key[0] for group in groups],
            "messages": [group.key[1] for group in groups],
            "repair": self.name,
        }
        with connection.cursor() as cursor:
            cursor.execute(LOCK, keys)
            cursor.execute(REMOVE, keys)
            return int(cursor.rowcount)
