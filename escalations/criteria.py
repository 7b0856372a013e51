"""What the desk deals in: cases, and what the queue can be narrowed to."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from django.db.models import QuerySet

from escalations.models import Escalation

if TYPE_CHECKING:
    from conversations.models import WhatsAppInstance
    from escalations.case import LastAnswer

NO_REASON = "none-given"


class Case(Protocol):
    """An escalation with what every read adds, and what the reads of single cases add."""

    pk: UUID
    whatsapp_number: str
    instance_id: UUID | None
    instance: "WhatsAppInstance | None"
    resolved_at: datetime | None
    waiting_since: datetime | None
    why: str | None
    customer_name: str | None
    business_name: str | None
    number_name: str | None
    conversation_id: UUID | None
    business_id: UUID | None
    kept: str | None
    answer: "LastAnswer | None"
    read_at: datetime
    version: int
    claimant_id: int | None
    claimant: str | None
    is_snoozed: bool


Cases = QuerySet[Escalation]
"""The functions of `queries` say what each adds."""


class View(StrEnum):
    """The lists of the queue. Whoever snoozed a case has put it out of sight: only SNOOZED shows it."""

    MINE = "mine"
    UNCLAIMED = "unclaimed"
    OPEN = "open"
    SNOOZED = "snoozed"
    TODAY = "today"
    RESOLVED = "resolved"

    @property
    def is_open(self) -> bool:
        return self not in (View.TODAY, View.RESOLVED)


@dataclass(frozen=True)
class Criteria:
    """`text` is a customer's name, or a phone number in any written form; NO_REASON as `reason` finds those without.

    `language` is "ar" or "en": whether the customer's last message holds Arabic letters; `minutes` the least wait;
    `claimant` the id of who has claimed it.
    """

    view: View = View.OPEN
    text: str = ""
    business: UUID | None = None
    number: UUID | None = None
    reason: str = ""
    language: str = ""
    minutes: int | None = None
    claimant: int | None = None

    @property
    def is_narrowed(self) -> bool:
        return any((self.text, self.business, self.number, self.reason, self.language, self.minutes, self.claimant))


@dataclass(frozen=True)
class Facet:
    """How many cases one number of one business has for one reason, claimed by one person."""

    business_id: UUID | None
    business_name: str | None
    instance_id: UUID | None
    number_name: str | None
    why: str | None
    claimant_id: int | None
    claimant: str | None
    cases: int
