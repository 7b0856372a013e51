"""The service's own tables, of the existing database. The app never changes their columns."""

from conversations.models.conversation import HOLD_TEXTS, AIInteraction, Conversation, Message
from conversations.models.instance import AIConfig, AIPersonality, WhatsAppInstance
from conversations.models.optional import CustomerProfile, SupportTeamNumber

__all__ = [
    "HOLD_TEXTS",
    "AIConfig",
    "AIInteraction",
    "AIPersonality",
    "Conversation",
    "CustomerProfile",
    "Message",
    "SupportTeamNumber",
    "WhatsAppInstance",
]
