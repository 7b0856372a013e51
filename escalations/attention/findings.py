"""Kinds of damage, and how each is explained to whoever finds it."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SHOWN = 20
"""Rows of each kind that the page shows."""
COUNTED = 100
"""Rows of each kind up to which they are counted."""


class Kind(Enum):
    """Value: its name in addresses. Beside it the heading, what happened, what the remedy does, its permission."""

    GHOST = (
        "ghosts",
        _("Told “transferred”, but nobody knows"),
        _(
            "The service told these customers in the last 7 days that a person takes over, and wrote no escalation: "
            "it does so where no support number is active. Nobody waits for them here."
        ),
        _("Put into the queue"),
        "escalations.open_escalation",
    )
    DUPLICATE = (
        "duplicates",
        _("Escalated twice"),
        _(
            "These customers have more than one open escalation. The service's own check fails on that, and the AI "
            "answers them again although they wait for a person."
        ),
        _("Close the duplicates, keep the first"),
        "escalations.resolve_escalation",
    )
    DISCONNECTED = (
        "disconnected",
        _("The number is not connected"),
        _(
            "These customers wait at a WhatsApp number that is disconnected or unknown: an answer from it does not "
            "reach them. Ask the business to connect it again, or answer from another number and close the case."
        ),
        _("Resolve"),
        "escalations.resolve_escalation",
    )
    ANSWERED = (
        "answered",
        _("The AI answers although a person should"),
        _(
            "The AI has answered these customers after they were handed over. Read on in the conversation: "
            "if they have what they need, resolve the case, and the AI is theirs again in order."
        ),
        _("Resolve"),
        "escalations.resolve_escalation",
    )
    REASON = (
        "reasons",
        _("Unknown reasons"),
        _(
            "The service gives reasons that this app has no words for, so nobody can tell what they ask of the desk. "
            "Accept a reason when you know what it means."
        ),
        _("Accept this reason"),
        "escalations.add_knownreason",
    )

    def __init__(self, slug: str, heading: Promise, explanation: Promise, remedy: Promise, permission: str) -> None:
        self.slug = slug
        self.heading = heading
        self.explanation = explanation
        self.remedy = remedy
        self.permission = permission

    @classmethod
    def of(cls, slug: str) -> "Kind":
        """Raises ValueError."""
        for kind in cls:
            if kind.slug == slug:
                return kind
        raise ValueError(slug)


@dataclass(frozen=True)
class Item:
    """One thing found. `key` names it to its remedy; `count` is of open cases, where there may be several.

    `case_id` and `conversation_id` are its pages; of a reason, `reason` is all there is.
    """

    key: str
    moment: datetime | None = None
    whatsapp_number: str = ""
    customer_name: str | None = None
    business_name: str | None = None
    number_name: str | None = None
    case_id: UUID | None = None
    conversation_id: UUID | None = None
    reason: str = ""
    count: int = 1


@dataclass(frozen=True)
class Finding:
    """The items of one kind, at most COUNTED of them and one more."""

    kind: Kind
    items: list[Item]

    @property
    def shown(self) -> list[Item]:
        return self.items[:SHOWN]

    @property
    def count(self) -> str:
        return in_digits(len(self.items))

    @property
    def has_more(self) -> bool:
        return len(self.items) > SHOWN


def in_digits(count: int) -> str:
    return f"{COUNTED}+" if count > COUNTED else str(count)


def item_of(case: Any, **values: Any) -> Item:
    """From a case with its people."""
    values = {"key": str(case.pk), "case_id": case.pk, "moment": case.waiting_since, **values}
    names = ("whatsapp_number", "customer_name", "business_name", "number_name")
    return Item(**{name: getattr(case, name) for name in names}, **values)
