"""What the desk's stored functions answer."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Outcome(StrEnum):
    """What became of one case: the first ten are done, the others refused, with nothing changed."""

    CLAIMED = "claimed"
    RENEWED = "renewed"
    RELEASED = "released"
    HANDED_OVER = "handed_over"
    SNOOZED = "snoozed"
    WOKEN = "woken"
    NOTED = "noted"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    ESCALATED = "escalated"

    NOT_FOUND = "not_found"
    ALREADY_RESOLVED = "already_resolved"
    HELD = "held"
    """A colleague's claim is live."""
    NOT_HELD = "not_held"
    """The person's own claim is over, or never was; for a release: nobody's is live."""
    NOT_SNOOZED = "not_snoozed"
    NOT_RESOLVED = "not_resolved"
    ALREADY_OPEN = "already_open"
    """The customer has an open escalation, `other_id`."""
    ESCALATED_SINCE = "escalated_since"
    """The customer was escalated again, and that is resolved too: `other_id`."""
    NOTE_REQUIRED = "note_required"
    STALE = "stale"
    """The case is not as the page showed it."""


DONE = frozenset(list(Outcome)[: list(Outcome).index(Outcome.NOT_FOUND)])


@dataclass(frozen=True)
class Result:
    """What became of one case, and the act that explains it: one's own, or that of whoever was first.

    Refused, `kind` (of Event), `at`, `actor_id` and `actor_name` tell who has claimed it, has resolved it or changed it
    last; if there is `other_id`, that case. No `actor_name`: it was done outside this app, or nobody did anything yet.
    `until` is when the claim or the snooze ends that the case now has. `version` is what the next action of the same
    page expects; `merged` counts duplicates that were closed along.
    """

    escalation_id: UUID | None
    whatsapp_number: str | None
    outcome: Outcome
    kind: str | None = None
    at: datetime | None = None
    actor_id: int | None = None
    actor_name: str | None = None
    until: datetime | None = None
    version: int = 0
    other_id: UUID | None = None
    merged: int = 0

    @property
    def is_done(self) -> bool:
        return self.outcome in DONE
