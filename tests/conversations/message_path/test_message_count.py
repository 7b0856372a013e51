"""The message count is exact whoever writes, and however."""

import threading

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


def uncount(rows: Rows) -> None:
    """As if nobody had written since the triggers were made."""
    rows.connection.execute("DELETE FROM waops.message_count")


@pytest.fixture
def conversation(ours: Rows):
    """Has three messages, which are not counted yet."""
    conversation = ours.conversation()
    ours.messages(conversation, 3)
    uncount(ours)
    return conversation


def test_it_counts_what_was_there_at_the_first_touch(ours: Rows, conversation):
    ours.connection.execute(INSERT, [conversation])
    assert ours.value(COUNTED, conversation) == 4


def test_it_counts_deletes(ours: Rows, conversation):
    ours.connection.execute(DELETE_ONE, [conversation])
    assert ours.value(COUNTED, conversation) == 2
    ours.connection.execute(DELETE_ONE, [conversation])
    assert ours.value(COUNTED, conversation) == 1


def test_it_counts_messages_that_move(ours: Rows, conversation):
    other = ours.conversation()
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


@pytest.mark.parametrize("counted", [True, False])
def test_a_deleted_conversation_takes_its_count_with_it(ours: Rows, conversation, counted: bool):
    if counted:
        ours.connection.execute(INSERT, [conversation])
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
    assert ours.value(COUNTED, conversation) == ours.stored(conversation) == 1


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
        ours.connection.execute(INSERT, [one])
        assert ours.value(COUNTED, one) == ours.stored(one)


def test_two_statements_on_several_conversations_do_not_deadlock(ours: Rows, conversation):
    """Each names them in another order; the deployed row trigger, which locks in that order, is off."""
    ours.connection.execute(
        "ALTER TABLE public.whatsapp_conversation_messages DISABLE TRIGGER update_conversation_last_activity"
    )
    pair = [conversation, ours.conversation()]
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
    assert [ours.value(COUNTED, one) for one in pair] == [ours.stored(one) for one in pair]
