"""CreateIndex among other sessions: locks, long transactions, interrupted and parallel builds, writers."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import psycopg
import pytest
from django.db import OperationalError, connection

from tests.programs import wait_until
from tests.waops.schema.conftest import backwards, forwards, in_background
from tests.waops.schema.test_create_index import INDEX, UNIQUE, records, state
from waops.schema import CreateIndex, errors, watcher

pytestmark = pytest.mark.usefixtures("things", "impatient")

LOCK = "LOCK TABLE public.things IN SHARE UPDATE EXCLUSIVE MODE"


@contextmanager
def transaction(dsn: str, statement: str = "SELECT count(*) FROM public.things") -> Iterator[psycopg.Connection]:
    """A transaction that has executed that and does not end."""
    with psycopg.connect(dsn, application_name="old transaction") as session:
        session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        session.execute(statement)
        yield session
        if not session.closed:
            session.rollback()


def building(session: psycopg.Connection) -> int:
    """pid of the session that builds an index now."""
    query = "SELECT pid FROM pg_stat_progress_create_index WHERE datname = current_database() AND phase LIKE 'waiting%'"
    found: list[int] = []
    wait_until(lambda: bool(found.extend(pid for (pid,) in session.execute(query)) or found))
    return found[0]


@pytest.fixture
def patient(impatient, settings) -> None:
    """Attempts as short, and many more than a test makes it wait."""
    settings.MIGRATION_ATTEMPTS = 200


def test_a_lock_held_shortly_is_waited_for(things, session, patient, caplog):
    with transaction(things, LOCK) as holder, in_background(lambda: forwards(CreateIndex(INDEX))) as failures:
        wait_until(lambda: "attempt 1 of 200" in caplog.text)
        holder.rollback()
    assert failures == []
    assert state(session)[1]


def test_a_lock_held_for_ever_ends_in_an_error_that_names_the_holder(things, session):
    with transaction(things, LOCK) as holder:
        pid = holder.info.backend_pid
        with pytest.raises(errors.LockNotHad) as error:
            forwards(CreateIndex(INDEX))
    assert f"pid {pid} (old transaction" in str(error.value)
    assert "after 2 attempts" in str(error.value)
    assert LOCK in str(error.value)
    forwards(CreateIndex(INDEX))
    assert state(session)[1]


def test_an_old_transaction_is_waited_for_and_named(things, session):
    """CONCURRENTLY waits for transactions that hold no lock on the table at all."""
    with transaction(things) as holder, pytest.raises(errors.LockNotHad, match=f"pid {holder.info.backend_pid}"):
        forwards(CreateIndex(INDEX))
    forwards(CreateIndex(INDEX))
    assert state(session)[1]


def test_a_prepared_transaction_is_named(things, session):
    session.execute("BEGIN")
    session.execute(LOCK)
    session.execute("PREPARE TRANSACTION 'forgotten'")
    try:
        with pytest.raises(errors.LockNotHad, match="pg_prepared_xacts"):
            forwards(CreateIndex(INDEX))
    finally:
        session.execute("ROLLBACK PREPARED 'forgotten'")


def test_long_waits_are_told(things, monkeypatch, patient, caplog):
    monkeypatch.setattr(watcher, "QUIET", 0.1)
    monkeypatch.setattr(watcher, "REPEAT", 0.1)
    with transaction(things) as holder, in_background(lambda: forwards(CreateIndex(INDEX))) as failures:
        wait_until(lambda: f"waiting for pid {holder.info.backend_pid} (old transaction" in caplog.text)
        holder.rollback()
    assert failures == []


def test_reverse_waits_and_retries_too(things, session):
    forwards(CreateIndex(INDEX))
    with transaction(things, LOCK), pytest.raises(errors.LockNotHad):
        backwards(CreateIndex(INDEX))
    assert state(session)[1]
    backwards(CreateIndex(INDEX))
    assert state(session) is None


def test_a_terminated_build_is_completed_by_the_next_run(things, session, settings):
    settings.MIGRATION_LOCK_TIMEOUT = 60
    with transaction(things) as holder:
        with in_background(lambda: forwards(CreateIndex(INDEX))) as failures:
            session.execute("SELECT pg_terminate_backend(%s)", [building(session)])
        assert [type(error) for error in failures] == [OperationalError]
        assert state(session)[1] is False
        holder.rollback()
    forwards(CreateIndex(INDEX))
    assert state(session)[1]
    assert records(session) == [("public.things_open", None)]


def test_an_index_that_another_session_builds_is_not_dropped(things, session):
    with transaction(things) as holder:
        with in_background(lambda: session.execute(INDEX.replace("INDEX", "INDEX CONCURRENTLY", 1))) as failures:
            with psycopg.connect(things, autocommit=True) as observer:
                builder = building(observer)
            with pytest.raises(errors.IndexBeingBuilt, match=f"pid {builder} "):
                forwards(CreateIndex(INDEX))
            holder.rollback()
        assert failures == []
    assert state(session)[1]
    forwards(CreateIndex(INDEX))
    assert state(session)[1]


def test_duplicates_that_come_in_during_the_build_are_named_and_leave_nothing(things, session, settings):
    settings.MIGRATION_LOCK_TIMEOUT = 60
    with transaction(things, "INSERT INTO public.things (id, owner, label) VALUES (2001, 1, 'twice')") as holder:
        operation = CreateIndex(UNIQUE, repair="things")
        with in_background(lambda: forwards(operation)) as failures:
            building(session)
            session.execute("INSERT INTO public.things (id, owner, label) VALUES (2002, 1, 'twice')")
            holder.commit()
    assert [type(error) for error in failures] == [errors.DuplicatesFound]
    assert "2001, 2002" in str(failures[0])
    assert state(session, "things_label") is None


def test_a_writer_never_waits(things, session, settings):
    """Builds and drops, with a writer that gives up after 200 ms and a transaction that makes the build wait."""
    settings.MIGRATION_LOCK_TIMEOUT = 60
    over, written, refused = Event(), [], []

    def write() -> None:
        with psycopg.connect(things, autocommit=True) as writer:
            writer.execute("SET lock_timeout = '200ms'")
            while not over.is_set():
                try:
                    writer.execute("INSERT INTO things SELECT max(id) + 1, 1, 'w' FROM things")
                    writer.execute("UPDATE things SET done = NOT done WHERE id = 7")
                    writer.execute("DELETE FROM things WHERE id = (SELECT max(id) FROM things WHERE label = 'w')")
                    written.append(1)
                except psycopg.Error as error:
                    refused.append(error)

    thread = Thread(target=write)
    thread.start()
    try:
        with transaction(things) as holder, in_background(lambda: forwards(CreateIndex(INDEX))) as failures:
            building(session)
            before = len(written)
            wait_until(lambda: len(written) > before + 20)
            holder.rollback()
        backwards(CreateIndex(INDEX))
    finally:
        over.set()
        thread.join()
    assert failures == []
    assert refused == []


def test_the_session_is_usable_after_a_lost_connection(things, session):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        session.execute("SELECT pg_terminate_backend(%s)", cursor.fetchone())
    with pytest.raises(OperationalError):
        forwards(CreateIndex(INDEX))
    connection.close()
    forwards(CreateIndex(INDEX))
    assert state(session)[1]
