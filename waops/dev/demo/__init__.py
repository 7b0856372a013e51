"""Demo data: believable businesses, customers, conversations and escalations, in every state the app must show."""

from __future__ import annotations

from waops.dev.demo.errors import AlreadyHasBusinesses, DemoDataError, NotTheOwner, SeedUsedBefore, TablesMissing
from waops.dev.demo.loader import Progress, Stage, Summary, load
from waops.dev.demo.sizes import SIZES

__all__ = [
    "SIZES",
    "AlreadyHasBusinesses",
    "DemoDataError",
    "NotTheOwner",
    "Progress",
    "SeedUsedBefore",
    "Stage",
    "Summary",
    "TablesMissing",
    "load",
]
