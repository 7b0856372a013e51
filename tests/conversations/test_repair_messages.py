"""manage.py repair_duplicate_messages."""

import json
from io import StringIO
from uuid import UUID

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from conversations.repair import DuplicateMessages
from waops import repair

CONVERSATION = UUID(int=3)
ROWS = """
    DROP INDEX IF EXISTS public.uniq_messages_conversation_message_id;
    INSERT INTO auth.users (id) VALUES ('00000000-0000-0000-0000-000000000001');
    INSERT INTO profiles (id) VALUES ('00000000-0000-0000-0000-000000000001');
    INSERT INTO whatsapp_instances (id, user_id, instance_name)
    VALUES ('00000000-0000-0000-0000-000000000002', '00000000-0000-0000-0000-000000000001', 'shop');
    INSERT INTO whatsapp_conversations (id, instance_id, user_phone)
    VALUES ('00000000-0000-0000-0000-000000000003', '00000000-0000-0000-0000-000000000002', '201012345678'),
           ('00000000-0000-0000-0000-000000000004', '00000000-0000-0000-0000-000000000002', '201012345679');
    INSERT INTO whatsapp_conversation_messages (id, conversation_id, "timestamp", role, content, message_id, metadata)
    SELECT ('00000000-0000-0000-0000-0000000001' || n)::uuid, '00000000-0000-0000-0000-000000000003',
           '2026-01-01 10:00:00.123456+00'::timestamptz + later * interval '1 s', 'user', content, id, '{"a": 1.50}'
    FROM (VALUES ('03', 0, 'مرحبا', 'a'), ('02', 0, 'مرحبا', 'a'), ('01', 5, 'hello 🙂', 'a'),
                 ('04', 1, 'no id', NULL), ('05', 1, 'no id', NULL), ('06', 2, 'alone', 'b'))
        AS row (n, later, content, id);
    INSERT INTO whatsapp_conversation_messages (conversation_id, role, content, message_id)
    VALUES ('00000000-0000-0000-0000-000000000004', 'user', 'other conversation', 'a');
"""


@pytest.fixture
def session(committed_database):
    with psycopg.connect(committed_database, autocommit=True) as session:
        session.execute(ROWS)
        yield session


def run(**options) -> dict:
    output = StringIO()
    call_command("repair_duplicate_messages", json=True, stdout=output, **options)
    return json.loads(output.getvalue())


def messages(session: psycopg.Connection) -> list[str]:
    """Two last digits of the ids left in the conversation."""
    query = "SELECT right(id::text, 2) FROM whatsapp_conversation_messages WHERE conversation_id = %s ORDER BY 1"
    return [number for (number,) in session.execute(query, [CONVERSATION])]


def test_without_apply_it_only_looks(session):
    report = run()
    assert (report["groups"], report["rows"], report["changed"]) == (1, 2, None)
    assert report["examples"] == [
        {
            "key": [str(CONVERSATION), "a"],
            "kept": "00000000-0000-0000-0000-000000000102",
            "others": ["00000000-0000-0000-0000-000000000103", "00000000-0000-0000-0000-000000000101"],
        }
    ]
    assert messages(session) == ["01", "02", "03", "04", "05", "06"]
    assert session.execute("SELECT count(*) FROM waops.waops_archivedrow").fetchone() == (0,)


def test_apply_keeps_the_first_and_archives_the_others_exactly(session):
    query = "SELECT id::text, to_jsonb(m) FROM whatsapp_conversation_messages AS m WHERE message_id = 'a'"
    before = dict(session.execute(f"{query} AND right(id::text, 3) IN ('101', '103')").fetchall())
    assert run(apply=True)["changed"] == 2
    assert messages(session) == ["02", "04", "05", "06"]
    archived = session.execute('SELECT "table", row_id, "row", repair FROM waops.waops_archivedrow').fetchall()
    assert {row_id: row for _, row_id, row, _ in archived} == before
    assert {(table, name) for table, _, _, name in archived} == {
        ("whatsapp_conversation_messages", "repair_duplicate_messages")
    }


def test_an_archived_row_can_be_put_back_as_it_was(session):
    query = "SELECT m::text FROM whatsapp_conversation_messages AS m WHERE right(id::text, 3) = '101'"
    before = session.execute(query).fetchone()
    run(apply=True)
    session.execute("""
        INSERT INTO whatsapp_conversation_messages
        SELECT (jsonb_populate_record(NULL::whatsapp_conversation_messages, "row")).* FROM waops.waops_archivedrow
    """)
    assert session.execute(query).fetchone() == before


def test_a_second_run_finds_nothing(session):
    run(apply=True)
    assert run(apply=True)["groups"] == 0
    assert session.execute("SELECT count(*) FROM waops.waops_archivedrow").fetchone() == (2,)


def test_it_works_in_batches_and_goes_on_after_an_interruption(session, monkeypatch):
    monkeypatch.setattr(repair, "BATCH", 2)
    session.execute("""
        INSERT INTO whatsapp_conversation_messages (conversation_id, role, content, message_id)
        SELECT '00000000-0000-0000-0000-000000000003', 'user', 'again', 'c' || n % 7 FROM generate_series(1, 21) AS n
    """)
    done = []

    def interrupt(progress: int, total: int) -> None:
        done.append((progress, total))
        if len(done) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        DuplicateMessages().run(connection, apply=True, progress=interrupt)
    assert done == [(2, 8), (4, 8)]
    assert run()["groups"] == 4
    assert run(apply=True)["groups"] == 4
    assert run()["groups"] == 0
    assert session.execute("SELECT count(*) FROM waops.waops_archivedrow").fetchone() == (2 + 14,)


def test_the_copies_stay_if_the_first_is_deleted_meanwhile(session, committed_database):
    """Whatever was read first counts for nothing: the rows are locked and looked at again."""
    groups = DuplicateMessages().find(connection)
    session.execute("DELETE FROM whatsapp_conversation_messages WHERE right(id::text, 3) IN ('102', '103')")
    with transaction.atomic():
        assert DuplicateMessages().apply(connection, groups) == 0
    assert messages(session) == ["01", "04", "05", "06"]


def test_rows_held_by_somebody_are_named(session, committed_database, settings, monkeypatch):
    monkeypatch.setattr(repair, "LOCK_TIMEOUT", 0.2)
    settings.MIGRATION_ATTEMPTS = 2
    with psycopg.connect(committed_database, application_name="bulk edit") as holder:
        holder.execute("UPDATE whatsapp_conversation_messages SET role = role")
        with pytest.raises(CommandError, match="bulk edit"):
            run(apply=True)
    assert run()["groups"] == 1


def test_it_says_what_it_would_do_and_what_it_did(session):
    output = StringIO()
    call_command("repair_duplicate_messages", stdout=output)
    assert "2 rows too many (keys concerned: 1)" in output.getvalue()
    assert "add --apply" in output.getvalue()
    output = StringIO()
    call_command("repair_duplicate_messages", apply=True, stdout=output)
    assert "2 rows were repaired" in output.getvalue()
    output = StringIO()
    call_command("repair_duplicate_messages", stdout=output)
    assert "Nothing to repair" in output.getvalue()
