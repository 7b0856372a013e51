"""Callers of the message path's stored functions, one round trip each. See docs/message-path.md for the functions."""

from conversations.procedures.messages import (
    store_message_and_update_conversation,
    store_message_with_update,
    store_messages,
)
from conversations.procedures.personalities import update_personality_usage_batch
from conversations.procedures.reads import get_conversation_with_context, get_instance_state
from conversations.procedures.turns import message_arrived, reply_ready

__all__ = [
    "get_conversation_with_context",
    "get_instance_state",
    "message_arrived",
    "reply_ready",
    "store_message_and_update_conversation",
    "store_message_with_update",
    "store_messages",
    "update_personality_usage_batch",
]
