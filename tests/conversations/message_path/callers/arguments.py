"""What callers of the message path pass, and what of it is refused before anything is sent."""

from typing import Any, NotRequired, TypedDict

from conversations.legacy import PHONE_LENGTH, refuse_null
from waops.database.calls import INVALID_ARGUMENT, CallRefused

ROLES = ("user", "assistant")
MESSAGE_ID_LENGTH = 512
BATCH_SIZE = 1000
LONGEST_LEASE = 86_400
OUTCOMES = ("escalated", "refused", "failed")


class GivenMessage(TypedDict):
    """A message of a batch. Without `message_id` it is never a duplicate."""

    role: str
    content: str
    message_id: NotRequired[str | None]


class Interaction(TypedDict):
    """What the AI was asked and what it cost. The answer itself is the reply."""

    user_message: str
    context_token_count: NotRequired[int]
    search_result_count: NotRequired[int]
    response_model: NotRequired[str]
    prompt_tokens: NotRequired[int]
    completion_tokens: NotRequired[int]
    total_tokens: NotRequired[int]
    metadata: NotRequired[dict[str, Any]]


def refuse_message(conversation_id: object, role: str, content: str, message_id: str | None) -> None:
    """Raise CallRefused for an invalid message, as store_message_with_update does."""
    refuse_null(p_conversation_id=conversation_id, p_role=role, p_content=content)
    if role not in ROLES:
        raise CallRefused(f'p_role must be "user" or "assistant", not "{role[:50]}"', INVALID_ARGUMENT)
    if message_id is not None and len(message_id) > MESSAGE_ID_LENGTH:
        raise CallRefused(
            f"p_message_id has {len(message_id)} characters; at most {MESSAGE_ID_LENGTH} are allowed",
            INVALID_ARGUMENT,
        )


def refuse_phone(user_phone: str) -> None:
    if not 1 <= len(user_phone) <= PHONE_LENGTH:
        raise CallRefused(
            f"p_user_phone has {len(user_phone)} characters; 1 to {PHONE_LENGTH} are allowed", INVALID_ARGUMENT
        )


def refuse_turn(turn: object, outcome: str = OUTCOMES[0]) -> None:
    refuse_null(p_turn=turn, p_outcome=outcome)
    if outcome not in OUTCOMES:
        raise CallRefused(
            f'p_outcome must be "escalated", "refused" or "failed", not "{outcome[:50]}"', INVALID_ARGUMENT
        )


def refuse_lease(lease_seconds: int | None) -> None:
    if lease_seconds is not None and not 1 <= lease_seconds <= LONGEST_LEASE:
        raise CallRefused(f"p_lease_seconds must be from 1 to {LONGEST_LEASE}, not {lease_seconds}", INVALID_ARGUMENT)


def refuse_batch(messages: list[GivenMessage]) -> None:
    if len(messages) > BATCH_SIZE:
        raise CallRefused(
            f"p_messages has {len(messages)} elements; at most {BATCH_SIZE} are allowed", INVALID_ARGUMENT
        )
    for place, message in enumerate(messages, 1):
        if not _is_message(message):
            raise CallRefused(f"Element {place} of p_messages is no message", INVALID_ARGUMENT)


def _is_message(message: object) -> bool:
    if not isinstance(message, dict):
        return False
    message_id = message.get("message_id")
    return (
        message.get("role") in ROLES
        and isinstance(message.get("content"), str)
        and (message_id is None or (isinstance(message_id, str) and len(message_id) <= MESSAGE_ID_LENGTH))
    )


def refuse_interaction(interaction: Interaction) -> None:
    if not isinstance(interaction, dict) or not isinstance(interaction.get("user_message"), str):
        raise CallRefused("p_interaction must be a JSON object with the text user_message", INVALID_ARGUMENT)
