"""manage.py migrate on databases that exist already, among other sessions, and all the way back."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.utils.translation import gettext, gettext_lazy, override
from psycopg import sql

from tests import wording
from tests.databases import Databases, django_uses
from tests.programs import wait_until
from tests.waops.schema.conftest import in_background
from waops.schema import errors
from waops.schema.turn import LOCK

PROJECT = Path(__file__).resolve().parents[2]
OUR_APPS = ("escalations", "conversations", "usage", "waops")
INDEXES = (
    "idx_ai_config_active",
    "idx_ai_interactions_metadata_gin",
    "idx_ai_interactions_user",
    "idx_conversations_active",
    "idx_conversations_cleanup",
    "idx_escalated_active",
    "idx_messages_content_gin",
    "idx_messages_conversation",
    "idx_profiles_ai_limits",
    "uniq_escalated_open",
    "uniq_messages_conversation_message_id",
)
ROWS = """
    INSERT INTO auth.users (id) VALUES ('00000000-0000-0000-0000-000000000001');
    INSERT INTO profiles (id) VALUES ('00000000-0000-0000-0000-000000000001');
    INSERT INTO whatsapp_instances (id, user_id, instance_name)
    VALUES ('00000000-0000-0000-0000-000000000002', '00000000-0000-0000-0000-000000000001', 'shop');
    INSERT INTO whatsapp_conversations (id, instance_id, user_phone)
    VALUES ('00000000-0000-0000-0000-000000000003', '00000000-0000-0000-0000-000000000002', '201012345678');
    INSERT INTO whatsapp_conversation_messages (conversation_id, role, content, message_id)
    VALUES ('00000000-0000-0000-0000-000000000003', 'user', 'hello', 'wamid.1');
    INSERT INTO escalated_conversations (whatsapp_number, instance_id)
    VALUES ('201012345678', '00000000-0000-0000-0000-000000000002');
"""
AGAIN = """
    INSERT INTO whatsapp_conversation_messages (conversation_id, role, content, message_id)
    SELECT conversation_id, role, content, message_id FROM whatsapp_conversation_messages;
    INSERT INTO escalated_conversations (whatsapp_number, instance_id)
    SELECT whatsapp_number, instance_id FROM escalated_conversations;
"""


@pytest.fixture
def database(server, databases: Databases, django_db_blocker, request) -> Iterator[str]:
    """DSN of a database that was never migrated, which Django uses too; of variant `before` unless told otherwise."""
    variant = getattr(request, "param", "before")
    with django_db_blocker.unblock(), databases.clone(variant) as name, django_uses(server, name):
        yield server.dsn(dbname=name)


@contextmanager
def manage(server, dsn: str, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """A `manage.py` process on that database, ended with the block if it still runs."""
    name = psycopg.conninfo.conninfo_to_dict(dsn)["dbname"]
    url = f"postgresql://postgres@/{name}?host={server.socket_dir}"
    process = subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=PROJECT,
        env={**os.environ, "DATABASE_URL": url, "SECRET_KEY": "tests", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def dump(server, dsn: str) -> str:
    """pg_dump of schema public, without the random key that newer versions print."""
    command = [server.binaries / "pg_dump", "--schema-only", "--schema=public", dsn]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return "\n".join(line for line in output.splitlines() if not line.startswith(("\\restrict", "\\unrestrict")))


def our_indexes(session: psycopg.Connection) -> dict[str, bool]:
    query = "SELECT indexrelid::regclass::text, indisvalid FROM pg_index WHERE indexrelid::regclass::text = ANY (%s)"
    return dict(session.execute(query, [list(INDEXES)]).fetchall())


def wait_for(session: psycopg.Connection, query: str) -> tuple:
    deadline = time.monotonic() + 120
    while (row := session.execute(query).fetchone()) is None:
        assert time.monotonic() < deadline, query
        time.sleep(0.02)
    return row


@pytest.mark.parametrize("database", ["before", "after"], indirect=True)
def test_all_the_way_and_all_the_way_back(server, database):
    before = dump(server, database)
    with psycopg.connect(database, autocommit=True) as session:
        tables = """
            SELECT array_agg(relname ORDER BY 1) FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relkind <> 'i'
        """
        found = session.execute(tables).fetchone()
        session.execute(ROWS)
        call_command("migrate", verbosity=0)
        assert our_indexes(session) == dict.fromkeys(INDEXES, True)
        assert session.execute(tables).fetchone() == found
        for app in OUR_APPS:
            call_command("migrate", app, "zero", verbosity=0)
    assert dump(server, database) == before


def test_forward_back_and_forward_again_ends_in_the_same_schema(server, database):
    call_command("migrate", verbosity=0)
    migrated = dump(server, database)
    for app in OUR_APPS:
        call_command("migrate", app, "zero", verbosity=0)
    call_command("migrate", verbosity=0)
    assert dump(server, database) == migrated


@pytest.mark.parametrize("database", ["before", "after"], indirect=True)
def test_duplicates_stop_it_with_the_repair_named_and_repaired_it_completes(database):
    with psycopg.connect(database, autocommit=True) as session:
        session.execute(ROWS + AGAIN)
        with pytest.raises(CommandError, match="repair duplicate_messages --apply") as error:
            call_command("migrate", verbosity=0)
        assert "wamid.1" in str(error.value)
        call_command("repair", "duplicate_messages", apply=True, verbosity=0)
        with pytest.raises(CommandError, match="repair duplicate_escalations --apply"):
            call_command("migrate", verbosity=0)
        call_command("repair", "duplicate_escalations", apply=True, verbosity=0)
        call_command("migrate", verbosity=0)
        assert our_indexes(session) == dict.fromkeys(INDEXES, True)
        assert session.execute("SELECT count(*) FROM waops.waops_archivedrow").fetchone() == (2,)


def test_a_writer_with_little_patience_never_fails(database):
    with psycopg.connect(database, autocommit=True) as session:
        session.execute(ROWS)
    over, written, refused = Event(), [], []

    def write() -> None:
        with psycopg.connect(database, autocommit=True) as writer:
            writer.execute("SET lock_timeout = '200ms'")
            while not over.is_set():
                try:
                    writer.execute(
                        "INSERT INTO whatsapp_conversation_messages (conversation_id, role, content, message_id)"
                        " VALUES ('00000000-0000-0000-0000-000000000003', 'user', 'hello', gen_random_uuid()::text)"
                    )
                    writer.execute(
                        "SELECT store_message_with_update('00000000-0000-0000-0000-000000000003', 'user', 'hello')"
                    )
                    writer.execute("UPDATE profiles SET monthly_ai_responses_used = monthly_ai_responses_used + 1")
                    writer.execute("UPDATE escalated_conversations SET reason = reason")
                    written.append(1)
                except psycopg.Error as error:
                    refused.append(error)

    thread = Thread(target=write)
    thread.start()
    try:
        call_command("migrate", verbosity=0)
        for app in OUR_APPS:
            call_command("migrate", app, "zero", verbosity=0)
    finally:
        over.set()
        thread.join()
    assert refused == []
    assert len(written) > 20


def test_killed_in_the_middle_of_a_build_and_run_again_it_completes(server, database, databases, django_db_blocker):
    with databases.clone("before") as name, django_uses(server, name):
        call_command("migrate", verbosity=0)
        expected = dump(server, server.dsn(dbname=name))
    with psycopg.connect(database, autocommit=True) as session:
        with psycopg.connect(database) as old, manage(server, database, "migrate") as process:
            old.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            old.execute("SELECT FROM whatsapp_ai_interactions LIMIT 1")
            phase = (
                "SELECT pid FROM pg_stat_progress_create_index WHERE datname = current_database() AND phase ~ 'wait'"
            )
            (builder,) = wait_for(session, phase)
            process.send_signal(signal.SIGKILL)
            process.wait()
            # The server goes on until it notices; a real network would have to tell it.
            session.execute("SELECT pg_terminate_backend(%s)", [builder])
            old.rollback()
        wait_for(session, f"SELECT 1 WHERE NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = {builder})")
        assert False in our_indexes(session).values()
        call_command("migrate", verbosity=0)
        assert our_indexes(session) == dict.fromkeys(INDEXES, True)
    assert dump(server, database) == expected


def test_of_two_at_once_one_waits_and_both_end_well(server, database):
    with manage(server, database, "migrate") as first, manage(server, database, "migrate") as second:
        outputs = [process.communicate(timeout=300)[0] for process in (first, second)]
        assert [first.returncode, second.returncode] == [0, 0], outputs
    assert sorted("No migrations to apply" in output for output in outputs) == [False, True]
    with psycopg.connect(database) as session:
        query = "SELECT count(*), count(DISTINCT (app, name)) FROM waops.django_migrations"
        all_rows, distinct = session.execute(query).fetchone()
        assert all_rows == distinct
        assert len(our_indexes(session)) == len(INDEXES)


def test_it_says_who_is_migrating(database, caplog):
    with psycopg.connect(database, autocommit=True, application_name="waops migrate on laptop, 7") as other:
        other.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        with in_background(lambda: call_command("migrate", "contenttypes", verbosity=0)) as failures:
            words = f"pid {other.info.backend_pid} (waops migrate on laptop, 7, user postgres"
            wait_until(lambda: words in caplog.text)
            other.execute("SELECT pg_advisory_unlock_all()")
        assert failures == []


def test_looking_at_the_plan_does_not_wait(database):
    with psycopg.connect(database) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        call_command("migrate", plan=True, verbosity=0)


def test_a_transaction_pooler_is_refused_with_the_fix(database, settings):
    settings.DATABASE_POOL_MODE = "transaction"
    with pytest.raises(CommandError, match="5432"):
        call_command("migrate", verbosity=0)
    with psycopg.connect(database) as session:
        assert session.execute("SELECT to_regnamespace('waops')").fetchone() == (None,)


OTHER = "INSERT INTO waops.django_migrations (app, name, applied) VALUES ('usage', '0010_quota', now())"


@pytest.mark.parametrize("target", [[], ["usage"], ["escalations", "zero"]])
def test_what_another_version_migrated_is_refused_and_left_alone(server, committed_database, target):
    with psycopg.connect(committed_database) as session:
        session.execute(OTHER)
    before = dump(server, committed_database)
    with pytest.raises(CommandError, match=rf"usage\.0010_quota.* {wording.USE_THAT_VERSION}"):
        call_command("migrate", *target, verbosity=0)
    assert dump(server, committed_database) == before


def test_make_run_says_how_to_start_again_after_another_version(committed_database, settings):
    settings.EMBEDDED_POSTGRES = True
    with psycopg.connect(committed_database) as session:
        session.execute(OTHER)
    with pytest.raises(CommandError, match=rf"/\S+ {wording.BY_ANOTHER_VERSION} .* delete that"):
        call_command("bootstrap", port=0)


def test_another_index_of_that_name_is_explained(database):
    with psycopg.connect(database, autocommit=True) as session:
        session.execute("CREATE INDEX idx_messages_conversation ON whatsapp_conversations (id)")
        with pytest.raises(CommandError, match=r"the name public\.idx_messages_conversation: .*whatsapp_conversations"):
            call_command("migrate", verbosity=0)
        session.execute("DROP INDEX idx_messages_conversation")
        call_command("migrate", verbosity=0)
        assert our_indexes(session) == dict.fromkeys(INDEXES, True)


def test_a_role_that_may_not_is_told_which_one_may(database):
    with psycopg.connect(database, user="supabase_admin") as superuser:
        (name,) = superuser.execute("SELECT current_database()").fetchone()
        superuser.execute(sql.SQL("ALTER DATABASE {} OWNER TO supabase_admin").format(sql.Identifier(name)))
    with pytest.raises(CommandError, match=rf"permission denied for database .* {wording.RUN_AS_THE_OWNER}"):
        call_command("migrate", verbosity=0)


def test_errors_are_in_the_operators_language(database, monkeypatch):
    """Although Django's own command runs without translations."""
    monkeypatch.setattr(errors.IndexNameTaken, "message", gettext_lazy("Delete"))
    with psycopg.connect(database, autocommit=True) as session:
        session.execute("CREATE INDEX idx_messages_conversation ON whatsapp_conversations (id)")
    with override("ar"):
        with pytest.raises(CommandError) as error:
            call_command("migrate", verbosity=0)
        assert str(error.value) == gettext("Delete") != "Delete"
