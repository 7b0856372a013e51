"""This app's models, each defined in the package it belongs to. All are in schema `waops`."""

from waops.access.log import AccessRecord
from waops.access.people import User
from waops.accounts.models import SignInEvent
from waops.admin.once import UsedKey
from waops.database.incidents import Incident
from waops.database.tracing import FunctionTrace, TraceLine
from waops.dbops.adoption import AdoptionReading
from waops.dbops.models import (
    AcceptedDrift,
    Backup,
    ChecklistTick,
    ExplainBaseline,
    Operations,
    PeriodicRun,
    Snapshot,
)
from waops.schema.models import ArchivedRow, InstalledObject

__all__ = [
    "AcceptedDrift",
    "AccessRecord",
    "AdoptionReading",
    "ArchivedRow",
    "Backup",
    "ChecklistTick",
    "ExplainBaseline",
    "FunctionTrace",
    "Incident",
    "InstalledObject",
    "Operations",
    "PeriodicRun",
    "SignInEvent",
    "Snapshot",
    "TraceLine",
    "UsedKey",
    "User",
]
