"""What callers of the message path pass, and what of it is refused before anything is sent."""

from typing import Any, NotRequired, TypedDict

from waops.procedures import INVALID_ARGUMENT, NULL_NOT_ALLOWED, CallRefused

ROLES = ("user", "assistant")
MESSAGE_ID_LENGTH = 512
PHONE_LENGTH = 255
BATCH_SIZE = 1000
RECENT_LIMIT = 1000
INTERACTIONS = 5


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


def refuse_null(**arguments: object) -> None:
    """Raise CallRefused that names the first argument that is None."""
    for name, value in arguments.items():
        if value is None:
            raise CallRefused(f"{name} must not be null", NULL_NOT_ALLOWED)


def refuse_message(conversation_id: object, role: str, content: str, message_id: str | None) -> None:
    """Raise CallRefused as store_message_with_update does for what is no message."""
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


def refuse_limit(limit: int) -> None:
    refuse_null(p_limit=limit)
    if not 0 <= limit <= RECENT_LIMIT:
        raise CallRefused(f"p_limit must be from 0 to {RECENT_LIMIT}, not {limit}", INVALID_ARGUMENT)


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
