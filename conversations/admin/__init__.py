"""Admin pages of WhatsApp numbers, conversations and AI replies, all read-only."""

from conversations.admin import conversations, instances, optional  # noqa: F401 registers them
