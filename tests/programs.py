"""Real programs beside the database's server that tests start and stop."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from tests.conftest import absent
from waops.dev.embedded.server import SUPERUSER, EmbeddedServer

PATH = f"{os.environ['PATH']}:/usr/sbin"
SECONDS = 60


def wait_until(condition: Callable[[], object], seconds: float = SECONDS) -> None:
    """Fails if the condition is not met in that time, however busy the machine."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def program(name: str) -> str:
    """Where it is; a variable such as PGBOUNCER names another. CI has it, elsewhere the test is skipped without it."""
    variable = name.upper().replace("-", "_")
    found = os.environ.get(variable) or shutil.which(name, path=PATH)
    if found is None:
        absent(f"no {name}; {variable} names another")
    return str(found)


def copy_of(server: EmbeddedServer, *options: str, standby: bool = False) -> EmbeddedServer:
    """Another server with all that this one has, not started yet; `standby`: it goes on following it."""
    home = Path(tempfile.mkdtemp(prefix="waops-copy-"))
    copy = EmbeddedServer(home, binaries=server.binaries, options=(*server.options, *options))
    copy._make_home()
    arguments = ["--host", str(server.socket_dir), "--username", SUPERUSER, "--pgdata", str(copy.data_dir)]
    mode = ["--write-recovery-conf"] if standby else []
    copy._check(copy._run("pg_basebackup", *arguments, "--checkpoint", "fast", "--no-sync", *mode))
    return copy


def remove(server: EmbeddedServer) -> None:
    server.release()
    shutil.rmtree(server.home)


class Redis:
    """A Redis server that can be stopped and started again at the same address."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = free_port()
        self.url = f"rediscache://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self.home)]
        self._process = subprocess.Popen([program("redis-server"), *options], stdout=subprocess.DEVNULL)
        wait_until(self._answers)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        with redis.Redis(port=self.port) as client:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False


@contextmanager
def pgbouncer(server: EmbeddedServer, mode: str, *roles: str) -> Iterator[Path]:
    """Folder of the socket, on port POOLER_PORT, of a pooler of that mode before the server, open to those roles."""
    home = Path(tempfile.mkdtemp(prefix="waops-pooler-"))
    file = home / "pgbouncer.ini"
    file.write_text(PGBOUNCER.format(socket=server.socket_dir, port=POOLER_PORT, home=home, mode=mode))
    (home / "roles").write_text("".join(f'"{role}" ""\n' for role in roles))
    account = server.account
    if account:
        os.chown(home, account.uid, account.gid)
    process = subprocess.Popen(
        [program("pgbouncer"), str(file)],
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until((home / f".s.PGSQL.{POOLER_PORT}").exists)
        yield home
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(home)


POOLER_PORT = 6432
PGBOUNCER = """
[databases]
* = host={socket}

[pgbouncer]
listen_addr =
listen_port = {port}
unix_socket_dir = {home}
auth_type = trust
auth_file = {home}/roles
pool_mode = {mode}
ignore_startup_parameters = extra_float_digits
logfile = {home}/log
"""
