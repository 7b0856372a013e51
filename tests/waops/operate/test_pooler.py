"""Through a real PgBouncer: the doctor says what it is, and the operators' reads work behind it."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connection
from psycopg import conninfo

from tests.conftest import absent
from tests.waops.operate.conftest import the
from waops.embedded.server import EmbeddedServer
from waops.operate.doctor import diagnose
from waops.operate.snapshots import take_snapshot

PORT = 6432
CONFIGURATION = """
[databases]
* = host={socket} user=postgres

[pgbouncer]
listen_addr =
listen_port = {port}
unix_socket_dir = {home}
auth_type = any
pool_mode = {mode}
ignore_startup_parameters = extra_float_digits
logfile = {home}/log
"""

Bounce = Callable[[str], None]


@pytest.fixture
def bounce(server: EmbeddedServer, committed_database: str) -> Iterator[Bounce]:
    """Sends Django's connection through a pooler of that mode."""
    program = os.environ.get("PGBOUNCER") or shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        absent("no pgbouncer; PGBOUNCER names another")
    home = server.home / "pgbouncer"
    config = connection.settings_dict
    usual = {**config, "OPTIONS": {**config["OPTIONS"]}}
    running: list[subprocess.Popen[bytes]] = []

    def start(mode: str) -> None:
        connection.close()
        home.mkdir()
        file = home / "pgbouncer.ini"
        file.write_text(CONFIGURATION.format(socket=server.socket_dir, port=PORT, home=home, mode=mode))
        account = server.account
        if account:
            os.chown(home, account.uid, account.gid)
        running.append(
            subprocess.Popen(
                [str(program), str(file)],
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
                stderr=subprocess.DEVNULL,
            )
        )
        wait_for(home / f".s.PGSQL.{PORT}")
        config["HOST"], config["PORT"] = str(home), PORT
        config["OPTIONS"].pop("options", None)

    database = conninfo.conninfo_to_dict(committed_database)["dbname"]
    with psycopg.connect(committed_database, autocommit=True) as session:
        session.execute(f"ALTER ROLE postgres IN DATABASE {database} SET search_path = waops, public, extensions")
    yield start
    connection.close()
    config.update(usual)
    for process in running:
        process.terminate()
        process.wait()
    shutil.rmtree(home, ignore_errors=True)


def wait_for(socket: Path) -> None:
    deadline = time.monotonic() + 60
    while not socket.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


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
    assert codes == {"backup.old"}
    assert take_snapshot().figures["tables"]
