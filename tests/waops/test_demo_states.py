"""Every state of the data that the app must cope with is there, in the small size."""

from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pytest

from tests.databases import Databases
from waops.dev.demo import load
from waops.dev.embedded.server import EmbeddedServer

NOW = datetime(2026, 3, 20, 15, tzinfo=UTC)


@pytest.fixture(scope="module")
def demo(databases: Databases, server: EmbeddedServer) -> Iterator[psycopg.Connection]:
    with databases.clone("before") as name, psycopg.connect(server.dsn(dbname=name), autocommit=True) as connection:
        load(connection, now=NOW)
        yield connection


PROFILES = {
    "healthy": "is_active AND monthly_ai_responses_used < 0.7 * monthly_ai_response_limit",
    "near the limit": "monthly_ai_responses_used BETWEEN 0.9 * monthly_ai_response_limit "
    "AND monthly_ai_response_limit - 1",
    "used up": "monthly_ai_response_limit > 0 AND monthly_ai_responses_used = monthly_ai_response_limit",
    "over": "monthly_ai_response_limit > 0 AND monthly_ai_responses_used > monthly_ai_response_limit",
    "disabled": "monthly_ai_response_limit = 0 AND monthly_ai_responses_used = 0 AND NOT is_active "
    "AND subscription_end_date < '2026-03-20T15:00Z'",
    "reset overdue": "last_responses_reset_date < '2026-03-20T15:00Z'::timestamptz - interval '31 days'",
    "anonymous": "business_name IS NULL AND full_name IS NULL",
    "without conversations": """NOT EXISTS (
        SELECT FROM whatsapp_conversations AS c JOIN whatsapp_instances AS i ON i.id = c.instance_id
        WHERE i.user_id = p.id)""",
    "with two numbers": "(SELECT count(*) FROM whatsapp_instances AS i WHERE i.user_id = p.id) = 2",
}
MESSAGES = {
    "longer than 2,000 characters": "length(content) > 2000",
    "Arabic with English": "content ~ '[ء-ي]' AND content ~ '[A-Za-z]{4}'",
    "English only": "content ~ '^[ -~]+$'",
    "emoji": "content ~ '[🙏😡👍🌷]'",
    "joined": "role = 'user' AND content LIKE E'%\\n%'",
    "hold text": "role = 'assistant' AND message_id ~ '^escalated_[0-9]{13}$'",
    "handed over": "role = 'assistant' AND message_id ~ '^escalation_[0-9]{13}$'",
    "without a message id": "message_id IS NULL",
    "delivered twice": """EXISTS (
        SELECT FROM whatsapp_conversation_messages AS o
        WHERE o.conversation_id = p.conversation_id AND o.message_id = p.message_id AND o.id <> p.id)""",
    "missed": """message_id LIKE 'escalation_%' AND NOT EXISTS (
        SELECT FROM escalated_conversations AS e JOIN whatsapp_conversations AS c
            ON c.instance_id = e.instance_id AND c.user_phone = e.whatsapp_number
        WHERE c.id = p.conversation_id)""",
}
ESCALATIONS = {
    "open": "resolved_at IS NULL",
    "waiting for minutes": "resolved_at IS NULL AND escalated_at > '2026-03-20T14:30Z'",
    "waiting for days": "resolved_at IS NULL AND escalated_at < '2026-03-17T15:00Z'",
    "resolved by an owner": "resolved_by IS NOT NULL",
    "resolved by an unknown person": "resolved_at IS NOT NULL AND resolved_by IS NULL",
    "no reason": "reason IS NULL",
    "no instance": "instance_id IS NULL",
    "no conversation": """instance_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM whatsapp_conversations AS c
        WHERE c.instance_id = p.instance_id AND c.user_phone = p.whatsapp_number)""",
    "open twice": """resolved_at IS NULL AND EXISTS (
        SELECT FROM escalated_conversations AS o
        WHERE o.resolved_at IS NULL AND o.instance_id = p.instance_id AND o.whatsapp_number = p.whatsapp_number
          AND o.id <> p.id)""",
    "three times before": """resolved_at IS NULL AND (
        SELECT count(*) FROM escalated_conversations AS o
        WHERE o.resolved_at IS NOT NULL AND o.instance_id = p.instance_id
          AND o.whatsapp_number = p.whatsapp_number) >= 3""",
    "answered by the AI afterwards": """resolved_at IS NULL AND EXISTS (
        SELECT FROM whatsapp_ai_interactions AS a
        WHERE a.whatsapp_instance_id = p.instance_id AND a.user_phone = p.whatsapp_number
          AND a.created_at > p.escalated_at)""",
    "full context": "jsonb_array_length(conversation_context) = 10",
    "empty context": "conversation_context = '[]'",
}
OTHERS = {
    f"{status} number": f"whatsapp_instances AS p WHERE status = '{status}'"
    for status in ("Connected", "Disconnected", "Connecting", "Created", "CONNECTED", "DISCONNECTED")
} | {
    f"{status} conversation": f"whatsapp_conversations AS p WHERE status = '{status}'"
    for status in ("active", "inactive", "closed")
} | {
    "400 messages": """whatsapp_conversations AS p
        WHERE (SELECT count(*) FROM whatsapp_conversation_messages WHERE conversation_id = p.id) >= 400""",
    "unanswered customer": """whatsapp_conversations AS p WHERE 'user' = (
        SELECT role FROM whatsapp_conversation_messages WHERE conversation_id = p.id
        ORDER BY timestamp DESC LIMIT 1)""",
    "customer of several businesses": """whatsapp_conversations AS p
        WHERE (SELECT count(*) FROM whatsapp_conversations WHERE user_phone = p.user_phone) > 1""",
    "only inactive support numbers": """whatsapp_instances AS p WHERE escalation_enabled AND NOT EXISTS (
        SELECT FROM support_team_numbers AS s WHERE s.whatsapp_instance_id = p.id AND s.is_active)""",
} | {
    f"interaction without {key}": f"whatsapp_ai_interactions AS p WHERE metadata <> '{{}}' AND NOT metadata ? '{key}'"
    for key in (
        "personality_id", "personality_name", "detected_intent", "intent_confidence", "emotion_analysis",
        "customer_journey", "conversation_id",
    )
} | {
    "interaction without tokens": "whatsapp_ai_interactions AS p WHERE total_tokens IS NULL",
    "interaction without metadata": "whatsapp_ai_interactions AS p WHERE metadata = '{}'",
}  # fmt: skip

STATES = (
    {f"business: {name}": f"profiles AS p WHERE {condition}" for name, condition in PROFILES.items()}
    | {
        f"message: {name}": f"whatsapp_conversation_messages AS p WHERE {condition}"
        for name, condition in MESSAGES.items()
    }
    | {
        f"escalation: {name}": f"escalated_conversations AS p WHERE {condition}"
        for name, condition in ESCALATIONS.items()
    }
    | OTHERS
)


@pytest.mark.parametrize("state", STATES)
def test_state_is_present(demo: psycopg.Connection, state: str):
    assert demo.execute(f"SELECT EXISTS (SELECT FROM {STATES[state]})").fetchone() == (True,)


def test_every_reason_is_there_once_the_constraint_is_gone(owner_database):
    with psycopg.connect(owner_database) as connection:
        connection.execute("ALTER TABLE escalated_conversations DROP CONSTRAINT escalated_conversations_reason_check")

        summary = load(connection, now=NOW)

        reasons = {row[0] for row in connection.execute("SELECT DISTINCT reason FROM escalated_conversations")}
    assert {"user_request", "custom_ai_instructions", "ai_failure", "vip_customer", None} <= reasons
    assert summary.left_out == []


def test_context_is_oldest_first_and_ends_before_the_escalation(demo: psycopg.Connection):
    wrong = """
        SELECT count(*) FROM escalated_conversations AS e, LATERAL (
            SELECT array_agg((item ->> 'timestamp')::timestamptz ORDER BY place) AS found,
                   array_agg((item ->> 'timestamp')::timestamptz ORDER BY item ->> 'timestamp') AS sorted
            FROM jsonb_array_elements(conversation_context) WITH ORDINALITY AS t (item, place)) AS moments
        WHERE found <> sorted OR found[cardinality(found)] > escalated_at
    """
    assert demo.execute(wrong).fetchone() == (0,)


def test_hold_texts_only_follow_an_escalation(demo: psycopg.Connection):
    wrong = """
        SELECT count(*) FROM whatsapp_conversation_messages AS m
        JOIN whatsapp_conversations AS c ON c.id = m.conversation_id
        WHERE m.message_id LIKE 'escalated_%' AND NOT EXISTS (
            SELECT FROM escalated_conversations AS e
            WHERE e.instance_id = c.instance_id AND e.whatsapp_number = c.user_phone AND e.escalated_at < m.timestamp
              AND (e.resolved_at IS NULL OR e.resolved_at > m.timestamp))
    """
    assert demo.execute(wrong).fetchone() == (0,)


def test_message_ids_of_hold_texts_tell_their_moment(demo: psycopg.Connection):
    wrong = """
        SELECT count(*) FROM whatsapp_conversation_messages
        WHERE message_id LIKE 'escalat%'
          AND extract(epoch FROM timestamp) * 1000 <> split_part(message_id, '_', 2)::bigint
    """
    assert demo.execute(wrong).fetchone() == (0,)


def test_use_is_never_less_than_the_answers_since_the_reset(demo: psycopg.Connection):
    wrong = """
        SELECT count(*) FROM profiles AS p
        WHERE monthly_ai_response_limit > monthly_ai_responses_used AND monthly_ai_responses_used < (
            SELECT count(*) FROM whatsapp_ai_interactions AS a
            JOIN whatsapp_instances AS i ON i.id = a.whatsapp_instance_id
            WHERE i.user_id = p.id AND a.created_at >= p.last_responses_reset_date)
    """
    assert demo.execute(wrong).fetchone() == (0,)
