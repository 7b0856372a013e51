"""A message arrived, and its reply is ready; and the turn, which says who answers it."""

from uuid import UUID

from psycopg.types.json import Jsonb

from conversations.legacy import refuse_limit
from tests.conversations.message_path.callers import legacy
from tests.conversations.message_path.callers.answers import ArrivedMessage, StoredReply, Turn
from tests.conversations.message_path.callers.arguments import Interaction, refuse_lease
from waops.database.calls import as_uuid, call, procedure


@procedure(old=legacy.message_arrived)
def message_arrived(
    instance_id: UUID,
    user_phone: str,
    content: str,
    message_id: str | None = None,
    limit: int = 10,
    lease_seconds: int | None = None,
) -> ArrivedMessage:
    """Find, reactivate or create the conversation, store the message, and answer all that the AI needs.

    `limit`: how many recent messages, 0 to 1000; this one is the first. `lease_seconds`, 1 to 86400: ask for the turn.
    Raises CallRefused.
    """
    refuse_limit(limit)
    refuse_lease(lease_seconds)
    return ArrivedMessage.from_json(
        call(
            "public.message_arrived(%s::uuid, %s::text, %s::text, %s::text, %s::integer, %s::integer)",
            as_uuid(instance_id),
            user_phone,
            content,
            message_id,
            limit,
            lease_seconds,
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
    turn: UUID | None = None,
) -> StoredReply:
    """Store the reply, record the interaction, and count the quota and the personality; a duplicate counts nothing.

    `user_id`: the business whose quota counts, by default the owner of the conversation's number. `turn`: the token of
    message_arrived's turn; if it is no longer held, nothing is stored. Raises CallRefused.
    """
    return StoredReply.from_json(
        call(
            "public.reply_ready(%s::uuid, %s::text, %s::text, %s::jsonb, %s::uuid, %s::uuid, %s::uuid)",
            as_uuid(conversation_id),
            content,
            message_id,
            None if interaction is None else Jsonb(interaction),
            user_id and as_uuid(user_id),
            personality_id and as_uuid(personality_id),
            turn and as_uuid(turn),
        )
    )


@procedure(old=legacy.turn_state)
def turn_state(turn: UUID) -> Turn:
    """What the holder of this token may still do, and whether the customer is escalated now. Raises CallRefused."""
    return Turn.from_json(call("public.turn_state(%s::uuid)", as_uuid(turn)))


@procedure(old=legacy.turn_sent)
def turn_sent(turn: UUID) -> Turn:
    """Confirm that the turn's reply was sent. Raises CallRefused."""
    return Turn.from_json(call("public.turn_sent(%s::uuid)", as_uuid(turn)))


@procedure(old=legacy.end_turn)
def end_turn(turn: UUID, outcome: str) -> Turn:
    """End the turn without a reply: "escalated", "refused" or "failed". Its quota is given back. Raises CallRefused."""
    return Turn.from_json(call("public.end_turn(%s::uuid, %s::text)", as_uuid(turn), outcome))
