"""Start and stop a real Postgres in a folder, shared safely by every process that uses it.

Shared file locks, which the kernel releases when a process dies, show who uses the server: the last user to leave stops
it, however the others ended. Authentication is `trust`, so there is no TCP port, and the socket is in a folder that
only the server's account (and root) can enter.
"""

import atexit
import fcntl
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import IO

import psycopg
from django.db import OperationalError

from waops.database.programs import ROOT_HOME, make_root_home, server_account, wheel_binaries

SUPERUSER = "supabase_admin"
OWNER = "postgres"
"""As on Supabase: owns the tables and is not a superuser."""
DATABASE = "postgres"
SOCKET_PATH_LIMIT = 90
"""Bytes. A socket's path may have 107 on Linux and 103 on macOS, and `/.s.PGSQL.5432` is appended."""
START_SECONDS = 60
"""How long to wait for another process's start, or for a killed server to end."""
PG_CTL_SECONDS = 300
"""Recovery and the last checkpoint take time on a busy disk. Failures are reported immediately."""
MEMORY_IN_USE = "pre-existing shared memory block"

LOCALE = "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"
"""Letters beyond ASCII must be letters to the server, as on Supabase: search and lower() depend on it."""

CREATE_OWNER = f"""
    CREATE ROLE {OWNER} LOGIN CREATEDB CREATEROLE REPLICATION BYPASSRLS;
    ALTER DATABASE {DATABASE} OWNER TO {OWNER};
    ALTER DATABASE template1 OWNER TO {OWNER};
    GRANT ALL ON SCHEMA public TO {OWNER};
"""


class EmbeddedServerError(OperationalError):
    """The embedded server could not be created, started or stopped. The message ends with the server's own."""


class EmbeddedServer:
    """A Postgres cluster in `home`: `data/`, `socket/`, `log`, and two lock files.

    `binaries` names a folder with other server programs (Debian's, for example); otherwise the wheel's `major` is used.
    `options` are server settings, `name=value`.
    """

    def __init__(
        self,
        home: Path,
        *,
        major: int = 18,
        binaries: Path | None = None,
        options: tuple[str, ...] = (),
    ) -> None:
        self.home = home
        self.data_dir = home / "data"
        self.log = home / "log"
        self.options = options
        self.account = server_account(self.data_dir)
        self.environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", **_clock()}
        self._major = major
        self._binaries = binaries
        self._use: IO[str] | None = None
        self._process = 0

    @property
    def binaries(self) -> Path:
        """Folder with the server's and the client's programs (`pg_dump`, `psql`, `pgbench`)."""
        return self._binaries or wheel_binaries(self._major, self.account)

    @property
    def socket_dir(self) -> Path:
        """Folder of the socket: inside `home`, or a private temporary one if that path is too long for a socket."""
        inside = self.home / "socket"
        if len(os.fsencode(inside)) <= SOCKET_PATH_LIMIT:
            return inside
        digest = hashlib.sha256(os.fsencode(self.home)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"waops-{digest}"

    def dsn(self, user: str = OWNER, dbname: str = DATABASE) -> str:
        """libpq connection string."""
        return psycopg.conninfo.make_conninfo(host=str(self.socket_dir), user=user, dbname=dbname)

    def start(self) -> None:
        """Create the cluster if it is new, start it if it is down, and count this process as a user of it.

        Raises EmbeddedServerError.
        """
        if self._use is not None:
            return
        self._make_home()
        with self._starting():
            use = (self.home / "users.lock").open("a")
            fcntl.flock(use, fcntl.LOCK_SH)
            try:
                if not (self.data_dir / "PG_VERSION").exists():
                    self._initialise()
                self._ensure_running()
                self._ensure_owner()
            except BaseException:
                use.close()
                raise
            self._use, self._process = use, os.getpid()
        atexit.register(self.release)

    def release(self) -> None:
        """Stop counting this process as a user; the last one stops the server."""
        if self._use is None or self._process != os.getpid():  # a forked child only shares its parent's use
            return
        atexit.unregister(self.release)
        with self._starting():
            use, self._use = self._use, None
            with use:
                try:
                    fcntl.flock(use, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return
                if self.is_running():
                    self.stop()
                if self.socket_dir.parent != self.home:  # nothing else would remove it
                    with suppress(OSError):
                        self.socket_dir.rmdir()

    def is_running(self) -> bool:
        """Whether a server responds on this folder's socket."""
        try:
            psycopg.connect(self.dsn(SUPERUSER), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self, mode: str = "fast") -> None:
        """Stop the server even if it is in use. `mode` is pg_ctl's: smart, fast or immediate."""
        self._check(self._pg_ctl("stop", "-m", mode))

    def _make_home(self) -> None:
        if self.account is not None and self.home.is_relative_to(ROOT_HOME):
            make_root_home()
        for folder in (self.home, self.socket_dir):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            owner = self.account.uid if self.account else os.geteuid()
            if self.account and folder.stat().st_uid != owner:
                os.chown(folder, self.account.uid, self.account.gid)
            if folder.stat().st_uid != owner:
                raise EmbeddedServerError(
                    f"{folder} belongs to another user, who could read the database. "
                    "Remove it, or set EMBEDDED_POSTGRES_DIR to another folder."
                )
            folder.chmod(0o700)

    @contextmanager
    def _starting(self) -> Iterator[None]:
        """One process at a time starts or stops the server."""
        with (self.home / "start.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _initialise(self) -> None:
        command = [
            "--auth=trust",
            "--encoding=UTF8",
            f"--locale={LOCALE}",
            "-U",
            SUPERUSER,
            "-D",
            str(self.data_dir),
        ]
        self._check(self._run("initdb", *command))

    def _ensure_running(self) -> None:
        """Start the server, or wait for one that is starting, or whose killed predecessor has not quite ended."""
        deadline = time.monotonic() + START_SECONDS
        while not self.is_running():
            if self._process_exists() and time.monotonic() < deadline:
                time.sleep(0.1)
                continue
            started = self._pg_ctl("start", "-o", self._start_options(), "-l", str(self.log))
            # A killed server's children end a moment later, and hold its memory until then.
            if started.returncode and MEMORY_IN_USE in self._last_words() and time.monotonic() < deadline:
                time.sleep(0.1)
                continue
            self._check(started)

    def _process_exists(self) -> bool:
        """Whether the process of the pid file exists: starting, stopping, or killed and not yet reaped."""
        return self._run("pg_ctl", "-D", str(self.data_dir), "status").returncode == 0

    def _ensure_owner(self) -> None:
        """Create the table owner's role. Checked at every start, because the first may have been interrupted."""
        with psycopg.connect(self.dsn(SUPERUSER), autocommit=False) as connection:
            query = "SELECT FROM pg_catalog.pg_roles WHERE rolname = %s"
            if connection.execute(query, [OWNER]).fetchone() is None:
                connection.execute(CREATE_OWNER)

    def _start_options(self) -> str:
        settings = ("listen_addresses=", f"unix_socket_directories={self.socket_dir}", *self.options)
        return " ".join(f"-c '{setting}'" for setting in settings)

    def _pg_ctl(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self._run("pg_ctl", "-D", str(self.data_dir), "-w", "-t", str(PG_CTL_SECONDS), *arguments)

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        account = self.account
        # Output goes to a file: the server inherits it, and a pipe would stay open while the server runs.
        with tempfile.TemporaryFile("w+") as output:
            result = subprocess.run(
                [str(self.binaries / program), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                env=self.environment,
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
                check=False,
                text=True,
            )
            output.seek(0)
            result.stdout = output.read()
        return result

    def _check(self, result: subprocess.CompletedProcess[str]) -> None:
        if result.returncode == 0:
            return
        program = Path(result.args[0]).name
        words = f"{result.stdout.strip()}\n{self._last_words()}"
        raise EmbeddedServerError(f"The embedded Postgres in {self.home} failed at {program}:\n{words}")

    def _last_words(self) -> str:
        """The end of the server's log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-10:]) if self.log.exists() else ""


def _clock() -> dict[str, str]:
    """The variables of libfaketime, so that the server runs at the same shifted time as this process."""
    if "FAKETIME" not in os.environ:
        return {}
    return {name: value for name, value in os.environ.items() if name == "LD_PRELOAD" or name.startswith("FAKETIME")}


@cache
def project_server(project: Path) -> EmbeddedServer:
    """The development server of a checkout: in its git-ignored `.postgres`, or, as root, under ROOT_HOME.

    EMBEDDED_POSTGRES_DIR, EMBEDDED_POSTGRES_VERSION and EMBEDDED_POSTGRES_BIN override folder, version and programs.
    """
    from django.conf import settings

    home = settings.EMBEDDED_POSTGRES_DIR or default_home(project)
    return EmbeddedServer(home, major=settings.EMBEDDED_POSTGRES_VERSION, binaries=settings.EMBEDDED_POSTGRES_BIN)


def default_home(project: Path) -> Path:
    """Folder of a checkout's cluster. The server's account cannot reach into root's folders, so root's lies outside."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        digest = hashlib.sha256(os.fsencode(project)).hexdigest()[:12]
        return ROOT_HOME / f"{project.name}-{digest}"
    return project / ".postgres"
