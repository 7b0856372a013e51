"""Replies to customers, each sent through the WhatsApp gateway at most once."""
