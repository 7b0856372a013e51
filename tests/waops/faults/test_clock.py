"""Clocks that jump, and clocks that differ: the database's, moved under a running server, and this machine's."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.cache import cache
from django.db import connection

from escalations.desk import board
from escalations.models import Escalation, EscalationState
from tests import factories
from tests.conftest import absent
from tests.databases import Databases, django_uses
from tests.http import Person, served
from tests.programs import copy_of, remove
from tests.waops.faults.conftest import QUEUE
from waops.dev.embedded.server import EmbeddedServer


class Clock:
    """How many hours the server's clock is off; it looks at every question."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.move(0)

    def move(self, hours: int) -> None:
        self.file.write_text(f"{hours * 3600:+}")


@pytest.fixture(scope="module")
def moved(server: EmbeddedServer) -> Iterator[tuple[Databases, Clock]]:
    """A copy of the tests' server that believes in another time."""
    library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
    if library is None:
        absent("no libfaketime")
    copy = copy_of(server)
    clock = Clock(copy.home / "clock")
    clock.file.chmod(0o644)
    copy.environment |= {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(clock.file),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_RESET": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
    copy.start()
    yield Databases(copy), clock
    clock.move(0)
    remove(copy)


@pytest.fixture
def clock(moved: tuple[Databases, Clock], django_db_blocker) -> Iterator[Clock]:
    """Django's database has this clock."""
    databases, clock = moved
    clock.move(0)
    with django_db_blocker.unblock(), databases.clone("migrated") as name, django_uses(databases.server, name):
        yield clock


@pytest.fixture
def people(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Person, Person]]:
    users = [factories.staff("Support", "Managers", first_name=name) for name in ("Amal", "Omar")]
    with served(monkeypatch) as port:
        amal, omar = (Person(port, user) for user in users)
        yield amal, omar


def holder(escalation: Escalation) -> str | None:
    state = EscalationState.objects.filter(pk=escalation.pk).first()
    return state and state.claimed_by_name


def test_the_databases_clock_jumps(clock: Clock, people: tuple[Person, Person]) -> None:
    amal, omar = people
    escalation = factories.waiting(minutes=30)
    act = f"{QUEUE}{escalation.pk}/"

    def all_pages_work() -> None:
        for page in (
            QUEUE,
            f"{QUEUE}?view=today",
            f"{act}change/",
            f"{QUEUE}reports/",
            f"{QUEUE}live/",
            "/usage/profile/",
        ):
            assert amal.get(page).status == 200, page

    assert amal.post(f"{act}claim/").status == 302
    assert holder(escalation) == "Amal"
    clock.move(+3)  # the claim has run out
    all_pages_work()
    assert omar.post(f"{act}claim/").status == 302
    assert holder(escalation) == "Omar"
    clock.move(-3)  # the claim is from the future, and holds
    all_pages_work()
    assert amal.post(f"{act}claim/").status == 302
    assert holder(escalation) == "Omar"
    assert omar.post(f"{act}resolve/").status == 302
    all_pages_work()
    assert Escalation.objects.get(pk=escalation.pk).resolved_at
    assert omar.post(f"{act}reopen/").status == 302
    all_pages_work()
    clock.move(+24 * 40)  # past the first of a month
    all_pages_work()
    business = factories.business(monthly_ai_responses_used=1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT public.check_and_update_ai_usage(%s, true), now()", [business.pk])
        answer, now = cursor.fetchone()
    answer = json.loads(answer) if isinstance(answer, str) else answer
    assert answer["used"] == 2
    assert answer["resetsOn"] > now.isoformat()


@pytest.mark.parametrize("hours", [-2, 2])
def test_who_arrives_is_announced_whatever_this_machines_clock_says(
    clock: Clock, people: tuple[Person, Person], hours: int
) -> None:
    clock.move(hours)
    amal, _ = people
    page = amal.get(QUEUE).text
    since = page.partition('data-since="')[2].partition('"')[0].replace("+", "%2B")
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO public.escalated_conversations (whatsapp_number) VALUES ('201000000001')")
    cache.delete(board.KEY)  # the board of a moment ago is kept
    assert len(json.loads(amal.get(f"{QUEUE}live/?since={since}").text)["arrived"]) == 1
    assert json.loads(amal.get(f"{QUEUE}live/").text)["arrived"] == {}
