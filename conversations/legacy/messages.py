"""Store messages: look for the message, insert it, count, read the conversation, update it."""

from datetime import datetime, timedelta
from math import ceil
from uuid import UUID

from django.db import IntegrityError, transaction
from psycopg.types.json import Jsonb

from conversations.answers import StoredMessage, StoredMessages
from conversations.arguments import GivenMessage, refuse_batch, refuse_message, refuse_null
from conversations.legacy.queries import execute, fetch, fetch_one, fetch_value
from waops.procedures import DOES_NOT_EXIST, CallRefused, as_uuid

LOCK = "SELECT now() FROM public.whatsapp_conversations WHERE id = %s FOR NO KEY UPDATE"
FIND = """
    SELECT id, "timestamp" FROM public.whatsapp_conversation_messages WHERE conversation_id = %s AND message_id = %s
    ORDER BY "timestamp", id LIMIT 1
"""
INSERT = """
    INSERT INTO public.whatsapp_conversation_messages
        (conversation_id, "timestamp", role, content, message_id, metadata)
    VALUES (%s, %s, %s, %s, %s, %s) RETURNING id, "timestamp"
"""
COUNT = "SELECT count(*) FROM public.whatsapp_conversation_messages WHERE conversation_id = %s"
UPDATE = """
    WITH found AS (
        SELECT id, CASE
            WHEN jsonb_typeof(conversation_data) = 'object' THEN conversation_data
            WHEN conversation_data IS NULL OR conversation_data = 'null' THEN '{}'
            ELSE jsonb_build_object('value', conversation_data)
        END AS data
        FROM public.whatsapp_conversations WHERE id = %s
    ), opened AS (
        SELECT id, data, CASE
            WHEN jsonb_typeof(data -> 'context') = 'object' THEN data -> 'context'
            WHEN data -> 'context' IS NULL OR data -> 'context' = 'null' THEN '{}'
            ELSE jsonb_build_object('value', data -> 'context')
        END AS context
        FROM found
    )
    UPDATE public.whatsapp_conversations AS conversation
    SET last_activity = now(), conversation_data = opened.data || jsonb_build_object(
        'context',
        opened.context || jsonb_build_object(
            'last_update', now(), 'message_count', %s::bigint, 'last_message_role', %s::text
        )
    )
    FROM opened WHERE conversation.id = opened.id
"""


def store_message_with_update(
    conversation_id: UUID, role: str, content: str, message_id: str | None = None
) -> StoredMessage:
    conversation_id = as_uuid(conversation_id)
    refuse_message(conversation_id, role, content, message_id)
    with transaction.atomic():
        now = lock(conversation_id)
        found, duplicate = insert(conversation_id, now, now, role, content, message_id)
        count = fetch_value(COUNT, conversation_id)
        if not duplicate:
            touch(conversation_id, count, role)
    return StoredMessage(conversation_id, found[0], count, duplicate, found[1])


def store_message_and_update_conversation(
    conversation_id: UUID, role: str, content: str, message_id: str | None = None
) -> None:
    store_message_with_update(conversation_id, role, content, message_id)


def store_messages(conversation_id: UUID, messages: list[GivenMessage]) -> StoredMessages:
    conversation_id = as_uuid(conversation_id)
    refuse_null(p_conversation_id=conversation_id, p_messages=messages)
    refuse_batch(messages)
    found: list[tuple[tuple[UUID, datetime], bool]] = []
    with transaction.atomic():
        now = lock(conversation_id)
        for place, given in enumerate(messages, 1):
            stamp = now - timedelta(microseconds=len(messages) - place)
            found.append(insert(conversation_id, now, stamp, given["role"], given["content"], given.get("message_id")))
        new_roles = [given["role"] for given, (_, duplicate) in zip(messages, found, strict=True) if not duplicate]
        count = fetch_value(COUNT, conversation_id)
        if new_roles:
            touch(conversation_id, count, new_roles[-1])
    return StoredMessages(
        conversation_id,
        count,
        stored=len(new_roles),
        duplicates=len(messages) - len(new_roles),
        messages=tuple(StoredMessage(conversation_id, row[0], count, duplicate, row[1]) for row, duplicate in found),
    )


def lock(conversation_id: UUID) -> datetime:
    """Lock the conversation until the end of the transaction; answers the transaction's time."""
    now: datetime | None = fetch_value(LOCK, conversation_id)
    if now is None:
        raise CallRefused(f"Conversation {conversation_id} does not exist", DOES_NOT_EXIST)
    return now


def insert(
    conversation_id: UUID, now: datetime, stamp: datetime, role: str, content: str, message_id: str | None
) -> tuple[tuple[UUID, datetime], bool]:
    """Id and time of the message, and whether it was there before."""
    message_id = message_id or None
    if message_id and (found := fetch(FIND, conversation_id, message_id)):
        return (found[0], found[1]), True
    metadata = Jsonb({"estimated_tokens": ceil(len(content) / 4), "timestamp": now.isoformat()})
    try:
        with transaction.atomic():
            stored_id, stored_at = fetch_one(INSERT, conversation_id, stamp, role, content, message_id, metadata)
            return (stored_id, stored_at), False
    except IntegrityError:
        # Somebody who does not lock conversations has delivered it in between.
        if not message_id or not (found := fetch(FIND, conversation_id, message_id)):
            raise
        return (found[0], found[1]), True


def touch(conversation_id: UUID, count: int, role: str) -> None:
    """Note in the conversation that messages were stored; all else that its data holds survives."""
    execute(UPDATE, conversation_id, count, role)
