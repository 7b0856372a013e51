"""Read what the AI must know."""

from uuid import UUID

from conversations import legacy
from conversations.answers import ConversationContext, InstanceState
from conversations.arguments import refuse_limit
from waops.procedures import as_uuid, call, procedure


@procedure(old=legacy.get_conversation_with_context)
def get_conversation_with_context(instance_id: UUID, user_phone: str, limit: int = 10) -> ConversationContext:
    """The customer's active conversation with its newest `limit` messages (0 to 1000), and all around it.

    Raises CallRefused; an unknown number or customer is an empty context.
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


@procedure(old=legacy.get_instance_state)
def get_instance_state(instance_id: UUID, user_phone: str) -> InstanceState:
    """Whether a human has the customer, the number's settings, and the last five answers. Raises CallRefused."""
    return InstanceState.from_json(
        call("public.get_instance_state(%s::uuid, %s::text)", as_uuid(instance_id), user_phone)
    )
