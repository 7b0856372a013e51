"""The two turns of a conversation: a message arrived, and its reply is ready."""

from uuid import UUID

from psycopg.types.json import Jsonb

from conversations import legacy
from conversations.answers import ArrivedMessage, StoredReply
from conversations.arguments import Interaction, refuse_limit
from waops.procedures import as_uuid, call, procedure


@procedure(old=legacy.message_arrived)
def message_arrived(
    instance_id: UUID, user_phone: str, content: str, message_id: str | None = None, limit: int = 10
) -> ArrivedMessage:
    """Find, reactivate or create the conversation, store the message, and answer all that the AI needs.

    `limit`: how many recent messages, 0 to 1000; this one is the first. Raises CallRefused.
    """
    refuse_limit(limit)
    return ArrivedMessage.from_json(
        call(
            "public.message_arrived(%s::uuid, %s::text, %s::text, %s::text, %s::integer)",
            as_uuid(instance_id),
            user_phone,
            content,
            message_id,
            limit,
        )
    )


@procedure(old=legacy.reply_ready)
def reply_ready(
    conversation_id: UUID,
    content: str,
    message_id: str | None = None,
    interaction: Interaction | None = None,
    user_id: UUID | None = None,
    personality_id: UUID | None = None,
) -> StoredReply:
    """Store the reply, record the interaction, and count the quota and the personality; a duplicate counts nothing.

    `user_id`: the business whose quota counts, by default the owner of the conversation's number. Raises CallRefused.
    """
    return StoredReply.from_json(
        call(
            "public.reply_ready(%s::uuid, %s::text, %s::text, %s::jsonb, %s::uuid, %s::uuid)",
            as_uuid(conversation_id),
            content,
            message_id,
            None if interaction is None else Jsonb(interaction),
            user_id and as_uuid(user_id),
            personality_id and as_uuid(personality_id),
        )
    )
