"""What the case's page offers to choose from: read once in a while, for all who look."""

from dataclasses import dataclass
from typing import cast

from django.core.cache import cache
from django.db import connection

from escalations.action_forms import colleagues
from escalations.models import CannedNote, ClosingOutcome
from waops.models import User

SECONDS = 30
"""How long a change may go unseen."""


@dataclass(frozen=True)
class Choices:
    outcomes: list[ClosingOutcome]
    canned_notes: list[CannedNote]
    colleagues: list[User]


def choices() -> Choices:
    """Active outcomes and canned notes in their order, and whoever may claim cases."""
    key = f"waops:desk-choices:{connection.settings_dict['NAME']}"
    return cast(Choices, cache.get_or_set(key, _read, SECONDS))


def _read() -> Choices:
    return Choices(
        list(ClosingOutcome.objects.filter(is_active=True)),
        list(CannedNote.objects.filter(is_active=True)),
        list(colleagues()),
    )
