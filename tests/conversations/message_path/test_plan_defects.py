"""The defects verified in the plan's own SQL: each test passes on our functions and must fail on the plan's."""

import re
from datetime import UTC, datetime
from uuid import UUID

import psycopg
import pytest

from tests.conversations.message_path.rows import Rows

STORE = "SELECT public.store_message_with_update(%s, %s, %s, %s)"
CONTEXT = "SELECT public.get_conversation_with_context(%s, %s)"
CHECK = "SELECT public.check_and_update_ai_usage(%s)"


def test_the_count_includes_the_message_just_stored(rows: Rows):
    conversation = rows.conversation()
    assert rows.value(STORE, conversation, "user", "hello", "a")["message_count"] == 1
    assert rows.value(STORE, conversation, "assistant", "hi", "b")["message_count"] == 2
    assert rows.data(conversation)["context"]["message_count"] == 2


def test_other_keys_of_conversation_data_survive(rows: Rows):
    conversation = rows.conversation(conversation_data={"language": "ar", "context": {"topic": "prices"}})
    rows.value(STORE, conversation, "user", "hello", None)
    data = rows.data(conversation)
    assert data.get("language") == "ar"
    assert data["context"].items() >= {"topic": "prices", "message_count": 1, "last_message_role": "user"}.items()
    assert data["context"]["last_update"]


def test_a_message_delivered_twice_is_stored_once(rows: Rows):
    conversation = rows.conversation()
    first = rows.value(STORE, conversation, "user", "hello", "wamid.1")
    again = rows.value(STORE, conversation, "user", "hello", "wamid.1")
    assert rows.stored(conversation) == 1
    assert again["message_id"] == first["message_id"]
    assert (first["duplicate"], again["duplicate"]) == (False, True)


SERVICE_TRIGGER = "update_conversation_last_activity"


def test_the_cost_does_not_grow_with_the_conversation(rows: Rows):
    """Pages touched, which the server counts, instead of time."""
    short, long = rows.conversation(), rows.conversation()
    rows.messages(short, 10)
    # It would rewrite the conversation with each of them.
    rows.connection.execute(f"ALTER TABLE public.whatsapp_conversation_messages DISABLE TRIGGER {SERVICE_TRIGGER}")
    rows.messages(long, 20_000)
    rows.connection.execute(f"ALTER TABLE public.whatsapp_conversation_messages ENABLE TRIGGER {SERVICE_TRIGGER}")
    rows.connection.execute("ANALYZE public.whatsapp_conversation_messages")

    def pages(conversation) -> int:
        touched = []
        for _ in range(3):
            plan = rows.connection.execute(
                f"EXPLAIN (ANALYZE, BUFFERS) {STORE}", [conversation, "user", "hello", None]
            ).fetchall()
            touched.append(int(re.search(r"shared hit=(\d+)", plan[1][0])[1]))
        return min(touched)

    assert pages(long) < pages(short) + 50


def test_empty_lists_are_empty_not_null(rows: Rows):
    instance = rows.instance()
    rows.conversation(instance, user_phone="20100")
    context = rows.value(CONTEXT, instance, "20100")
    assert context["recent_messages"] == []
    assert context["recent_interactions"] == []


@pytest.mark.parametrize("status", [None, "inactive", "closed"])
def test_an_escalated_customer_is_escalated_without_an_active_conversation(rows: Rows, status: str | None):
    instance = rows.instance()
    if status:
        rows.conversation(instance, user_phone="20100", status=status)
    rows.escalation(instance, "20100")
    context = rows.value(CONTEXT, instance, "20100")
    assert context is not None
    assert context["conversation"] is None
    assert context["is_escalated"] is True
    assert context["instance_config"]["id"] == str(instance)


def test_an_unknown_business_is_allowed(rows: Rows):
    usage = rows.value(CHECK, "00000000-0000-0000-0000-000000000000")
    assert usage["allowed"] is True
    assert usage["errorMessage"]
    assert rows.value("SELECT sum(occurrences) FROM waops.waops_incident WHERE kind = 'unknown_business'") == 1


def test_the_reset_has_a_time_zone(rows: Rows):
    resets_on = rows.value(CHECK, rows.business())["resetsOn"]
    assert datetime.fromisoformat(resets_on).tzinfo is not None


def test_the_reset_is_never_in_the_past(rows: Rows):
    business = rows.business(last_responses_reset_date=datetime(2024, 1, 31, 12, tzinfo=UTC))
    usage = rows.value(CHECK, business)
    assert datetime.fromisoformat(usage["resetsOn"]).replace(tzinfo=UTC) > datetime.now(UTC)
    assert usage["resetOverdue"] is True


def test_checking_takes_no_row_lock(rows: Rows):
    business = rows.business()
    with psycopg.connect(rows.connection.info.dsn) as other, other.transaction():
        other.execute("SELECT FROM public.profiles WHERE id = %s FOR UPDATE", [business])
        rows.connection.execute("SET lock_timeout = '100ms'")
        assert rows.value(CHECK, business)["allowed"] is True


def test_a_batch_leaves_duplicates_out(rows: Rows):
    """The plan's own batch statement: ON CONFLICT needs the unique index that the plan forgot."""
    conversation = rows.conversation()
    rows.messages(conversation, 2)
    rows.connection.execute(
        "INSERT INTO public.whatsapp_conversation_messages (conversation_id, role, content, message_id)"
        " SELECT %s, 'user', 'again', 'm' || n FROM generate_series(1, 3) AS n"
        " ON CONFLICT (conversation_id, message_id) DO NOTHING",
        [conversation],
    )
    assert rows.stored(conversation) == 3


def arrive(rows: Rows, instance: UUID, phone: str) -> UUID:
    """Find or create the customer's conversation: ours, or as the plan does."""
    if not rows.as_planned:
        arrived = rows.value("SELECT public.message_arrived(%s, %s, 'hello')", instance, phone)
        assert (arrived["created"], arrived["reactivated"]) == (False, True)
        return UUID(arrived["conversation_id"])
    find = "SELECT id FROM whatsapp_conversations WHERE instance_id = %s AND user_phone = %s AND status = 'active'"
    found = rows.connection.execute(find, [instance, phone]).fetchone()
    return found[0] if found else rows.conversation(instance, user_phone=phone)


@pytest.mark.parametrize("status", ["inactive", "closed"])
def test_a_conversation_that_was_closed_is_reactivated(rows: Rows, status: str):
    """The plan inserts a conversation when it finds none active, and (instance_id, user_phone) is unique."""
    instance = rows.instance()
    conversation = rows.conversation(instance, user_phone="20100", status=status)
    assert arrive(rows, instance, "20100") == conversation
    assert rows.value("SELECT status FROM public.whatsapp_conversations WHERE id = %s", conversation) == "active"


PLANNED_STATE = """
    SELECT json_build_object('is_escalated', e.id IS NOT NULL, 'instance_config', row_to_json(i))
    FROM whatsapp_instances i JOIN escalated_conversations e ON e.instance_id = i.id
    WHERE i.id = %s AND e.whatsapp_number = %s AND e.resolved_at IS NULL
"""


def test_the_settings_are_read_when_nothing_is_escalated(rows: Rows):
    """The plan joins instances to escalations, which drops the instance without one."""
    instance = rows.instance()
    state = rows.value(PLANNED_STATE if rows.as_planned else "SELECT get_instance_state(%s, %s)", instance, "20100")
    assert state["is_escalated"] is False
    assert state["instance_config"]["id"] == str(instance)


def test_the_deployed_argument_name_gives_way(server, databases, ours: Rows):
    """A deployed copy names the third argument p_message_limit, which CREATE OR REPLACE cannot rename."""
    call = "SELECT public.get_conversation_with_context(p_instance_id => %s, p_user_phone => '20100', p_limit => 5)"
    with databases.clone("before") as name, psycopg.connect(server.dsn(dbname=name), autocommit=True) as connection:
        instance = Rows(connection).instance()
        with pytest.raises(psycopg.errors.UndefinedFunction):
            Rows(connection).value(call, instance)
    assert ours.value(call, ours.instance())["conversation"] is None
