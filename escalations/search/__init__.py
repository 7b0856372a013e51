"""Search in escalations, conversations and messages."""
