"""Store messages: look for the message, insert it, count, read the conversation, update it."""

from datetime import datetime, timedelta
from math import ceil
from uuid import UUID

from django.db import DatabaseError, IntegrityError, transaction
from psycopg.types.json import Jsonb

from conversations.legacy import refuse_null
from tests.conversations.message_path.callers.answers import StoredMessage, StoredMessages
from tests.conversations.message_path.callers.arguments import GivenMessage, refuse_batch, refuse_message
from tests.conversations.message_path.callers.legacy.queries import DOES_NOT_EXIST, execute, fetch, fetch_value
from waops.database.calls import CallRefused, as_uuid

LOCK = "SELECT id FROM public.whatsapp_conversations WHERE id = %s FOR NO KEY UPDATE"
# Later than every earlier message, also with overlapping calls; times in the far future are ignored.
MOMENT = """
    SELECT greatest(
        now(),
        CASE
            WHEN last_activity < now() + interval '1 day' THEN last_activity + %(places)s * interval '1 microsecond'
        END,
        (
            SELECT "timestamp" + %(places)s * interval '1 microsecond' FROM public.whatsapp_conversation_messages
            WHERE conversation_id = %(id)s AND "timestamp" < now() + interval '1 day' AND "timestamp" > '-infinity'
            ORDER BY "timestamp" DESC LIMIT 1
        )
    )
    FROM public.whatsapp_conversations WHERE id = %(id)s
"""
FIND = """
    SELECT id, "timestamp" FROM public.whatsapp_conversation_messages WHERE conversation_id = %s AND message_id = %s
    ORDER BY "timestamp", id LIMIT 1
"""
INSERT = """
    INSERT INTO public.whatsapp_conversation_messages
        (conversation_id, "timestamp", role, content, message_id, metadata)
    VALUES (%s, %s, %s, %s, %s, %s) RETURNING id, "timestamp"
"""
DISCARDED = "The message was not stored: a trigger on whatsapp_conversation_messages discarded it"
COUNT = "SELECT count(*) FROM public.whatsapp_conversation_messages WHERE conversation_id = %s"
UPDATE = """
    WITH found AS (
        SELECT id, CASE
            WHEN jsonb_typeof(conversation_data) = 'object' THEN conversation_data
            WHEN conversation_data IS NULL OR conversation_data = 'null' THEN '{}'
            ELSE jsonb_build_object('value', conversation_data)
        END AS data
        FROM public.whatsapp_conversations WHERE id = %(id)s
    ), opened AS (
        SELECT id, data, CASE
            WHEN jsonb_typeof(data -> 'context') = 'object' THEN data -> 'context'
            WHEN data -> 'context' IS NULL OR data -> 'context' = 'null' THEN '{}'
            ELSE jsonb_build_object('value', data -> 'context')
        END AS context
        FROM found
    )
    UPDATE public.whatsapp_conversations AS conversation
    SET last_activity = CASE
        WHEN last_activity < now() + interval '1 day' THEN greatest(last_activity, %(moment)s) ELSE %(moment)s
    END, conversation_data = opened.data || jsonb_build_object(
        'context',
        opened.context || jsonb_build_object(
            'last_update', %(moment)s, 'message_count', %(count)s::bigint, 'last_message_role', %(role)s::text
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
            touch(conversation_id, found[1], count, role)
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
        now = lock(conversation_id, len(messages))
        for place, given in enumerate(messages, 1):
            stamp = now - timedelta(microseconds=len(messages) - place)
            found.append(insert(conversation_id, now, stamp, given["role"], given["content"], given.get("message_id")))
        new_roles = [given["role"] for given, (_, duplicate) in zip(messages, found, strict=True) if not duplicate]
        count = fetch_value(COUNT, conversation_id)
        if new_roles:
            touch(conversation_id, now, count, new_roles[-1])
    return StoredMessages(
        conversation_id,
        count,
        stored=len(new_roles),
        duplicates=len(messages) - len(new_roles),
        messages=tuple(StoredMessage(conversation_id, row[0], count, duplicate, row[1]) for row, duplicate in found),
    )


def lock(conversation_id: UUID, places: int = 1) -> datetime:
    """Lock the conversation until the end of the transaction; answers the time of the last of `places` new messages."""
    if fetch(LOCK, conversation_id) is None:
        raise CallRefused(f"Conversation {conversation_id} does not exist", DOES_NOT_EXIST)
    moment: datetime = fetch_value(MOMENT, {"places": places, "id": conversation_id})
    return moment


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
            stored = fetch(INSERT, conversation_id, stamp, role, content, message_id, metadata)
            if stored is None:
                raise DatabaseError(DISCARDED)
            return (stored[0], stored[1]), False
    except IntegrityError:
        # A writer that does not lock conversations delivered it in the meantime.
        if not message_id or not (found := fetch(FIND, conversation_id, message_id)):
            raise
        return (found[0], found[1]), True


def touch(conversation_id: UUID, moment: datetime, count: int, role: str) -> None:
    """Note in the conversation that messages were stored; all else that its data holds survives."""
    execute(UPDATE, {"id": conversation_id, "moment": moment, "count": count, "role": role})
