"""Pages of WhatsApp numbers, conversations and the AI's answers; nothing can be changed here."""

from conversations.admin import conversations, instances, optional  # noqa: F401 registers them
