"""Through a real PgBouncer: the doctor says what it is, and the operators' reads work behind it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import psycopg
import pytest
from django.db import connection

from tests.programs import POOLER_PORT, pgbouncer
from tests.waops.dbops.conftest import the
from waops.dbops.doctor import diagnose
from waops.dbops.snapshots import take_snapshot
from waops.dev.embedded.server import OWNER, EmbeddedServer

Bounce = Callable[[str], None]


@pytest.fixture
def bounce(server: EmbeddedServer, committed_database: str) -> Iterator[Bounce]:
    """Sends Django's connection through a pooler of that mode."""
    config = connection.settings_dict
    usual = {**config, "OPTIONS": {**config["OPTIONS"]}}
    with psycopg.connect(committed_database, autocommit=True) as session:
        path = "waops, public, extensions"
        session.execute(f"ALTER ROLE {OWNER} IN DATABASE {session.info.dbname} SET search_path = {path}")
    with ExitStack() as poolers:

        def start(mode: str) -> None:
            connection.close()
            config["HOST"], config["PORT"] = str(poolers.enter_context(pgbouncer(server, mode, OWNER))), POOLER_PORT
            config["OPTIONS"].pop("options", None)

        yield start
        connection.close()
        config.update(usual)


@pytest.mark.parametrize("mode", ["session", "transaction"])
def test_a_pooler_is_recognised(bounce: Bounce, mode: str) -> None:
    bounce(mode)
    found = the("connection.pooler", diagnose().findings)
    assert found.fix == (f"DATABASE_POOL_MODE={mode}",)


@pytest.mark.parametrize("mode", ["session", "transaction"])
def test_with_the_right_setting_nothing_is_wrong(bounce: Bounce, mode: str, settings) -> None:
    bounce(mode)
    settings.DATABASE_POOL_MODE = mode
    connection.settings_dict["DISABLE_SERVER_SIDE_CURSORS"] = mode == "transaction"
    codes = {finding.code for finding in diagnose().findings}
    assert codes == {"backup.old", "periodic.stopped"}
    assert take_snapshot().figures["tables"]
