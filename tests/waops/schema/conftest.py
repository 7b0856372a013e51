"""Operations are run here as a migration would, on tables of the test's own in a migrated database."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

import psycopg
import pytest
from django.db import connection
from django.db.migrations.operations.base import Operation

from waops.schema import index, sql_file

Apply = Callable[..., None]

THINGS = """
    CREATE TABLE public.things (id int PRIMARY KEY, owner int, label text, done boolean NOT NULL DEFAULT false);
    INSERT INTO public.things (id, owner, label) SELECT n, n % 10, 'thing ' || n FROM generate_series(1, 1000) AS n;
    CREATE TABLE public.others (id int PRIMARY KEY, owner int);
"""


@pytest.fixture
def things(committed_database: str) -> str:
    """DSN of a database with a table of 1,000 rows."""
    with psycopg.connect(committed_database) as session:
        session.execute(THINGS)
    return committed_database


@pytest.fixture
def session(committed_database: str) -> Iterator[psycopg.Connection]:
    """Another session's connection, in autocommit."""
    with psycopg.connect(committed_database, autocommit=True, application_name="somebody") as session:
        yield session


def forwards(operation: Operation, *, atomic: bool = False, app_label: str = "waops") -> None:
    with connection.schema_editor(atomic=atomic) as editor:
        operation.database_forwards(app_label, editor, None, None)


def backwards(operation: Operation, *, atomic: bool = False, app_label: str = "waops") -> None:
    with connection.schema_editor(atomic=atomic) as editor:
        operation.database_backwards(app_label, editor, None, None)


@pytest.fixture
def impatient(settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two attempts of half a second."""
    settings.MIGRATION_LOCK_TIMEOUT = 0.5
    settings.MIGRATION_ATTEMPTS = 2
    monkeypatch.setattr(index, "PAUSE", 0.05)
    monkeypatch.setattr(sql_file, "PAUSE", 0.02)
    monkeypatch.setattr(sql_file, "TRIES_PER_ATTEMPT", 2)


@contextmanager
def in_background(work: Callable[[], None]) -> Iterator[list[BaseException]]:
    """Run `work` in a thread with a separate database connection; its error, if any, is in the list afterwards."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    thread = Thread(target=run)
    thread.start()
    try:
        yield errors
    finally:
        thread.join()
