"""System checks, by subject. Importing the modules registers them."""

from waops.checks import connection, settings

__all__ = ["connection", "settings"]
