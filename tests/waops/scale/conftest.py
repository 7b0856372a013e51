"""A replica that really follows the tests' server, and people at a web server that has both."""

from collections.abc import Iterator
from copy import deepcopy

import psycopg
import pytest
from django.db import connection, connections

from tests import factories
from tests.http import Person, served
from tests.programs import copy_of, remove, wait_until
from waops.database import replica
from waops.dev.embedded.server import SUPERUSER, EmbeddedServer


class Standby:
    """A streaming replica; `pause` lets it fall behind."""

    def __init__(self, primary: EmbeddedServer, server: EmbeddedServer) -> None:
        self.primary, self.server = primary, server

    def ask(self, server: EmbeddedServer, query: str) -> str:
        with psycopg.connect(server.dsn(SUPERUSER), autocommit=True) as session:
            return str(session.execute(query).fetchone()[0])

    def pause(self) -> None:
        self.ask(self.server, "SELECT pg_wal_replay_pause()")
        wait_until(lambda: self.ask(self.server, "SELECT pg_get_wal_replay_pause_state()") == "paused")

    def resume(self) -> None:
        self.ask(self.server, "SELECT pg_wal_replay_resume()")

    def catch_up(self) -> None:
        self.resume()
        place = self.ask(self.primary, "SELECT pg_current_wal_lsn()")
        wait_until(lambda: self.ask(self.server, f"SELECT pg_last_wal_replay_lsn() >= '{place}'") == "True")


@pytest.fixture(scope="module")
def standby(server: EmbeddedServer) -> Iterator[Standby]:
    copy = copy_of(server, standby=True)
    copy.start()
    yield Standby(server, copy)
    remove(copy)


@pytest.fixture
def replicated(
    standby: Standby, committed_database: str, monkeypatch: pytest.MonkeyPatch, settings
) -> Iterator[Standby]:
    """Django's `replica`, of the database that is its `default`. It has caught up, and nothing is noted yet."""
    config = deepcopy(connection.settings_dict)
    config["HOST"] = str(standby.server.socket_dir)
    monkeypatch.setitem(connections.settings, replica.ALIAS, config)
    monkeypatch.setattr(replica, "watch", replica.Watch())
    monkeypatch.setattr(replica, "LATEST_SECONDS", 600)  # a busy machine may need more than ten for a page
    standby.catch_up()
    yield standby
    standby.catch_up()
    replica.leave()
    connections[replica.ALIAS].close()
    del connections[replica.ALIAS]


@pytest.fixture
def amal(replicated: Standby, monkeypatch: pytest.MonkeyPatch) -> Iterator[Person]:
    user = factories.staff("Support", "Managers", "Operators", first_name="Amal")
    with served(monkeypatch) as port:
        yield Person(port, user)
