"""The legacy path and the functions return and store the same, given the same random calls on the same data."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

import pytest
from django.db import DataError, connection, transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from waffle.testutils import override_sample

from tests import quick
from tests.conversations.message_path.callers import legacy, procedures
from tests.conversations.message_path.rows import Rows
from usage.legacy import check_and_update_ai_usage as old_check
from usage.procedures import check_and_update_ai_usage as new_check
from waops.database.calls import CallRefused
from waops.database.errors import sqlstate

OLD: dict[str, Callable] = {name: getattr(legacy, name) for name in legacy.__all__} | {"check": old_check}
NEW: dict[str, Callable] = {name: getattr(procedures, name) for name in procedures.__all__} | {"check": new_check}

CHANCE = {"id", "message_id", "interaction_id", "conversation_id", "timestamp", "last_update", "last_activity"}
"""What differs between any two calls, in answers and rows: new ids, and the time."""


@dataclass(frozen=True)
class Row:
    """A row of the starting data, whose id differs from run to run."""

    name: str


UNKNOWN = UUID("00000000-0000-0000-0000-00000000dead")
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)
message_ids = st.sampled_from([None, "", "a", "b", "c", "i" * 513])
conversations = st.sampled_from([Row("first"), Row("second"), Row("odd"), UNKNOWN])
roles = st.sampled_from(["user", "user", "assistant", "system"])
phones = st.sampled_from(["20100", "20101", "20102", "20109", ""])
instances = st.sampled_from([Row("number"), Row("number"), UNKNOWN])
limits = st.sampled_from([0, 1, 3, 10, 1000, -1, 1001, 2**31, None])
interactions = st.none() | st.fixed_dictionaries(
    {"user_message": texts}, optional={"total_tokens": st.integers(-5, 10**10), "metadata": st.just({"a": [1, None]})}
)
personalities = st.sampled_from([Row("personality"), Row("personality"), UNKNOWN])
batch = st.lists(
    st.fixed_dictionaries({"role": roles, "content": texts}, optional={"message_id": message_ids}), max_size=5
)

calls = st.lists(
    st.one_of(
        st.tuples(st.just("store_message_with_update"), conversations, roles, texts, message_ids),
        st.tuples(st.just("store_message_and_update_conversation"), conversations, roles, texts, message_ids),
        st.tuples(st.just("store_messages"), conversations, batch),
        st.tuples(st.just("get_conversation_with_context"), instances, phones, limits),
        st.tuples(st.just("get_instance_state"), instances, phones),
        st.tuples(st.just("update_personality_usage_batch"), st.lists(personalities, max_size=4)),
        st.tuples(st.just("message_arrived"), instances, phones, texts, message_ids, limits),
        st.tuples(
            st.just("reply_ready"),
            conversations,
            texts,
            message_ids,
            interactions,
            st.none() | st.sampled_from([Row("business"), UNKNOWN]),
            st.none() | personalities,
        ),
        st.tuples(st.just("check"), st.sampled_from([Row("business"), UNKNOWN, None]), st.booleans()),
    ),
    max_size=8,
)


class Outcome(Exception):  # noqa: N818
    """Carries what a run found out of the transaction that it undoes."""


@pytest.mark.django_db
@settings(
    max_examples=quick.examples(200),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(calls)
@example([("reply_ready", Row("first"), "", None, {"user_message": "", "total_tokens": 2**31}, None, None)])
def test_both_paths_answer_and_store_the_same(sequence: list[tuple]):
    assert run(OLD, sequence) == run(NEW, sequence)


def run(path: dict[str, Callable], sequence: list[tuple]) -> tuple[list[Any], list[Any]]:
    """The answers, and the rows afterwards."""
    try:
        with transaction.atomic():
            rows = Rows(connection.connection)
            names = starting_data(rows)
            answers = [answer(path[name], [replaced(given, names) for given in given_]) for name, *given_ in sequence]
            raise Outcome(answers, [without_chance(row) for row in tables(rows)])
    except Outcome as outcome:
        return outcome.args


def starting_data(rows: Rows) -> dict[str, UUID]:
    business = rows.business(full_name="Owner", monthly_ai_response_limit=3, monthly_ai_responses_used=1)
    number = rows.instance(business, instance_name="number")
    names = {
        "business": business,
        "number": number,
        "personality": rows.personality(number, business),
        "first": rows.conversation(number, user_phone="20100", conversation_data={"kept": 1.50, "context": {"x": "y"}}),
        "second": rows.conversation(number, user_phone="20101", status="closed"),
        "odd": rows.conversation(number, user_phone="20102", conversation_data=[1], status="inactive"),
    }
    rows.ai_config(number, business)
    rows.messages(names["first"], 4)
    rows.escalation(number, "20101")
    return names


def replaced(given: Any, names: dict[str, UUID]) -> Any:
    if isinstance(given, list):
        return [replaced(one, names) for one in given]
    return names[given.name] if isinstance(given, Row) else given


def answer(call: Callable, arguments: list[Any]) -> Any:
    try:
        with transaction.atomic():
            found = call(*arguments)
    except CallRefused as refused:
        return ("refused", refused.sqlstate)
    except DataError as error:  # of the legacy path, called here without what turns it into CallRefused
        return ("refused", sqlstate(error))
    return without_chance(asdict(found)) if found is not None else None


def tables(rows: Rows) -> list[Any]:
    queries = {
        # Times are unique within one conversation only.
        "whatsapp_conversation_messages": """(
            SELECT user_phone FROM public.whatsapp_conversations AS c WHERE c.id = t.conversation_id
        ), "timestamp\"""",
        "whatsapp_conversations": "user_phone",
        "whatsapp_ai_interactions": "user_phone, user_message, ai_response, metadata::text, total_tokens",
        "profiles": "monthly_ai_responses_used",
        "ai_personalities": "usage_count",
        "whatsapp_ai_config": "total_personality_switches",
    }
    return [
        rows.value(f"SELECT coalesce(json_agg(t ORDER BY {order}), '[]') FROM public.{table} AS t")
        for table, order in queries.items()
        for order in [order]
    ]


def without_chance(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_chance(one) for key, one in value.items() if not is_chance(key, one)}
    if isinstance(value, list | tuple):
        return [without_chance(one) for one in value]
    return value


def is_chance(key: str, value: Any) -> bool:
    return key in CHANCE or key.endswith(("_at", "_date")) or (key.endswith("_id") and value is not None)


@pytest.mark.django_db
def test_the_decorated_callers_agree_with_themselves_switched_off():
    sequence = [("store_message_with_update", Row("first"), "user", "hello", "a")] * 2
    with override_sample("store_message_with_update", active=False):
        switched_off = run(NEW, sequence)
    assert switched_off == run(NEW, sequence)
