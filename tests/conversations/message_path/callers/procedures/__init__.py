"""Call the message path's database functions, one round trip each. See docs/message-path.md for the functions."""

from conversations.procedures import get_conversation_with_context
from tests.conversations.message_path.callers.procedures.messages import (
    store_message_and_update_conversation,
    store_message_with_update,
    store_messages,
)
from tests.conversations.message_path.callers.procedures.personalities import update_personality_usage_batch
from tests.conversations.message_path.callers.procedures.reads import get_instance_state
from tests.conversations.message_path.callers.procedures.turns import (
    end_turn,
    message_arrived,
    reply_ready,
    turn_sent,
    turn_state,
)

__all__ = [
    "end_turn",
    "get_conversation_with_context",
    "get_instance_state",
    "message_arrived",
    "reply_ready",
    "store_message_and_update_conversation",
    "store_message_with_update",
    "store_messages",
    "turn_sent",
    "turn_state",
    "update_personality_usage_batch",
]
