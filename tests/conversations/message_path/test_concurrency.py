"""64 clients, 50 calls each, on a real server."""

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from tests.conversations.message_path.rows import Rows

CLIENTS = 64
CALLS = 50

STORE = "SELECT public.store_message_with_update(%s, 'user', %s, %s)"


def call_at_once(rows: Rows, query: str, parameters: Callable[[int, int], list[Any]], calls: int = CALLS) -> list[Any]:
    """Every client's answers, whatever their order. `parameters` are of client and call. No call may fail."""
    answers: list[Any] = []
    failures: list[Exception] = []
    start = threading.Barrier(CLIENTS)

    def client(number: int) -> None:
        try:
            with psycopg.connect(rows.connection.info.dsn, autocommit=True, prepare_threshold=0) as connection:
                start.wait()
                mine = [connection.execute(query, parameters(number, call)).fetchone()[0] for call in range(calls)]
            answers.extend(mine)
        except Exception as error:
            failures.append(error)
            start.abort()

    threads = [threading.Thread(target=client, args=[number]) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    return answers


def test_one_conversation_counts_every_message(ours: Rows):
    conversation = ours.conversation()
    answers = call_at_once(ours, STORE, lambda client, call: [conversation, f"{client}/{call}", f"{client}/{call}"])
    assert sorted(answer["message_count"] for answer in answers) == list(range(1, CLIENTS * CALLS + 1))
    assert ours.stored(conversation) == CLIENTS * CALLS
    assert ours.data(conversation)["context"]["message_count"] == CLIENTS * CALLS


def test_one_message_id_is_stored_once(ours: Rows):
    conversation = ours.conversation()
    answers = call_at_once(ours, STORE, lambda client, call: [conversation, "hello", f"wamid.{call}"])
    assert Counter(answer["duplicate"] for answer in answers) == {False: CALLS, True: (CLIENTS - 1) * CALLS}
    assert len({answer["message_id"] for answer in answers}) == CALLS
    assert ours.stored(conversation) == CALLS


@pytest.mark.parametrize("limit", [1000, CLIENTS * CALLS + 1])
def test_one_business_is_allowed_exactly_its_limit(ours: Rows, limit: int):
    business = ours.business(monthly_ai_response_limit=limit)
    query = "SELECT public.check_and_update_ai_usage(%s, true)"
    answers = call_at_once(ours, query, lambda client, call: [business])
    allowed = min(limit, CLIENTS * CALLS)
    assert sum(answer["allowed"] for answer in answers) == allowed
    assert max(answer["used"] for answer in answers) == allowed
    used = ours.value("SELECT monthly_ai_responses_used FROM public.profiles WHERE id = %s", business)
    assert used == allowed


def test_first_messages_at_once_make_one_conversation(ours: Rows):
    """Each call number is a new customer, and all clients try to be the first to write."""
    instance = ours.instance()
    answers = call_at_once(
        ours,
        "SELECT public.message_arrived(%s, %s, 'hello', %s, 0)",
        lambda client, call: [instance, f"2010{call}", f"{client}"],
    )
    assert sum(answer["created"] for answer in answers) == CALLS
    assert len({answer["conversation_id"] for answer in answers}) == CALLS
    customers = "SELECT array_agg(DISTINCT messages) FROM waops.message_count"
    assert ours.value(customers) == [CLIENTS]
    assert ours.value("SELECT count(*) FROM public.whatsapp_conversation_messages") == CLIENTS * CALLS


def test_whole_turns_of_several_customers_do_not_deadlock(ours: Rows):
    """Arrivals and replies that share businesses and personalities."""
    businesses = [ours.business(monthly_ai_response_limit=10**6) for _ in range(2)]
    instances = [ours.instance(business) for business in businesses]
    personalities = [ours.personality(*pair) for pair in zip(instances, businesses, strict=True)]
    conversations = [ours.conversation(instances[number % 2]) for number in range(8)]
    answers = call_at_once(
        ours,
        "SELECT public.reply_ready(%s, 'hi', %s, '{\"user_message\": \"hello\"}', NULL, %s)",
        lambda client, call: [conversations[(client + call) % 8], f"{client}/{call}", personalities[call % 2]],
        calls=50,
    )
    assert len({answer["interaction_id"] for answer in answers}) == CLIENTS * 50
    assert sum(ours.stored(conversation) for conversation in conversations) == CLIENTS * 50
    used = "SELECT sum(monthly_ai_responses_used) FROM public.profiles WHERE id = ANY (%s)"
    assert ours.value(used, businesses) == CLIENTS * 50
    assert ours.value("SELECT sum(usage_count) FROM public.ai_personalities") == CLIENTS * 50
