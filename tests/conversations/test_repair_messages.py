"""manage.py repair duplicate_messages."""

import json
from io import StringIO
from uuid import UUID

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from conversations.repair import DuplicateMessages
from tests import wording
from waops.dbops.repairs import base

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
    FROM (VALUES ('03', 0, 'مرحبا', 'a'), ('02', 0, 'مرحبا', 'a'), ('01', 5, 'مرحبا', 'a'),
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
    call_command("repair", "duplicate_messages", json=True, stdout=output, **options)
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
        ("whatsapp_conversation_messages", "duplicate_messages")
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
    monkeypatch.setattr(base, "BATCH", 2)
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


def test_the_copies_stay_if_the_first_is_deleted_in_between(session, committed_database):
    """Whatever was read first counts for nothing: the rows are locked and looked at again."""
    groups = DuplicateMessages().find(connection)
    session.execute("DELETE FROM whatsapp_conversation_messages WHERE right(id::text, 3) IN ('102', '103')")
    with transaction.atomic():
        assert DuplicateMessages().apply(connection, groups) == 0
    assert messages(session) == ["01", "04", "05", "06"]


def test_locked_rows_are_named(session, committed_database, settings, monkeypatch):
    monkeypatch.setattr(base, "LOCK_TIMEOUT", 0.2)
    settings.MIGRATION_ATTEMPTS = 2
    with psycopg.connect(committed_database, application_name="bulk edit") as holder:
        holder.execute("UPDATE whatsapp_conversation_messages SET role = role")
        with pytest.raises(CommandError, match="bulk edit"):
            run(apply=True)
    assert run()["groups"] == 1


def test_it_says_what_it_would_do_and_what_it_did(session):
    output = StringIO()
    call_command("repair", "duplicate_messages", stdout=output)
    assert wording.DUPLICATE_ROWS.format(2, 1) in output.getvalue()
    assert "add --apply" in output.getvalue()
    output = StringIO()
    call_command("repair", "duplicate_messages", apply=True, stdout=output)
    assert f"2 {wording.ROWS_WERE_REPAIRED}" in output.getvalue()
    output = StringIO()
    call_command("repair", "duplicate_messages", stdout=output)
    assert wording.NOTHING_TO_REPAIR in output.getvalue()


LINKED = """
    CREATE SCHEMA crm;
    CREATE TABLE crm.logs (id int PRIMARY KEY, message uuid REFERENCES public.whatsapp_conversation_messages{action});
    CREATE TABLE crm.single (
        id int PRIMARY KEY, message uuid UNIQUE REFERENCES public.whatsapp_conversation_messages{action}
    );
    CREATE TABLE crm.part (id int PRIMARY KEY, single int REFERENCES crm.single ON DELETE CASCADE);
    INSERT INTO crm.logs SELECT right(id::text, 2)::int, id FROM public.whatsapp_conversation_messages
    WHERE message_id = 'a' AND conversation_id = '00000000-0000-0000-0000-000000000003';
    INSERT INTO crm.single SELECT id, message FROM crm.logs;
    INSERT INTO crm.part SELECT 10 + id, id FROM crm.single;
"""


@pytest.mark.parametrize("action", ["", " ON DELETE SET NULL", " ON DELETE CASCADE", " ON DELETE RESTRICT"])
def test_what_refers_to_a_copy_refers_to_the_first_then(session, action):
    """Where its table allows only one row for each message, the others are archived, with what goes with them."""
    session.execute(LINKED.format(action=action))
    assert run(apply=True)["changed"] == 2
    query = "SELECT id, right(message::text, 2) FROM crm.logs ORDER BY id"
    assert session.execute(query).fetchall() == [(1, "02"), (2, "02"), (3, "02")]
    assert session.execute("SELECT id, right(message::text, 2) FROM crm.single").fetchall() == [(2, "02")]
    query = """SELECT "table", row_id FROM waops.waops_archivedrow WHERE "table" LIKE 'crm%' ORDER BY 1, 2"""
    assert session.execute(query).fetchall() == [
        ("crm.part", "11"),
        ("crm.part", "13"),
        ("crm.single", "1"),
        ("crm.single", "3"),
    ]


KEPT = """
    CREATE FUNCTION crm.keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
    CREATE TRIGGER keep BEFORE UPDATE ON crm.logs FOR EACH ROW EXECUTE FUNCTION crm.keep()
"""


@pytest.mark.parametrize("action", [" ON DELETE SET NULL", " ON DELETE CASCADE"])
def test_what_a_trigger_keeps_as_it_is_stops_the_repair(session, action):
    """An append-only log, say, would lose its row, or the link to the message."""
    session.execute(LINKED.format(action=action) + KEPT)
    logs = session.execute("SELECT id, message FROM crm.logs ORDER BY id").fetchall()
    with pytest.raises(CommandError, match=rf"crm\.logs .*{wording.TRIGGER_KEEPS}"):
        run(apply=True)
    assert session.execute("SELECT id, message FROM crm.logs ORDER BY id").fetchall() == logs


def test_what_refers_by_several_columns(session):
    session.execute("""
        ALTER TABLE whatsapp_conversation_messages ADD UNIQUE (conversation_id, id);
        CREATE TABLE notes (conversation uuid, message uuid, FOREIGN KEY (conversation, message)
            REFERENCES whatsapp_conversation_messages (conversation_id, id) ON DELETE CASCADE);
        INSERT INTO notes SELECT conversation_id, id FROM whatsapp_conversation_messages WHERE message_id = 'a';
    """)
    run(apply=True)
    query = "SELECT right(message::text, 2), count(*) FROM notes WHERE conversation = %s GROUP BY 1"
    assert session.execute(query, [CONVERSATION]).fetchall() == [("02", 3)]


@pytest.mark.parametrize(
    ("event", "options"), [("DELETE", {}), ("UPDATE", {"different": "renumber"}), ("DELETE", {"different": "remove"})]
)
def test_a_change_that_a_trigger_discards_stops_the_repair(session, event, options):
    session.execute("""
        INSERT INTO whatsapp_conversation_messages (conversation_id, role, content, message_id)
        SELECT '00000000-0000-0000-0000-000000000003', 'user', 'other ' || n, 'd' FROM generate_series(1, 2) AS n
    """)
    session.execute(LINKED.format(action=""))
    session.execute(f"""
        CREATE FUNCTION discard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
        CREATE TRIGGER discards BEFORE {event} ON whatsapp_conversation_messages
            FOR EACH ROW WHEN (old.content <> 'x') EXECUTE FUNCTION discard()
    """)
    before, links = messages(session), session.execute("SELECT * FROM crm.logs ORDER BY id").fetchall()
    with pytest.raises(CommandError, match=wording.TRIGGER_DISCARDS):
        run(apply=True, **options)
    assert messages(session) == before
    assert session.execute("SELECT * FROM crm.logs ORDER BY id").fetchall() == links
    assert session.execute("SELECT count(*) FROM waops.waops_archivedrow").fetchone() == (0,)


def test_a_link_that_cannot_reach_the_first_in_a_child_table_stops_the_repair(session):
    session.execute(LINKED.format(action=""))
    session.execute("""
        CREATE TABLE old_messages () INHERITS (whatsapp_conversation_messages);
        INSERT INTO old_messages (conversation_id, "timestamp", role, content, message_id)
        VALUES ('00000000-0000-0000-0000-000000000003', '2025-01-01', 'user', 'مرحبا', 'a')
    """)
    before = messages(session)
    with pytest.raises(CommandError, match=wording.CHILD_TABLE):
        run(apply=True)
    assert messages(session) == before
    assert session.execute("SELECT count(*) FROM waops.waops_archivedrow").fetchone() == (0,)


def test_an_empty_id_is_none(session):
    """As rows from before our trigger have it."""
    session.execute("DROP TRIGGER waops_empty_message_id ON whatsapp_conversation_messages")
    session.execute("""
        INSERT INTO whatsapp_conversation_messages (conversation_id, role, content, message_id)
        SELECT '00000000-0000-0000-0000-000000000003', 'user', 'message ' || n, '' FROM generate_series(1, 3) AS n
    """)
    run(apply=True)
    query = "SELECT message_id, count(*) FROM whatsapp_conversation_messages WHERE content LIKE 'message%' GROUP BY 1"
    assert session.execute(query).fetchall() == [(None, 3)]
    query = """SELECT count(*) FROM waops.waops_archivedrow WHERE "row" ->> 'message_id' = ''"""
    assert session.execute(query).fetchone() == (3,)
    assert run()["groups"] == 0


@pytest.fixture
def different(session):
    """A question and its answer share an id."""
    session.execute("""
        INSERT INTO whatsapp_conversation_messages (conversation_id, "timestamp", role, content, message_id)
        VALUES ('00000000-0000-0000-0000-000000000003', now(), 'user', 'How much is it?', 'x'),
               ('00000000-0000-0000-0000-000000000003', now() + interval '1 s', 'assistant', '[120] pounds', 'x'),
               ('00000000-0000-0000-0000-000000000003', now() + interval '2 s', 'user', 'How much is it?', 'x')
    """)
    return session


SHARING = "SELECT content, message_id = 'x' FROM whatsapp_conversation_messages WHERE message_id LIKE 'x%' ORDER BY 1"


def test_messages_that_differ_are_left_alone_and_shown(different):
    output = StringIO()
    call_command("repair", "duplicate_messages", stdout=output)
    assert "user: How much is it?" in output.getvalue()
    assert "assistant: [120] pounds" in output.getvalue()
    assert "--different renumber" in output.getvalue()
    report = run(apply=True)
    assert (report["changed"], report["left_alone_groups"]) == (3, 1)
    assert different.execute(SHARING).fetchall() == [("How much is it?", True), ("[120] pounds", True)]


def test_messages_that_differ_get_new_ids(different):
    run(apply=True, different="renumber")
    assert different.execute(SHARING).fetchall() == [("How much is it?", True), ("[120] pounds", False)]
    call_command("migrate", verbosity=0)


def test_messages_that_differ_are_removed_if_asked_for(different):
    run(apply=True, different="remove")
    assert different.execute(SHARING).fetchall() == [("How much is it?", True)]
