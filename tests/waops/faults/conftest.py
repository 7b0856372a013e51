"""A separate server for tests that break servers, with a separate database that the app serves."""

from collections.abc import Callable, Iterator

import psycopg
import pytest
from django.db import connection

from escalations.models import Escalation, EscalationState
from tests import factories
from tests.databases import Databases, django_uses
from tests.http import Person, served
from tests.programs import copy_of, remove
from waops.dev.embedded.server import SUPERUSER, EmbeddedServer
from waops.models import User

QUEUE = "/escalations/escalation/"


@pytest.fixture(scope="session")
def spare(server: EmbeddedServer) -> Iterator[Databases]:
    """A copy of the tests' server, to stop, starve and fill."""
    copy = copy_of(server)
    copy.start()
    yield Databases(copy)
    copy.start()
    remove(copy)


@pytest.fixture
def database(spare: Databases, django_db_blocker) -> Iterator[str]:
    """Name of a migrated database on the spare server that Django uses; what is committed stays until the end."""
    with django_db_blocker.unblock(), spare.clone("migrated") as name, django_uses(spare.server, name):
        yield name


@pytest.fixture
def superuser_dsn(spare: Databases, database: str) -> str:
    return spare.server.dsn(SUPERUSER, database)


@pytest.fixture
def superuser(superuser_dsn: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(superuser_dsn, autocommit=True) as session:
        yield session


@pytest.fixture
def user(database: str) -> User:
    return factories.staff("Support", "Managers", "Operators", first_name="Amal")


@pytest.fixture
def escalation(database: str) -> Escalation:
    return factories.waiting(minutes=30)


@pytest.fixture
def port(database: str, user: User, escalation: Escalation, monkeypatch: pytest.MonkeyPatch, settings) -> Iterator[int]:
    with served(monkeypatch) as port:
        yield port


@pytest.fixture
def amal(port: int, user: User) -> Person:
    return Person(port, user)


@pytest.fixture
def claim(amal: Person, escalation: Escalation) -> Callable[[], int]:
    """Amal claims the escalation: status of the answer."""
    return lambda: amal.post(f"{QUEUE}{escalation.pk}/claim/").status


def claims(escalation: Escalation) -> int:
    """How many hold the escalation: none or one."""
    connection.close()  # the server may have been another one since
    return EscalationState.objects.filter(pk=escalation.pk, claimed_by__isnull=False).count()
