"""Call the message path's database functions, one round trip each. See docs/message-path.md for the functions."""

from uuid import UUID

from conversations import legacy
from conversations.answers import ConversationContext
from conversations.legacy import refuse_limit
from waops.database.calls import as_uuid, call, procedure


@procedure(old=legacy.get_conversation_with_context)
def get_conversation_with_context(instance_id: UUID, user_phone: str, limit: int = 10) -> ConversationContext:
    """The customer's active conversation with its newest `limit` messages (0 to 1000), and its context.

    Raises CallRefused; an unknown number or customer gives an empty context.
    """
    refuse_limit(limit)
    return ConversationContext.from_json(
        call(
            "public.get_conversation_with_context(%s::uuid, %s::text, %s::integer)",
            as_uuid(instance_id),
            user_phone,
            limit,
        )
    )
