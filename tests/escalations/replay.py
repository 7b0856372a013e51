"""What the history of escalations says must have become of them, beside what has."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from escalations.models import Escalation, EscalationState, Event

Kind = Event.Kind
WORDS = (Kind.NOTED, Kind.REPLIED)
"""They change no state."""


@dataclass
class Replay:
    """An escalation, event by event. `problems` are events that could not happen as the escalation then was."""

    claimed_by: int | None = None
    snoozed_by: int | None = None
    resolved_at: datetime | None = None
    version: int = 0
    problems: tuple[str, ...] = ()

    def add(self, event: Event) -> None:
        if not self._fits(event):
            self.problems += (f"{event.kind} by {event.actor_name} at {event.at} after {self}",)
        by_itself = event.kind == Kind.LAPSED or (event.kind == Kind.WOKEN and event.actor_id is None)
        self.version += not by_itself and event.kind not in WORDS
        if event.kind in (*WORDS, Kind.ESCALATED, Kind.RECOVERED):
            return
        self.claimed_by = self.snoozed_by = self.resolved_at = None
        match event.kind:
            case Kind.CLAIMED:
                self.claimed_by = event.actor_id
            case Kind.HANDED_OVER:
                self.claimed_by = event.details["to"]
            case Kind.SNOOZED:
                self.snoozed_by = event.actor_id
            case Kind.RESOLVED:
                self.resolved_at = event.at

    def _fits(self, event: Event) -> bool:
        is_his = self.claimed_by == event.details.get("from", event.actor_id)
        match event.kind:
            case Kind.NOTED | Kind.REPLIED:
                return True
            case Kind.ESCALATED | Kind.RECOVERED:
                return self.version == 0
            case Kind.REOPENED:
                return self.resolved_at is not None
            case Kind.LAPSED:
                return self.claimed_by == event.actor_id
            case Kind.RELEASED:
                return is_his
            case Kind.WOKEN:
                return self.snoozed_by is not None
        return self.resolved_at is None and (is_his or self.claimed_by is None)


def problems() -> Iterator[str]:
    """Of every escalation: where its history cannot be, or does not lead to its state; and two open of one customer."""
    states = EscalationState.objects.in_bulk()
    replays = {escalation.pk: _replayed(escalation.pk) for escalation in Escalation.objects.all()}
    open_customers = []
    for escalation in Escalation.objects.all():
        told, state = replays[escalation.pk], states.get(escalation.pk) or EscalationState(version=0)
        for problem in told.problems:
            yield f"{escalation.pk}: {problem}"
        found = (state.claimed_by_id, state.snoozed_by_id, escalation.resolved_at, state.version)
        if found != (told.claimed_by, told.snoozed_by, told.resolved_at, told.version):
            yield f"{escalation.pk} is {found}, its history says {told}"
        if escalation.resolved_at is None:
            open_customers.append((escalation.instance_id, escalation.whatsapp_number))
    yield from (f"{customer} is open twice" for customer in _repeated(open_customers))


def _replayed(pk: UUID) -> Replay:
    replay = Replay()
    for event in Event.objects.filter(escalation_id=pk).order_by("at", "pk"):
        replay.add(event)
    return replay


def _repeated(items: Iterable[tuple[UUID, str]]) -> Iterator[tuple[UUID, str]]:
    seen = set()
    for item in items:
        if item in seen:
            yield item
        seen.add(item)
