"""The message path from Python: a caller for each stored function, and its legacy path, to compare with it.

The product's own callers are in conversations.procedures and usage.procedures.
"""
