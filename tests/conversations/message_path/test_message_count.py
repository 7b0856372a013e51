"""The message count is exact, whatever code writes and however it does."""

import threading
from uuid import UUID

import psycopg
import pytest

from tests.conversations.message_path.rows import Rows

INSERT = (
    "INSERT INTO public.whatsapp_conversation_messages (conversation_id, role, content) VALUES (%s, 'user', 'hello')"
)
COUNTED = "SELECT messages FROM waops.message_count WHERE conversation_id = %s"
DELETE_ONE = (
    "DELETE FROM public.whatsapp_conversation_messages WHERE id ="
    " (SELECT min(id::text)::uuid FROM public.whatsapp_conversation_messages WHERE conversation_id = %s)"
)


MISSED = "SELECT count(*) FROM waops.message_count_missed"
LOST = "SELECT is_called FROM waops.message_count_lost"
STORE = "SELECT public.store_message_with_update(%s, 'user', 'hello')"
KNOWN = """
    SELECT (
        SELECT counted.messages FROM waops.message_count AS counted
        WHERE counted.conversation_id = %s
            AND counted.basis = waops.count_triggers('public.whatsapp_conversation_messages')
            AND NOT (SELECT is_called FROM waops.message_count_lost)
            AND NOT EXISTS (
                SELECT FROM waops.message_count_missed AS missed
                WHERE missed.conversation_id = counted.conversation_id
            )
    )
"""


def known(rows: Rows, conversation: UUID) -> int | None:
    """The kept count, None if it is unknown."""
    return rows.value(KNOWN, conversation)


def count(rows: Rows, conversation: UUID) -> None:
    """Keep an exact count, as a store does."""
    assert rows.value("SELECT waops.exact_count(%s, false)", conversation) == rows.stored(conversation)


@pytest.fixture
def conversation(ours: Rows) -> UUID:
    """Has three messages, m1 to m3, and an exact count."""
    conversation = ours.conversation()
    ours.messages(conversation, 3)
    count(ours, conversation)
    return conversation


def test_a_plain_insert_does_not_count_what_was_there(ours: Rows):
    conversation = ours.conversation()
    ours.messages(conversation, 3)
    ours.connection.execute(INSERT, [conversation])
    assert known(ours, conversation) is None
    assert ours.value(STORE, conversation)["message_count"] == 5
    ours.connection.execute(INSERT, [conversation])
    assert known(ours, conversation) == 6


def test_it_counts_deletes(ours: Rows, conversation):
    ours.connection.execute(DELETE_ONE, [conversation])
    assert ours.value(COUNTED, conversation) == 2
    ours.connection.execute(DELETE_ONE, [conversation])
    assert ours.value(COUNTED, conversation) == 1


def test_it_counts_messages_that_move(ours: Rows, conversation):
    other = ours.conversation()
    count(ours, other)
    ours.connection.execute(
        "UPDATE public.whatsapp_conversation_messages SET conversation_id = %s WHERE message_id = 'm1'", [other]
    )
    assert (ours.value(COUNTED, conversation), ours.value(COUNTED, other)) == (2, 1)


def test_an_update_that_moves_nothing_counts_nothing(ours: Rows, conversation):
    ours.connection.execute(INSERT, [conversation])
    ours.connection.execute("UPDATE public.whatsapp_conversation_messages SET content = 'changed'")
    assert ours.value(COUNTED, conversation) == 4


def test_it_counts_copy_into_several_conversations(ours: Rows, conversation):
    other = ours.conversation()
    count(ours, other)
    copy = "COPY public.whatsapp_conversation_messages (conversation_id, role, content) FROM STDIN"
    with ours.connection.cursor() as cursor, cursor.copy(copy) as rows:
        for number in range(100):
            rows.write_row([other if number % 4 else conversation, "user", "copied"])
    assert (ours.value(COUNTED, conversation), ours.value(COUNTED, other)) == (28, 75)


def test_a_rollback_takes_the_count_back(ours: Rows, conversation):
    ours.connection.execute(INSERT, [conversation])
    with ours.connection.transaction(force_rollback=True):
        ours.connection.execute(INSERT, [conversation])
    assert ours.value(COUNTED, conversation) == 4


def test_a_deleted_conversation_takes_its_count_with_it(ours: Rows, conversation):
    ours.connection.execute("DELETE FROM public.whatsapp_conversations WHERE id = %s", [conversation])
    assert ours.value("SELECT count(*) FROM waops.message_count") == 0
    assert ours.stored(conversation) == 0


def test_truncate_empties_the_counts(ours: Rows, conversation):
    ours.connection.execute(INSERT, [conversation])
    ours.connection.execute("TRUNCATE public.whatsapp_conversations CASCADE")
    assert ours.value("SELECT count(*) FROM waops.message_count") == 0


def test_on_conflict_do_nothing_counts_only_what_it_stored(ours: Rows, conversation):
    upsert = (
        "INSERT INTO public.whatsapp_conversation_messages (conversation_id, role, content, message_id)"
        " VALUES (%s, 'user', 'x', 'm1'), (%s, 'user', 'x', 'new') ON CONFLICT (conversation_id, message_id) DO NOTHING"
    )
    ours.connection.execute(upsert, [conversation, conversation])
    ours.connection.execute(upsert, [conversation, conversation])
    assert ours.value(COUNTED, conversation) == 4


@pytest.mark.parametrize("role", ["service_role", "authenticated"])
def test_roles_without_rights_on_the_count_are_counted(ours: Rows, role: str):
    business = ours.business()
    conversation = ours.conversation(ours.instance(business))
    with ours.connection.transaction():
        ours.connection.execute("SELECT set_config('request.jwt.claim.sub', %s, true)", [str(business)])
        ours.connection.execute(f"SET LOCAL ROLE {role}")
        ours.connection.execute(INSERT, [conversation])
        ours.connection.execute(INSERT, [conversation])
        ours.connection.execute("DELETE FROM public.whatsapp_conversation_messages")
        ours.connection.execute(INSERT, [conversation])
        with pytest.raises(psycopg.errors.InsufficientPrivilege), ours.connection.transaction():
            ours.connection.execute("UPDATE waops.message_count SET messages = 7")
    assert ours.stored(conversation) == 1
    count(ours, conversation)


def test_the_function_counts_while_the_triggers_are_disabled(ours: Rows, conversation):
    ours.connection.execute("ALTER TABLE public.whatsapp_conversation_messages DISABLE TRIGGER USER")
    stored = ours.value("SELECT public.store_message_with_update(%s, 'user', 'hello')", conversation)
    assert stored["message_count"] == 4


def test_writers_and_deleters_at_once_do_not_make_it_drift(ours: Rows, conversation):
    """Sixteen writers on two conversations: inserts, deletes, function calls, and one who removes the counts."""
    conversations = [conversation, ours.conversation()]
    failures: list[Exception] = []

    def write(number: int) -> None:
        with psycopg.connect(ours.connection.info.dsn, autocommit=True) as connection:
            for turn in range(60):
                target = [conversations[(number + turn) % 2]]
                try:
                    match (number + turn) % 4:
                        case 0:
                            connection.execute(DELETE_ONE, target)
                        case 1 | 2:
                            connection.execute(INSERT, target)
                        case 3:
                            connection.execute("SELECT public.store_message_with_update(%s, 'user', 'x')", target)
                    if number == 0 and turn % 7 == 0:
                        connection.execute("DELETE FROM waops.message_count WHERE conversation_id = %s", target)
                except Exception as error:
                    failures.append(error)

    threads = [threading.Thread(target=write, args=[number]) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    for one in conversations:
        assert known(ours, one) in (None, ours.stored(one))
        assert ours.value(STORE, one)["message_count"] == ours.stored(one) == known(ours, one)


def test_two_statements_on_several_conversations_do_not_deadlock(ours: Rows, conversation):
    """Each names them in another order; the deployed row trigger, which locks in that order, is off."""
    ours.connection.execute(
        "ALTER TABLE public.whatsapp_conversation_messages DISABLE TRIGGER update_conversation_last_activity"
    )
    pair = [conversation, ours.conversation()]
    count(ours, pair[1])
    insert = (
        "INSERT INTO public.whatsapp_conversation_messages (conversation_id, role, content)"
        " SELECT unnest(%s::uuid[]), 'user', 'x'"
    )
    failures: list[Exception] = []

    def write(order: list) -> None:
        with psycopg.connect(ours.connection.info.dsn, autocommit=True) as connection:
            for _ in range(100):
                try:
                    connection.execute(insert, [order])
                except psycopg.Error as error:
                    failures.append(error)

    threads = [threading.Thread(target=write, args=[order]) for order in (pair, pair[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    for one in pair:
        assert known(ours, one) in (None, ours.stored(one))
        count(ours, one)


def test_a_statement_with_two_kinds_of_change_leaves_no_wrong_count(ours: Rows):
    """The first statement on an uncounted conversation: each trigger saw the result of both changes."""
    conversation = ours.conversation()
    ours.messages(conversation, 3)
    ours.connection.execute("DELETE FROM waops.message_count")
    ours.connection.execute(
        "WITH gone AS (DELETE FROM public.whatsapp_conversation_messages WHERE message_id = 'm1' RETURNING 1)"
        " INSERT INTO public.whatsapp_conversation_messages (conversation_id, role, content)"
        " SELECT %s, 'user', 'x' FROM gone, generate_series(1, 4)",
        [conversation],
    )
    assert known(ours, conversation) in (None, 6)
    count(ours, conversation)


@pytest.mark.parametrize("change", ["INSERT", "DELETE"])
def test_a_store_inside_a_statement_that_changes_messages_leaves_no_wrong_count(ours: Rows, change: str):
    """Its count sees the outer statement's change, whose trigger fires afterwards."""
    conversation = ours.conversation()
    ours.messages(conversation, 3)
    ours.connection.execute("DELETE FROM waops.message_count")
    outer = {"INSERT": f"{INSERT} RETURNING conversation_id", "DELETE": f"{DELETE_ONE} RETURNING conversation_id"}
    ours.connection.execute(
        f"WITH changed AS ({outer[change]})"
        " SELECT public.store_message_with_update(conversation_id, 'user', 'x') FROM changed",
        [conversation],
    )
    assert known(ours, conversation) in (None, ours.stored(conversation))
    count(ours, conversation)


@pytest.mark.parametrize(
    "store",
    [
        "public.store_message_with_update(NEW.conversation_id, 'assistant', 'hi')",
        """public.store_messages(NEW.conversation_id, '[{"role": "assistant", "content": "hi"}]')""",
    ],
)
def test_a_store_inside_a_trigger_of_the_service_leaves_no_wrong_count(ours: Rows, store: str):
    """Nor does it answer one: the message that fired the trigger is stored and not yet counted."""
    ours.connection.execute(
        "CREATE FUNCTION public.answer() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.content = 'hello' THEN"
        f" PERFORM {store}; END IF;"
        " RETURN NULL; END $$;"
        " CREATE TRIGGER a_first AFTER INSERT ON public.whatsapp_conversation_messages"
        " FOR EACH ROW EXECUTE FUNCTION public.answer()"
    )
    conversation = ours.conversation()
    told = "SELECT conversation_data #> '{context,message_count}' FROM public.whatsapp_conversations WHERE id = %s"
    for query in (INSERT, STORE, INSERT):
        ours.connection.execute(query, [conversation])
        assert ours.value(told, conversation) == ours.stored(conversation)
        assert known(ours, conversation) in (None, ours.stored(conversation))
        count(ours, conversation)
    assert ours.stored(conversation) == 6


def test_repeatable_read_leaves_no_wrong_count(ours: Rows, conversation):
    with psycopg.connect(ours.connection.info.dsn) as other:
        other.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        other.execute("SELECT count(*) FROM public.whatsapp_conversation_messages")
        ours.connection.execute(INSERT, [conversation])
        # The deployed trigger would refuse it for its own reason.
        ours.connection.execute(
            "ALTER TABLE public.whatsapp_conversation_messages DISABLE TRIGGER update_conversation_last_activity"
        )
        other.execute(INSERT, [conversation])
    assert ours.stored(conversation) == 5
    assert known(ours, conversation) is None
    count(ours, conversation)


@pytest.mark.parametrize("call", [STORE, "SELECT waops.exact_count(%s, false)"])
def test_repeatable_read_keeps_no_count_of_its_old_snapshot(ours: Rows, conversation, call: str):
    """All counts were forgotten after the snapshot, so nothing shows that a change came in between."""
    # The deployed trigger would refuse the store for its own reason.
    ours.connection.execute(
        "ALTER TABLE public.whatsapp_conversation_messages DISABLE TRIGGER update_conversation_last_activity"
    )
    with psycopg.connect(ours.connection.info.dsn) as other:
        other.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        other.execute("SELECT 1")
        ours.connection.execute(INSERT, [conversation])
        assert ours.value("SELECT waops.forget_counts()")
        other.execute(call, [conversation])
    assert known(ours, conversation) is None
    count(ours, conversation)


AWAY = {
    "disabled": "ALTER TABLE public.whatsapp_conversation_messages DISABLE TRIGGER USER; {change}",
    "dropped": "DROP TRIGGER waops_count_inserted ON public.whatsapp_conversation_messages; {change}",
    "function dropped": "DROP FUNCTION waops.count_messages() CASCADE; {change}",
    "replaced": "CREATE OR REPLACE FUNCTION waops.count_messages() RETURNS trigger LANGUAGE plpgsql"
    " AS 'BEGIN RETURN NULL; END'; {change}",
}


@pytest.mark.parametrize("fault", AWAY)
def test_triggers_that_are_away_leave_no_wrong_count(ours: Rows, conversation, fault: str):
    ours.connection.execute(AWAY[fault].format(change=INSERT.replace("%s", f"'{conversation}'")))
    assert ours.value(STORE, conversation)["message_count"] == ours.stored(conversation) == 5
    assert known(ours, conversation) is None


def test_a_table_that_was_restored_has_no_counts(ours: Rows, conversation):
    """Its triggers are ours again, its rows are not those that were counted."""
    ours.connection.execute("UPDATE waops.message_count SET table_oid = 1, messages = 10")
    ours.connection.execute(INSERT, [conversation])
    assert known(ours, conversation) is None
    assert ours.value(STORE, conversation)["message_count"] == ours.stored(conversation) == known(ours, conversation)


def test_it_counts_after_it_has_the_lock(ours: Rows, conversation):
    """Not in the snapshot from before it, which does not show what the holder of the lock has changed."""
    ours.connection.execute("UPDATE waops.message_count SET messages = NULL")
    ours.connection.execute("ALTER FUNCTION waops.exact_count(uuid, boolean) SET lock_timeout = '30s'")
    counted: list[int] = []
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = %s"
    with (
        psycopg.connect(ours.connection.info.dsn) as other,
        psycopg.connect(other.info.dsn, autocommit=True) as observer,
    ):
        other.execute(DELETE_ONE, [conversation])
        thread = threading.Thread(
            target=lambda: counted.append(ours.value("SELECT waops.exact_count(%s, false)", conversation))
        )
        thread.start()
        while not Rows(observer).value(waiting, ours.connection.info.backend_pid):
            pass
        other.commit()
        thread.join()
    assert counted == [2]
    assert known(ours, conversation) == ours.stored(conversation) == 2


GATE = """
    CREATE FUNCTION waops.gate() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END';
    CREATE TRIGGER gate BEFORE UPDATE OF counted_at ON waops.message_count EXECUTE FUNCTION waops.gate();
    ALTER FUNCTION waops.exact_count(uuid, boolean) SET lock_timeout = '30s'
"""
"""Stops a count after its snapshot and before it reads anything."""


def test_it_holds_the_lock_while_it_counts(ours: Rows, conversation):
    """A change that commits during the count would be overwritten."""
    ours.connection.execute("UPDATE waops.message_count SET basis = NULL")
    ours.connection.execute(GATE)
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = %s"
    with (
        psycopg.connect(ours.connection.info.dsn) as gate,
        psycopg.connect(gate.info.dsn, autocommit=True) as writer,
    ):
        gate.execute("SELECT pg_advisory_xact_lock(1)")
        thread = threading.Thread(target=lambda: ours.value("SELECT waops.exact_count(%s, false)", conversation))
        thread.start()
        while not Rows(writer).value(waiting, ours.connection.info.backend_pid):
            pass
        writer.execute(INSERT, [conversation])
        gate.commit()
        thread.join()
    assert known(ours, conversation) in (None, 4)
    count(ours, conversation)


DISTRUSTED = {
    "lost": "SELECT nextval('waops.message_count_lost')",
    "missed": "INSERT INTO waops.message_count_missed (conversation_id)"
    " SELECT conversation_id FROM waops.message_count",
    "unnoted": "CREATE OR REPLACE FUNCTION waops.count_messages() RETURNS trigger LANGUAGE plpgsql"
    " AS 'BEGIN RETURN NULL; END'",
    "other triggers": "UPDATE waops.message_count SET basis = basis + 1",
}


@pytest.mark.parametrize("store", ["store_message_with_update", "store_messages"])
@pytest.mark.parametrize("reason", DISTRUSTED)
def test_a_store_does_not_answer_a_count_that_is_not_trusted(ours: Rows, conversation, reason: str, store: str):
    ours.connection.execute("UPDATE waops.message_count SET messages = 99")
    ours.connection.execute(DISTRUSTED[reason])
    batch = """SELECT public.store_messages(%s, '[{"role": "user", "content": "x"}]')"""
    assert ours.value(STORE if store == "store_message_with_update" else batch, conversation)["message_count"] == 4
    assert known(ours, conversation) in (None, 4)


FAULTS = {
    "dropped": "DROP TABLE waops.message_count",
    "renamed": "ALTER TABLE waops.message_count RENAME TO gone",
    "column renamed": "ALTER TABLE waops.message_count RENAME COLUMN messages TO gone",
    "column added": "DELETE FROM waops.message_count; ALTER TABLE waops.message_count ADD COLUMN more integer NOT NULL",
    "closed": "REVOKE ALL ON waops.message_count FROM CURRENT_USER",
    "checked": "ALTER TABLE waops.message_count ADD CHECK (messages < 0) NOT VALID",
    "missed dropped": "DROP TABLE waops.message_count_missed",
    "missed renamed": "ALTER TABLE waops.message_count_missed RENAME TO gone",
    "lost dropped": "DROP SEQUENCE waops.message_count_lost",
    "lost renamed": "ALTER SEQUENCE waops.message_count_lost RENAME TO gone",
    "exact_count dropped": "DROP FUNCTION waops.exact_count(uuid, boolean)",
    "execute revoked": "REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA waops FROM service_role",
    "usage revoked": "REVOKE USAGE ON SCHEMA waops FROM service_role, CURRENT_USER",
    "schema renamed": "ALTER SCHEMA waops RENAME TO gone",
    "schema dropped": "DROP SCHEMA waops CASCADE",
}
UNDONE = {
    "renamed": "ALTER TABLE waops.gone RENAME TO message_count",
    "schema renamed": "ALTER SCHEMA gone RENAME TO waops",
    "missed renamed": "ALTER TABLE waops.gone RENAME TO message_count_missed",
    "lost renamed": "ALTER SEQUENCE waops.gone RENAME TO message_count_lost",
    "column added": "DELETE FROM waops.message_count; ALTER TABLE waops.message_count DROP COLUMN more",
    "closed": "GRANT ALL ON waops.message_count TO CURRENT_USER",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_ours_fails_no_statement_of_the_service(ours: Rows, conversation, fault: str):
    """Nor does it make a count wrong, while it lasts and after it."""
    instance = ours.value("SELECT instance_id FROM public.whatsapp_conversations WHERE id = %s", conversation)
    ours.connection.execute(FAULTS[fault])
    ours.connection.execute("SET ROLE service_role")
    ours.connection.execute(INSERT, [conversation])
    assert ours.value(STORE, conversation)["message_count"] == 5
    ours.connection.execute(DELETE_ONE, [conversation])
    batch = """SELECT public.store_messages(%s, '[{"role": "user", "content": "x"}]')"""
    assert ours.value(batch, conversation)["message_count"] == 5
    arrived = ours.value("SELECT public.message_arrived(%s, '20100', 'hello', 'a')", instance)
    assert arrived["message_count"] == 1
    replied = ours.value("SELECT public.reply_ready(%s, 'hi')", arrived["conversation_id"])
    assert (replied["message_count"], replied["quota"]["allowed"]) == (2, True)
    assert len(ours.value("SELECT public.get_conversation_with_context(%s, '20100')", instance)["recent_messages"]) == 2
    assert ours.value("SELECT public.get_instance_state(%s, '20100')", instance)["instance_config"]
    ours.connection.execute("DELETE FROM public.whatsapp_conversations WHERE id = %s", [arrived["conversation_id"]])
    ours.connection.execute("RESET ROLE")
    if fault in UNDONE:
        ours.connection.execute(UNDONE[fault])
        assert known(ours, conversation) in (None, 5)
        ours.connection.execute("SET ROLE service_role")
        assert ours.value(STORE, conversation)["message_count"] == 6


LOCKS = {
    "SHARE": "LOCK TABLE waops.message_count IN SHARE MODE",
    "ACCESS EXCLUSIVE": "LOCK TABLE waops.message_count IN ACCESS EXCLUSIVE MODE",
    "all": "LOCK TABLE waops.message_count, waops.message_count_missed IN ACCESS EXCLUSIVE MODE",
    "row": "SELECT FROM waops.message_count FOR UPDATE",
}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_on_the_count_fails_no_statement_of_the_service(ours: Rows, conversation, lock: str):
    """The wait is bounded by our own time-out, far below the service's."""
    with psycopg.connect(ours.connection.info.dsn) as holder:
        holder.execute(LOCKS[lock])
        ours.connection.execute("SET statement_timeout = '2s'")
        ours.connection.execute(INSERT, [conversation])
        assert ours.value(STORE, conversation)["message_count"] == 5
        ours.connection.execute(DELETE_ONE, [conversation])
        with ours.connection.transaction():
            for _ in range(200):
                ours.connection.execute(INSERT, [conversation])
    assert known(ours, conversation) is None
    if lock == "all":
        assert ours.value(LOST)
        assert [ours.value("SELECT waops.forget_counts()") for _ in range(2)] == [False, True]
    assert ours.value(STORE, conversation)["message_count"] == ours.stored(conversation) == known(ours, conversation)
    assert ours.value(MISSED) == 0


def test_clearing_a_chat_while_a_message_arrives_does_not_deadlock(ours: Rows, conversation):
    """The service deletes messages and then updates the conversation; the function locks the conversation first."""
    with psycopg.connect(ours.connection.info.dsn) as clearing:
        clearing.execute("DELETE FROM public.whatsapp_conversation_messages WHERE conversation_id = %s", [conversation])
        stored: list[dict] = []

        def store() -> None:
            with psycopg.connect(ours.connection.info.dsn, autocommit=True) as arriving:
                stored.append(Rows(arriving).value(STORE, conversation))

        thread = threading.Thread(target=store)
        thread.start()
        clearing.execute(
            "UPDATE public.whatsapp_conversations SET conversation_data = '{}' WHERE id = %s", [conversation]
        )
        clearing.commit()
        thread.join()
    assert len(stored) == 1
    assert ours.stored(conversation) == 1
    assert known(ours, conversation) in (None, 1)
    count(ours, conversation)


def test_forgetting_waits_for_writers_whose_change_went_uncounted(ours: Rows, conversation):
    with psycopg.connect(ours.connection.info.dsn) as writer:
        writer.execute(INSERT, [conversation])
        ours.connection.execute("SELECT nextval('waops.message_count_lost')")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            ours.connection.execute("SELECT waops.forget_counts()")
    assert known(ours, conversation) is None
    assert [ours.value("SELECT waops.forget_counts()") for _ in range(2)] == [False, True]
    count(ours, conversation)
    assert ours.value("SELECT waops.forget_counts()") is True
    assert known(ours, conversation) is None


def test_forgetting_waits_for_a_writer_that_could_note_nothing(ours: Rows, conversation):
    """It holds no lock on the counts, only on the table of messages."""
    with psycopg.connect(ours.connection.info.dsn) as writer:
        with psycopg.connect(ours.connection.info.dsn) as holder:
            holder.execute(LOCKS["all"])
            writer.execute(INSERT, [conversation])
        assert ours.value(LOST)
        with pytest.raises(psycopg.errors.LockNotAvailable):
            ours.connection.execute("SELECT waops.forget_counts()")
        assert known(ours, conversation) is None
    assert [ours.value("SELECT waops.forget_counts()") for _ in range(2)] == [False, True]
    count(ours, conversation)


def test_empty_ids_of_plain_inserts_are_no_duplicates(ours: Rows, conversation):
    """The unique index would refuse the second, and the message would be lost."""
    insert = (
        "INSERT INTO public.whatsapp_conversation_messages (conversation_id, role, content, message_id)"
        " VALUES (%s, 'user', 'x', '')"
    )
    for query in (insert, insert, f"{insert} ON CONFLICT (conversation_id, message_id) DO NOTHING"):
        ours.connection.execute(query, [conversation])
    ours.connection.execute("UPDATE public.whatsapp_conversation_messages SET message_id = ''")
    assert ours.value("SELECT count(*) FROM public.whatsapp_conversation_messages WHERE message_id IS NULL") == 6
