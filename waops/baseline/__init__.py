"""The deployed database as it is before this app touches it, for development and tests."""

from waops.baseline.loader import BaselineError, DatabaseNotEmpty, SuperuserNeeded, Variant, load

__all__ = ["BaselineError", "DatabaseNotEmpty", "SuperuserNeeded", "Variant", "load"]
