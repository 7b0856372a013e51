"""The legacy path: the separate queries that each database function replaces.

It answers when a function is switched off or broken, so it relies on the service's own tables only: not on our
functions, our counts or our unique index. Nothing but the callers in conversations.procedures and the tests use it.
"""

from conversations.legacy import get_conversation_with_context
from tests.conversations.message_path.callers.legacy.messages import (
    store_message_and_update_conversation,
    store_message_with_update,
    store_messages,
)
from tests.conversations.message_path.callers.legacy.personalities import update_personality_usage_batch
from tests.conversations.message_path.callers.legacy.reads import get_instance_state
from tests.conversations.message_path.callers.legacy.turns import (
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
