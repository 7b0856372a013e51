"""The service's own tables, of the existing database. The app never changes their columns."""

from conversations.models.conversation import AIInteraction, Conversation, Message
from conversations.models.instance import AIConfig, AIPersonality, WhatsAppInstance
from conversations.models.optional import CustomerProfile, SupportTeamNumber

__all__ = [
    "AIConfig",
    "AIInteraction",
    "AIPersonality",
    "Conversation",
    "CustomerProfile",
    "Message",
    "SupportTeamNumber",
    "WhatsAppInstance",
]
