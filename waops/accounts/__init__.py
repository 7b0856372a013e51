"""Logging in: login history and second factor."""
