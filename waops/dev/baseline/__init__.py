"""The deployed database as it is before this app changes it, for development and tests."""

from waops.dev.baseline.loader import BaselineError, DatabaseNotEmpty, SuperuserNeeded, Variant, load

__all__ = ["BaselineError", "DatabaseNotEmpty", "SuperuserNeeded", "Variant", "load"]
