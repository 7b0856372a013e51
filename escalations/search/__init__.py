"""Search over cases, conversations and messages."""
