"""Kinds of problems, and how each is explained to staff."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Self
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SHOWN = 20
"""Rows of each kind that the page shows."""
COUNTED = 100
"""Rows of each kind are counted up to this number."""


class Kind(Enum):
    """A kind of problem. Its value is its name in addresses; it also has a heading, what happened, what the fix does,
    and the permission for it. With an empty fix, each item is decided on its own page.
    """

    MISSED = (
        "missed",
        _("Told they were transferred, but not in the queue"),
        _(
            "In the last 30 days the service told these customers that a person would take over, but created no "
            "escalation, because no support number was active. No one is handling them."
        ),
        _("Put in the queue"),
        "escalations.open_escalation",
    )
    DUPLICATE = (
        "duplicates",
        _("Escalated twice"),
        _(
            "These customers have several open escalations. The service's check fails in that case, so the AI "
            "replies to them although they are waiting for a person."
        ),
        _("Close duplicates, keep the first"),
        "escalations.resolve_escalation",
    )
    DISCONNECTED = (
        "disconnected",
        _("WhatsApp number not connected"),
        _(
            "These customers are waiting on a WhatsApp number that is disconnected or unknown, so replies from it "
            "do not reach them. Ask the business to reconnect it, or reply from another number and resolve the "
            "escalation."
        ),
        _("Resolve"),
        "escalations.resolve_escalation",
    )
    ANSWERED = (
        "answered",
        _("The AI replies instead of a person"),
        _(
            "The AI replied to these customers after they were escalated. Read the conversation: if they have what "
            "they need, resolve the escalation and the AI takes over again."
        ),
        _("Resolve"),
        "escalations.resolve_escalation",
    )
    UNANSWERED = (
        "unanswered",
        _("Unanswered"),
        _(
            "In the last 7 days the service started to reply to these customers and did not finish. It will not "
            "retry. Read the conversation and put the customer in the queue."
        ),
        _("Put in the queue"),
        "escalations.open_escalation",
    )
    UNCONFIRMED = (
        "unconfirmed",
        _("Sending not confirmed"),
        _(
            "The AI reply is in the conversation, but nothing confirms that WhatsApp sent it. It is not sent again "
            "automatically. Check in WhatsApp whether it arrived; if not, put the customer in the queue."
        ),
        _("Put in the queue"),
        "escalations.open_escalation",
    )
    UNKNOWN_REPLY = (
        "replies",
        _("Replies that may not have arrived"),
        _(
            "The gateway did not say whether it sent these replies. They are not sent again automatically, and these "
            "customers get no other reply until someone decides. Open each, check WhatsApp, and decide there."
        ),
        "",
        "escalations.reply_escalation",
    )
    REASON = (
        "reasons",
        _("Unknown reasons"),
        _(
            "The service uses reasons that this app has no label for, so staff cannot tell what to do. Accept a "
            "reason once you know what it means."
        ),
        _("Accept this reason"),
        "escalations.add_knownreason",
    )

    def __init__(
        self, slug: str, heading: Promise, explanation: Promise, remedy: Promise | str, permission: str
    ) -> None:
        self.slug = slug
        self.heading = heading
        self.explanation = explanation
        self.remedy = remedy
        self.permission = permission

    @property
    def is_resolved(self) -> bool:
        """Whether the fix is to resolve: with a preview, a note, an outcome and undo, as in the queue."""
        return self in (Kind.DISCONNECTED, Kind.ANSWERED)

    @classmethod
    def of(cls, slug: str) -> "Kind":
        """The kind with that name. Raises ValueError."""
        for kind in cls:
            if kind.slug == slug:
                return kind
        raise ValueError(slug)


@dataclass(frozen=True)
class Item:
    """One problem. `key` identifies it for its fix; `count` is the number of open escalations, if there may
    be several.

    `escalation_id` and `conversation_id` lead to its pages; a reason has only `reason`.
    """

    key: str
    moment: datetime | None = None
    whatsapp_number: str = ""
    customer_name: str | None = None
    business_name: str | None = None
    number_name: str | None = None
    escalation_id: UUID | None = None
    conversation_id: UUID | None = None
    reason: str = ""
    count: int = 1

    @property
    def alone(self) -> list[Self]:
        return [self]


@dataclass(frozen=True)
class Finding:
    """The items of one kind, at most COUNTED of them plus one."""

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


def item_of(escalation: Any, **values: Any) -> Item:
    """The item for an escalation that was read `with_people`."""
    values = {"key": str(escalation.pk), "escalation_id": escalation.pk, "moment": escalation.waiting_since, **values}
    names = ("whatsapp_number", "customer_name", "business_name", "number_name")
    return Item(**{name: getattr(escalation, name) for name in names}, **values)
