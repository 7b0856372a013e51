"""System checks, by subject. Importing the modules registers them."""

from waops.checks import connection, drift, pooler, settings

__all__ = ["connection", "drift", "pooler", "settings"]
