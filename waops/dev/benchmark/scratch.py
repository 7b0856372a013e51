"""Databases created for one benchmark, on the configured server or a separate one, and dropped at its end."""

import logging
import secrets
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from waops.database import replica
from waops.dbops.client_programs import client_program
from waops.dev.baseline import BaselineError, load
from waops.dev.benchmark.errors import BenchmarkError
from waops.dev.benchmark.fill import Kind, fill
from waops.dev.embedded.server import SUPERUSER, EmbeddedServer

PREFIX = "waops_benchmark_"
SETTINGS = ("shared_buffers=512MB", "max_wal_size=4GB", "max_connections=100")
"""Settings of a separate server; everything else is Postgres's default, with every commit waiting for the disk."""

ENDING = (signal.SIGINT, signal.SIGTERM)
MAINTENANCE = "postgres"
LOGGER = "waops.migrations"
ROLES = "SELECT rolname FROM pg_catalog.pg_roles"
OWNER_OF = "SELECT pg_catalog.pg_get_userbyid(datdba) FROM pg_catalog.pg_database WHERE datname = %s"


@dataclass
class Scratch:
    """A server, and the scratch databases on it. `superuser` and `client` are connection strings without a database."""

    superuser: str
    client: str
    pgbench: Path
    own_server: bool
    databases: list[str] = field(default_factory=list)

    def dsn(self, database: str) -> str:
        """The clients' connection string."""
        return make_conninfo(self.client, dbname=database)

    @property
    def maintenance(self) -> str:
        """A connection string to a database that is not measured, as the superuser."""
        return make_conninfo(self.superuser, dbname=MAINTENANCE)

    @contextmanager
    def session(self, database: str) -> Iterator[psycopg.Connection]:
        """The superuser's session, in autocommit."""
        with psycopg.connect(make_conninfo(self.superuser, dbname=database), autocommit=True) as connection:
            yield connection

    def create(self, template: str | None = None) -> str:
        """Name of a new database: with the baseline before the plan, or a copy of `template`."""
        name = f"{PREFIX}{secrets.token_hex(6)}"
        source = template or "template0"
        with psycopg.connect(self.maintenance, autocommit=True) as connection:
            owner = connection.execute(OWNER_OF, [source]).fetchone()
            assert owner is not None
            self.databases.append(name)
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {} ENCODING 'UTF8'").format(
                    sql.Identifier(name), sql.Identifier(source), sql.Identifier(owner[0])
                )
            )
        if template is None:
            with self.session(name) as connection:
                try:
                    load(connection)
                except BaselineError as error:
                    raise BenchmarkError(str(error)) from error
        return name

    def fill(self, database: str, kinds: dict[int, Kind]) -> None:
        with self.session(database) as connection:
            fill(connection, kinds)

    def migrate(self, database: str) -> None:
        """Install the whole app in it."""
        with self.django(database), _without_reports():
            call_command("migrate", verbosity=0)
        with self.session(database) as connection:
            connection.execute("ANALYZE")
            connection.execute("CHECKPOINT")

    @contextmanager
    def django(self, database: str) -> Iterator[None]:
        """Use that database as Django's default, instead of the configured one or its replica."""
        connection = connections["default"]
        config = connection.settings_dict
        parts = conninfo_to_dict(self.dsn(database))
        changed = {"NAME": database, "HOST": str(parts.get("host", "")), "PORT": str(parts.get("port", ""))}
        old = {key: config[key] for key in changed}
        connection.close()
        config.update(changed)
        configured = connections.settings.pop(replica.ALIAS, None)
        try:
            yield
        finally:
            connection.close()
            config.update(old)
            if configured is not None:
                connections.settings[replica.ALIAS] = configured

    def drop_all(self) -> None:
        with psycopg.connect(self.maintenance, autocommit=True) as connection:
            for name in self.databases:
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        self.databases.clear()


@contextmanager
def scratch() -> Iterator[Scratch]:
    """A scratch server: that of DATABASE_URL, whose role must be a superuser, or one in a temporary folder."""
    with ExitStack() as stack:
        stack.enter_context(_signals_restored())
        place = stack.enter_context(_own_server() if settings.EMBEDDED_POSTGRES else _given_server())
        stack.callback(place.drop_all)
        stack.callback(_be_patient)
        yield place


@contextmanager
def _without_reports() -> Iterator[None]:
    """Suppresses what a migration reports on a live database while it builds an index for a long time."""
    logger = logging.getLogger(LOGGER)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


@contextmanager
def _signals_restored() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _be_patient() -> None:
    """A second interrupt must not stop the cleanup."""
    if threading.current_thread() is threading.main_thread():
        for number in ENDING:
            signal.signal(number, signal.SIG_IGN)


@contextmanager
def _own_server() -> Iterator[Scratch]:
    home = Path(tempfile.mkdtemp(prefix="waops-benchmark-"))
    server = EmbeddedServer(
        home,
        major=settings.EMBEDDED_POSTGRES_VERSION,
        binaries=settings.EMBEDDED_POSTGRES_BIN,
        options=SETTINGS,
    )
    try:
        server.start()
        place = Scratch(
            _without_database(server.dsn(SUPERUSER)),
            _without_database(server.dsn()),
            server.binaries / "pgbench",
            own_server=True,
        )
        yield place
    finally:
        server.release()
        shutil.rmtree(home)


@contextmanager
def _given_server() -> Iterator[Scratch]:
    """Roles belong to the server, not to a database, so those that the baseline creates are dropped too."""
    connection = connections["default"]
    given = connection.get_connection_params()
    parts = {key: given[key] for key in ("host", "port", "user", "password", "sslmode") if given.get(key)}
    dsn = make_conninfo("", **parts)
    pgbench = client_program(connection, "pgbench")
    connection.close()
    maintenance = make_conninfo(dsn, dbname=MAINTENANCE)
    with psycopg.connect(maintenance, autocommit=True) as session:
        known = {row[0] for row in session.execute(ROLES)}
    place = Scratch(dsn, make_conninfo(dsn, options=_search_path()), pgbench, own_server=False)
    try:
        yield place
    finally:
        with psycopg.connect(maintenance, autocommit=True) as session:
            for (role,) in session.execute(ROLES).fetchall():
                if role not in known:
                    session.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def _search_path() -> str:
    return f"-c search_path={','.join(settings.SEARCH_PATH)}"


def _without_database(dsn: str) -> str:
    return make_conninfo("", **{key: value for key, value in conninfo_to_dict(dsn).items() if key != "dbname"})
