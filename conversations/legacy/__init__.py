"""The old path: what each stored function does, as the several queries it replaces.

It answers when a function is switched off or broken, so it relies on the service's own tables only: not on our
functions, our counts or our unique index. Nothing but the callers in conversations.procedures and the tests use it.
"""

from conversations.legacy.messages import (
    store_message_and_update_conversation,
    store_message_with_update,
    store_messages,
)
from conversations.legacy.personalities import update_personality_usage_batch
from conversations.legacy.reads import get_conversation_with_context, get_instance_state
from conversations.legacy.turns import message_arrived, reply_ready

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
