"""Store messages."""

from uuid import UUID

from psycopg.types.json import Jsonb

from tests.conversations.message_path.callers import legacy
from tests.conversations.message_path.callers.answers import StoredMessage, StoredMessages
from tests.conversations.message_path.callers.arguments import GivenMessage
from waops.database.calls import as_uuid, call, procedure


@procedure(old=legacy.store_message_with_update)
def store_message_with_update(
    conversation_id: UUID, role: str, content: str, message_id: str | None = None
) -> StoredMessage:
    """Store one message, `role` "user" or "assistant", and bring its conversation up to date.

    A message id that the conversation has already is answered with the first message, as a duplicate.
    Raises CallRefused.
    """
    return StoredMessage.from_json(
        call(
            "public.store_message_with_update(%s::uuid, %s::text, %s::text, %s::text)",
            as_uuid(conversation_id),
            role,
            content,
            message_id,
        )
    )


@procedure(old=legacy.store_message_and_update_conversation)
def store_message_and_update_conversation(
    conversation_id: UUID, role: str, content: str, message_id: str | None = None
) -> None:
    """The same without an answer. Raises CallRefused."""
    call(
        "public.store_message_and_update_conversation(%s::uuid, %s::text, %s::text, %s::text)",
        as_uuid(conversation_id),
        role,
        content,
        message_id,
    )


@procedure(old=legacy.store_messages)
def store_messages(conversation_id: UUID, messages: list[GivenMessage]) -> StoredMessages:
    """Store at most 1000 messages of one conversation, oldest first; duplicates are left out. Raises CallRefused."""
    return StoredMessages.from_json(
        call("public.store_messages(%s::uuid, %s::jsonb)", as_uuid(conversation_id), Jsonb(messages))
    )
