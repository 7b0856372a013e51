"""A stored message comes after every message before it, and the conversation's last activity never goes back."""

import threading
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests.conversations.message_path.rows import Rows
from tests.conversations.message_path.test_message_count import INSERT

BATCH = """SELECT public.store_messages(%s, '[{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]')"""
STORES = {
    "store_message_with_update": "SELECT public.store_message_with_update(%s, 'assistant', 'hi')",
    "store_messages": BATCH,
}
PLAIN = (
    'INSERT INTO public.whatsapp_conversation_messages (conversation_id, role, content, "timestamp")'
    " VALUES (%s, 'user', 'hello', now() + %s::interval)"
)
LAST_ACTIVITY = "SELECT last_activity FROM public.whatsapp_conversations WHERE id = %s"
TIMES = """
    SELECT array_agg("timestamp" ORDER BY "timestamp", id) FROM public.whatsapp_conversation_messages
    WHERE conversation_id = %s
"""


def times(rows: Rows, conversation: UUID) -> list[datetime]:
    return rows.value(TIMES, conversation)


def first_time(answer: dict[str, Any]) -> datetime:
    """Of the messages that a call stored."""
    return datetime.fromisoformat(answer["timestamp"] if "timestamp" in answer else answer["messages"][0]["timestamp"])


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("ahead", ["2 seconds", "3 hours"])
def test_it_follows_a_plain_insert_whose_clock_is_ahead(ours: Rows, store: str, ahead: str):
    conversation = ours.conversation()
    ours.connection.execute(PLAIN, [conversation, ahead])
    before = times(ours, conversation)[-1]
    assert first_time(ours.value(STORES[store], conversation)) > before


@pytest.mark.parametrize("store", STORES)
def test_it_follows_the_last_store_although_a_plain_insert_reset_last_activity(ours: Rows, store: str):
    conversation = ours.conversation()
    ours.connection.execute(
        "UPDATE public.whatsapp_conversations SET last_activity = now() + interval '3 hours' WHERE id = %s",
        [conversation],
    )
    ours.connection.execute(STORES[store], [conversation])
    ours.connection.execute(INSERT, [conversation])
    before = times(ours, conversation)[-1]
    assert first_time(ours.value(STORES[store], conversation)) > before


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("far", ["2 days", "infinity"])
def test_times_in_the_far_future_are_not_followed(ours: Rows, store: str, far: str):
    """One wrong clock does not put all later messages into the future."""
    conversation = ours.conversation()
    ours.connection.execute(
        'INSERT INTO public.whatsapp_conversation_messages (conversation_id, role, content, "timestamp")'
        f" VALUES (%s, 'user', 'hello', {'now() + interval ' if far != 'infinity' else ''}'{far}')",
        [conversation],
    )
    stored = first_time(ours.value(STORES[store], conversation))
    assert stored <= ours.value("SELECT clock_timestamp()")


@pytest.mark.parametrize("store", STORES)
def test_last_activity_does_not_go_back_in_a_transaction_that_began_earlier(ours: Rows, store: str):
    conversation = ours.conversation()
    with psycopg.connect(ours.connection.info.dsn) as slow:
        slow.execute("SELECT now()")
        ours.connection.execute(STORES[store], [conversation])
        before = ours.value(LAST_ACTIVITY, conversation)
        slow.execute(STORES[store], [conversation])
    assert ours.value(LAST_ACTIVITY, conversation) > before
    stored = times(ours, conversation)
    assert len(set(stored)) == len(stored)


def test_calls_that_overlap_are_in_the_order_in_which_they_answer(ours: Rows):
    """Each conversation's calls wait for each other; plain inserts and batches come in between."""
    conversation = ours.conversation()
    answers: list[tuple[int, datetime]] = []
    failures: list[Exception] = []
    lock = "SELECT FROM public.whatsapp_conversations WHERE id = %s FOR UPDATE"

    def write(number: int) -> None:
        try:
            with psycopg.connect(ours.connection.info.dsn, autocommit=True) as connection:
                for turn in range(40):
                    if (number + turn) % 4 == 0:
                        connection.execute(INSERT, [conversation])
                        continue
                    query = STORES["store_messages" if (number + turn) % 4 == 1 else "store_message_with_update"]
                    with connection.transaction():
                        connection.execute("SELECT now()")
                        connection.execute(lock, [conversation])
                        answers.append((len(answers), first_time(Rows(connection).value(query, conversation))))
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert [time for _place, time in answers] == sorted(time for _place, time in answers)


@pytest.mark.parametrize("store", STORES)
def test_noting_the_message_changes_no_index_of_the_conversations(ours: Rows, store: str):
    """The deployed trigger sets last_activity to now(); a later time would write seven index entries per message."""
    conversation = ours.conversation()
    with ours.connection.transaction():
        ours.connection.execute(STORES[store], [conversation])
        assert ours.value("SELECT pg_stat_get_xact_tuples_hot_updated('public.whatsapp_conversations'::regclass) > 0")
