"""Triggers that were away for a moment leave no wrong count, however they went and came back."""

import threading
from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from tests.conversations.message_path.rows import Rows
from tests.conversations.message_path.test_message_count import DELETE_ONE, INSERT, STORE, count, known
from waops.dev.embedded.server import SUPERUSER
from waops.schema.sql_file import SQLFile

TABLE = "public.whatsapp_conversation_messages"
TRIGGERS = ("waops_count_inserted", "waops_count_deleted", "waops_count_moved", "waops_count_truncated")
WARM = 12
"""Calls after which a session keeps its plans."""

SWITCHED = {
    f"{name}, {back.lower()}": (name, back) for name in (*TRIGGERS, "USER", "ALL") for back in ("ENABLE", "ALWAYS")
}
CHANGES = {
    "insert": INSERT,
    "delete": DELETE_ONE,
    "move": f"UPDATE {TABLE} AS message SET conversation_id = other.id FROM public.whatsapp_conversations AS other"
    " WHERE message.conversation_id = %s AND other.id <> message.conversation_id AND message.message_id = 'm1'",
}


@pytest.fixture
def conversation(ours: Rows) -> UUID:
    """Has three messages and more; the session's plans are made, and its count is exact."""
    ours.conversation()
    conversation = ours.conversation()
    ours.messages(conversation, 3)
    for _ in range(WARM):
        ours.value(STORE, conversation)
    count(ours, conversation)
    assert known(ours, conversation) == WARM + 3
    return conversation


@pytest.fixture
def other(ours: Rows) -> Iterator[psycopg.Connection]:
    """Another session, of a superuser, in a transaction."""
    with psycopg.connect(ours.connection.info.dsn, user=SUPERUSER) as connection:
        yield connection


def switch(connection: psycopg.Connection, how: str, name: str) -> None:
    words = {"ALWAYS": "ENABLE ALWAYS"}.get(how, how)
    for one in TRIGGERS if how == "ALWAYS" and name in ("USER", "ALL") else (name,):
        connection.execute(f"ALTER TABLE {TABLE} {words} TRIGGER {one}")  # type: ignore[arg-type]


def assert_not_wrong(rows: Rows, conversation: UUID) -> None:
    assert known(rows, conversation) in (None, rows.stored(conversation))
    assert rows.value(STORE, conversation)["message_count"] == rows.stored(conversation)
    assert known(rows, conversation) in (None, rows.stored(conversation))


@pytest.mark.parametrize("case", SWITCHED)
def test_triggers_disabled_and_enabled_manually(ours: Rows, conversation, other, case: str):
    name, back = SWITCHED[case]
    switch(other, "DISABLE", name)
    for change in CHANGES.values():
        other.execute(change, [conversation])
    switch(other, back, name)
    other.commit()
    assert_not_wrong(ours, conversation)
    if back == "ALWAYS":
        assert known(ours, conversation) == ours.stored(conversation)


def test_triggers_switched_off_twice_in_one_transaction(ours: Rows, conversation, other):
    """The second time, the entries in the catalog are of the same transaction as those that were counted with."""
    for change in (INSERT, DELETE_ONE):
        switch(other, "DISABLE", "USER")
        other.execute(change, [conversation])
        switch(other, "ALWAYS", "USER")
        if change is INSERT:
            other.execute(STORE, [conversation])
            count(Rows(other), conversation)
    other.commit()
    assert_not_wrong(ours, conversation)


def test_triggers_switched_off_and_on_while_a_store_waits(ours: Rows, conversation, other):
    """It waits for the lock on the table with a snapshot from before the change."""
    switch(other, "DISABLE", "USER")
    answers: list[dict] = []
    thread = threading.Thread(target=lambda: answers.append(ours.value(STORE, conversation)))
    thread.start()
    waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    with psycopg.connect(ours.connection.info.dsn, user=SUPERUSER, autocommit=True) as observer:
        while not Rows(observer).value(waits):
            pass
    other.execute(INSERT, [conversation])
    switch(other, "ALWAYS", "USER")
    other.commit()
    thread.join()
    assert [answer["message_count"] for answer in answers] == [ours.stored(conversation)]
    assert_not_wrong(ours, conversation)


def test_a_plan_made_in_an_older_snapshot_is_not_kept(ours: Rows, conversation, other):
    """Under REPEATABLE READ the session sees the triggers as they were, and its plans outlive the transaction."""
    another = ours.conversation()
    ours.connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    with ours.connection.transaction():
        ours.stored(conversation)
        switch(other, "DISABLE", "USER")
        other.execute(DELETE_ONE, [conversation])
        switch(other, "ALWAYS", "USER")
        other.commit()
        for _ in range(WARM):
            ours.value(STORE, another)
    ours.connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
    assert_not_wrong(ours, conversation)


def test_a_rollback_takes_the_switch_back(ours: Rows, conversation):
    """The plans that were made meanwhile are discarded too."""
    with ours.connection.transaction(force_rollback=True):
        switch(ours.connection, "DISABLE", "USER")
        for _ in range(WARM):
            ours.value(STORE, conversation)
    assert known(ours, conversation) == ours.stored(conversation)
    ours.connection.execute(DELETE_ONE, [conversation])
    assert ours.value(STORE, conversation)["message_count"] == ours.stored(conversation) == known(ours, conversation)


@pytest.mark.parametrize("change", CHANGES)
def test_changes_are_counted_where_the_session_is_a_replica(ours: Rows, conversation, other, change: str):
    other.execute("SET session_replication_role = replica")
    other.execute(CHANGES[change], [conversation])
    other.commit()
    assert known(ours, conversation) == ours.stored(conversation) != WARM + 3


def test_counts_of_a_restored_table_are_unknown(ours: Rows, conversation):
    """It has the rows of the day of the backup, and another identity."""
    ours.connection.execute(
        "ALTER TABLE waops.message_count RENAME TO old;"
        " CREATE TABLE waops.message_count (LIKE waops.old INCLUDING ALL);"
        " INSERT INTO waops.message_count SELECT * FROM waops.old; DROP TABLE waops.old"
    )
    assert known(ours, conversation) is None
    ours.connection.execute("UPDATE waops.message_count SET messages = 1")
    assert ours.value(STORE, conversation)["message_count"] == ours.stored(conversation) == known(ours, conversation)


def test_a_table_that_was_replaced_counts_into_no_other_table(ours: Rows, conversation):
    """Its triggers still fire, for conversations whose messages are now elsewhere."""
    ours.connection.execute(f"ALTER TABLE {TABLE} RENAME TO old; CREATE TABLE {TABLE} (LIKE public.old INCLUDING ALL)")  # type: ignore[arg-type]
    ours.connection.execute(SQLFile.find("message_count_triggers").forward)  # type: ignore[arg-type]
    assert ours.value(STORE, conversation)["message_count"] == 1 == known(ours, conversation)
    ours.connection.execute(INSERT.replace(TABLE, "public.old"), [conversation])
    assert_not_wrong(ours, conversation)


def test_a_table_with_children_has_no_counts(ours: Rows, conversation):
    """What is written to a child, or a partition, fires no trigger of the whole table."""
    ours.connection.execute(f"CREATE TABLE public.child () INHERITS ({TABLE})")  # type: ignore[arg-type]
    ours.connection.execute(INSERT.replace(TABLE, "public.child"), [conversation])
    assert_not_wrong(ours, conversation)
    ours.connection.execute("DROP TABLE public.child")
    assert_not_wrong(ours, conversation)


@pytest.mark.parametrize("forced", ["FORCE", "ENABLE"])
def test_row_security_hides_no_messages_from_the_count(ours: Rows, conversation, forced: str):
    """The function's owner would count what its policies show it."""
    ours.connection.execute("DELETE FROM waops.message_count")
    with psycopg.connect(ours.connection.info.dsn, user=SUPERUSER, autocommit=True) as superuser:
        superuser.execute("CREATE ROLE counter NOLOGIN")
        try:
            superuser.execute(f"ALTER TABLE {TABLE} {forced} ROW LEVEL SECURITY")
            superuser.execute("GRANT USAGE, CREATE ON SCHEMA public, waops TO counter")
            superuser.execute("GRANT ALL ON ALL TABLES IN SCHEMA public, waops TO counter")
            superuser.execute("GRANT ALL ON ALL SEQUENCES IN SCHEMA public, waops TO counter")
            superuser.execute("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA waops TO counter")
            superuser.execute("ALTER FUNCTION waops.exact_count(uuid, boolean) OWNER TO counter")
            stored = Rows(superuser).value(STORE, conversation)
            assert stored["message_count"] == ours.stored(conversation)
            assert known(ours, conversation) in (None, ours.stored(conversation))
        finally:
            superuser.execute(sql.SQL("REASSIGN OWNED BY counter TO {}").format(sql.Identifier(SUPERUSER)))
            superuser.execute("DROP OWNED BY counter; DROP ROLE counter")
