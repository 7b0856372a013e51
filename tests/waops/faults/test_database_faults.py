"""What people see while the database does not do its part, and that all goes on by itself afterwards."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from escalations.models import Escalation, Event
from tests import factories, wording
from tests.databases import Databases, django_uses
from tests.http import Person, no_patience, served
from tests.programs import copy_of, remove, wait_until
from tests.waops.faults.conftest import QUEUE, claims
from waops.dev.embedded.server import SUPERUSER, EmbeddedServer
from waops.models import User

QUOTA = "/usage/profile/"
WAITING = """
    SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND pid <> pg_backend_pid()
"""

Claim = Callable[[], int]


def test_what_was_acknowledged_outlives_the_server(
    spare: Databases, port: int, user: User, amal: Person, escalation: Escalation, claim: Claim
) -> None:
    arabic = Person(port, user, "ar")
    assert claim() == 302
    spare.server.stop("immediate")
    with no_patience():
        assert (page := amal.get(QUEUE)).status == 503
        assert wording.DATABASE_DOWN["en"] in page.text
        assert '<html lang="ar" dir="rtl">' in (page := arabic.get(QUEUE)).text
        assert wording.DATABASE_DOWN["ar"] in page.text
        sent = amal.post(f"{QUEUE}{escalation.pk}/release/")
        assert sent.status == 503
        assert wording.NOTHING_WAS_SAVED in sent.text
    spare.server._ensure_running()
    assert amal.get(QUEUE).status == 200
    assert claims(escalation) == 1


def test_a_restart_between_two_requests_is_not_noticed(
    spare: Databases, amal: Person, escalation: Escalation, claim: Claim
) -> None:
    assert amal.get(QUEUE).status == 200
    spare.server.stop()
    spare.server._ensure_running()
    assert claim() == 302
    assert claims(escalation) == 1


def cut_off_while_waiting(dsn: str, table: str, ask: Callable[[], int]) -> int:
    """Status of an answer whose first try lost its connection to the server in the middle of a statement."""
    with ThreadPoolExecutor(1) as pool, psycopg.connect(dsn, autocommit=True) as watcher:
        with psycopg.connect(dsn) as holder:
            holder.execute(sql.SQL("LOCK TABLE {}").format(sql.Identifier("waops", table)))
            answer = pool.submit(ask)
            wait_until(lambda: watcher.execute(WAITING).fetchone())
            watcher.execute(f"SELECT pg_terminate_backend(pid) FROM ({WAITING}) AS waiting")
        return answer.result()


def test_a_page_whose_connection_is_lost_is_asked_for_once_more(
    superuser_dsn: str, amal: Person, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, logger="waops.database.middleware"):
        status = cut_off_while_waiting(superuser_dsn, "escalations_escalationstate", lambda: amal.get(QUEUE).status)
    assert status == 200
    (line,) = [record.message for record in caplog.records if record.name == "waops.database.middleware"]
    assert "asking again" in line


def test_a_change_whose_connection_is_lost_is_not_tried_again(
    superuser_dsn: str, escalation: Escalation, claim: Claim
) -> None:
    assert cut_off_while_waiting(superuser_dsn, "escalations_escalationstate", claim) == 503
    assert claims(escalation) == 0
    assert claim() == 302
    assert Event.objects.filter(escalation_id=escalation.pk, kind=Event.Kind.CLAIMED).count() == 1


@pytest.mark.parametrize(("statement", "lock"), [(0.3, 0), (30, 0.3)])
def test_a_held_lock_ends_with_an_explanation(
    superuser: psycopg.Connection,
    settings,
    statement: float,
    lock: float,
    amal: Person,
    escalation: Escalation,
    claim: Claim,
) -> None:
    """By the limit of a slow statement, and by that of a wait for a lock."""
    settings.DATABASE_STATEMENT_TIMEOUT, settings.DATABASE_LOCK_TIMEOUT = statement, lock
    with superuser.transaction():
        superuser.execute("LOCK TABLE public.escalated_conversations")
        page = amal.get(QUEUE)
        assert page.status == 503
        assert wording.TOO_BUSY in page.text
        assert claim() == 503
    assert claims(escalation) == 0
    # Not at once on a machine so busy that it needs longer for other reasons.
    wait_until(lambda: amal.get(QUEUE).status == 200)


def terminate_others(superuser: psycopg.Connection) -> None:
    superuser.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


def test_without_a_free_connection(superuser: psycopg.Connection, database: str, amal: Person, claim: Claim) -> None:
    assert amal.get(QUEUE).status == 200
    limit = sql.SQL("ALTER DATABASE {} CONNECTION LIMIT {}")
    superuser.execute(limit.format(sql.Identifier(database), 0))
    terminate_others(superuser)
    with no_patience():
        page = amal.get(QUEUE)
    assert page.status == 503
    assert wording.NO_FREE_CONNECTION in page.text
    superuser.execute(limit.format(sql.Identifier(database), -1))
    assert claim() == 302


def test_a_database_that_takes_no_changes_is_read(
    superuser: psycopg.Connection, database: str, amal: Person, escalation: Escalation, claim: Claim
) -> None:
    change = sql.SQL("ALTER DATABASE {} {} default_transaction_read_only")
    superuser.execute(change.format(sql.Identifier(database), sql.SQL("SET")) + sql.SQL(" = on"))
    terminate_others(superuser)
    for page in (QUEUE, f"{QUEUE}{escalation.pk}/change/", QUOTA, "/"):
        assert amal.get(page).status == 200, page
    sent = amal.post(f"{QUEUE}{escalation.pk}/claim/")
    assert sent.status == 503
    assert wording.NOTHING_CAN_BE_SAVED in sent.text
    superuser.execute(change.format(sql.Identifier(database), sql.SQL("RESET")))
    # Connections that refused are given up, though one that was made meanwhile may refuse once more.
    wait_until(lambda: claim() == 302)
    assert claims(escalation) == 1


def test_a_full_disk(
    spare: Databases, superuser: psycopg.Connection, amal: Person, escalation: Escalation, claim: Claim
) -> None:
    """What the kernel says of /dev/full is what it says of a full disk."""
    with full(spare.server, superuser, "waops.escalations_event"):
        sent = amal.post(f"{QUEUE}{escalation.pk}/claim/")
        assert sent.status == 503
        assert wording.DISK_FULL in sent.text
        assert claims(escalation) == 0
        assert amal.get(QUEUE).status == 200
    terminate_others(superuser)  # they have the file open
    assert claim() == 302
    assert claims(escalation) == 1


class full:  # noqa: N801
    """Within the block that table, which must be empty, finds no room to grow."""

    def __init__(self, server: EmbeddedServer, session: psycopg.Connection, table: str) -> None:
        (path,) = session.execute("SELECT pg_relation_filepath(%s)", [table]).fetchone()
        self.file = Path(server.data_dir, path)
        assert self.file.stat().st_size == 0

    def __enter__(self) -> None:
        self.file.rename(self.file.with_suffix(".kept"))
        self.file.symlink_to("/dev/full")

    def __exit__(self, *_: object) -> None:
        self.file.unlink()
        self.file.with_suffix(".kept").rename(self.file)


def test_a_function_that_is_dropped(
    superuser: psycopg.Connection, amal: Person, escalation: Escalation, claim: Claim, caplog: pytest.LogCaptureFixture
) -> None:
    superuser.execute("ALTER FUNCTION waops.claim_escalations RENAME TO mislaid")
    with caplog.at_level(logging.ERROR, logger="waops.database.middleware"):
        sent = amal.post(f"{QUEUE}{escalation.pk}/claim/")
    assert sent.status == 503
    assert wording.SOMETHING_IS_MISSING in sent.text
    assert any("claim_escalations" in record.message for record in caplog.records)
    superuser.execute("ALTER FUNCTION waops.mislaid RENAME TO claim_escalations")
    assert claim() == 302


def test_a_table_that_is_missing(superuser: psycopg.Connection, amal: Person) -> None:
    superuser.execute("ALTER TABLE waops.escalations_escalationstate RENAME TO mislaid")
    page = amal.get(QUEUE)
    assert page.status == 503
    assert wording.SOMETHING_IS_MISSING in page.text
    superuser.execute("ALTER TABLE waops.mislaid RENAME TO escalations_escalationstate")
    assert amal.get(QUEUE).status == 200


def test_an_optional_table_that_goes_while_people_work(superuser: psycopg.Connection, amal: Person) -> None:
    """Which tables there are is known for a minute; the page finds out sooner."""
    factories.customer(factories.instance(), factories.phone(), name="Huda")
    search = f"{QUEUE}search/?q=Huda"
    assert amal.get(search).status == 200
    superuser.execute("ALTER TABLE public.customer_profiles RENAME TO mislaid")
    assert amal.get(search).status == 200


def test_a_standby_takes_over(
    spare: Databases, database: str, user: User, escalation: Escalation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failover to where the app's address leads already: a replica, until it is promoted."""
    amal = Person(0, user)
    standby = copy_of(spare.server, standby=True)
    try:
        standby.start()
        with django_uses(standby, database), served(monkeypatch) as amal.port:
            assert amal.get(QUEUE).status == 200
            sent = amal.post(f"{QUEUE}{escalation.pk}/claim/")
            assert sent.status == 503
            assert wording.NOTHING_CAN_BE_SAVED in sent.text
            with psycopg.connect(standby.dsn(SUPERUSER), autocommit=True) as session:
                assert session.execute("SELECT pg_promote()").fetchone() == (True,)
            assert amal.post(f"{QUEUE}{escalation.pk}/claim/").status == 302
            assert claims(escalation) == 1
    finally:
        remove(standby)
