"""People, and escalations of customers with a conversation."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, TypeVar

import pytest
from django.db import connection

from escalations.models import Escalation, EscalationState, Event
from tests import factories
from waops.models import User

T = TypeVar("T")


@pytest.fixture
def salma(db) -> User:
    return factories.staff("Support", username="salma", first_name="Salma", last_name="Hassan")


@pytest.fixture
def omar(db) -> User:
    return factories.staff("Support", username="omar", first_name="Omar", last_name="Ali")


@pytest.fixture
def manager(db) -> User:
    return factories.staff("Managers", "Support", username="mona", first_name="Mona", last_name="Adel")


@pytest.fixture
def escalation(db) -> Escalation:
    return factories.waiting(minutes=30)


def history(escalation: Escalation) -> list[tuple[str, str]]:
    """What happened and who did it, oldest first."""
    events = Event.objects.filter(escalation_id=escalation.pk).order_by("at", "pk")
    return [(event.kind, event.actor_name) for event in events]


def details(escalation: Escalation, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = Event.objects.filter(escalation_id=escalation.pk, kind=kind).order_by("-at").first().details
    return found


def let_lease_run_out(*escalations: Escalation) -> None:
    states = EscalationState.objects.filter(pk__in=[escalation.pk for escalation in escalations])
    assert states.update(claimed_at=factories.ago(minutes=20), lease_until=factories.ago(minutes=10)) == len(
        escalations
    )


def at_once(calls: Iterable[Callable[[], T]]) -> list[T]:
    """Results of calls that begin at the same moment, each on a separate connection."""
    calls = list(calls)
    barrier = Barrier(len(calls))

    def run(call: Callable[[], T]) -> T:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=30)
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))
