"""What the desk deals in: cases, and what the queue can be narrowed to."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from django.db.models import QuerySet

from escalations.models import Escalation

NO_REASON = "none-given"


class Case(Protocol):
    """An escalation with what every read adds, and what the reads of single cases add."""

    pk: UUID
    whatsapp_number: str
    instance_id: UUID | None
    resolved_at: datetime | None
    waiting_since: datetime | None
    why: str | None
    conversation_id: UUID | None
    kept: str | None


Cases = QuerySet[Escalation]
"""The functions of `queries` say what each adds."""


class State(StrEnum):
    OPEN = "open"
    RESOLVED = "resolved"


@dataclass(frozen=True)
class Criteria:
    """`text` is a customer's name, or a phone number in any written form; NO_REASON as `reason` finds those without."""

    state: State = State.OPEN
    text: str = ""
    business: UUID | None = None
    number: UUID | None = None
    reason: str = ""

    @property
    def is_narrowed(self) -> bool:
        return bool(self.text or self.business or self.number or self.reason)


@dataclass(frozen=True)
class Facet:
    """How many cases one number of one business has for one reason."""

    business_id: UUID | None
    business_name: str | None
    instance_id: UUID | None
    number_name: str | None
    why: str | None
    cases: int
