"""System checks, by subject. Importing the modules registers them."""

from waops.checks import connection, drift, pooler, second_factor, settings

__all__ = ["connection", "drift", "pooler", "second_factor", "settings"]
