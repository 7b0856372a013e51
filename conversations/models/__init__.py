"""The service's own tables, whose columns the app never changes, and the app's turns."""

from conversations.models.conversation import HOLD_TEXTS, REPLIES, AIInteraction, Conversation, Message
from conversations.models.instance import AIConfig, AIPersonality, WhatsAppInstance
from conversations.models.optional import CustomerProfile, SupportTeamNumber
from conversations.models.turn import Turn

__all__ = [
    "HOLD_TEXTS",
    "REPLIES",
    "AIConfig",
    "AIInteraction",
    "AIPersonality",
    "Conversation",
    "CustomerProfile",
    "Message",
    "SupportTeamNumber",
    "Turn",
    "WhatsAppInstance",
]
