"""The service as the database sees it: rows of every kind, and each statement that the service sends."""

import re
from dataclasses import dataclass

import psycopg
from psycopg import sql

SETTINGS = """
    SELECT set_config('search_path', 'public, extensions', false),
           set_config('request.jwt.claims', '{"sub": "00000000-0000-4000-8000-0000000000b1"}', false)
"""
"""The search path is the one that PostgREST sets; the claims are the business's."""

ROLES = ("service_role", "authenticated")

BUSINESS = "00000000-0000-4000-8000-0000000000b1"
EXPIRED = "00000000-0000-4000-8000-0000000000b2"
UNKNOWN = "00000000-0000-4000-8000-0000000000ff"
INSTANCE = "00000000-0000-4000-8000-0000000000a1"
COUNTED = "00000000-0000-4000-8000-0000000000c1"
OTHER = "00000000-0000-4000-8000-0000000000c2"
UNCOUNTED = "00000000-0000-4000-8000-0000000000c3"
PERSONALITY = "00000000-0000-4000-8000-0000000000e1"
MESSAGE = "00000000-0000-4000-8000-0000000000d1"

WORLD = f"""
    INSERT INTO auth.users (id) VALUES ('{BUSINESS}'), ('{EXPIRED}');
    INSERT INTO profiles (
        id, full_name, monthly_ai_responses_used, last_responses_reset_date, subscription_end_date
    ) VALUES
        ('{BUSINESS}', 'Due for a reset', 7, now() - interval '31 days', now() + interval '30 days'),
        ('{EXPIRED}', 'Expired', 7, now(), now() - interval '1 day');
    INSERT INTO whatsapp_instances (id, user_id, instance_name) VALUES ('{INSTANCE}', '{BUSINESS}', 'shop');
    INSERT INTO whatsapp_conversations (id, instance_id, user_phone, conversation_data) VALUES
        ('{COUNTED}', '{INSTANCE}', '201', '{{"language": "ar"}}'),
        ('{OTHER}', '{INSTANCE}', '202', '{{}}'),
        ('{UNCOUNTED}', '{INSTANCE}', '203', '{{}}');
    INSERT INTO whatsapp_conversation_messages (conversation_id, role, content) VALUES ('{UNCOUNTED}', 'user', 'old');
    INSERT INTO whatsapp_conversation_messages (id, conversation_id, role, content, message_id) VALUES
        ('{MESSAGE}', '{COUNTED}', 'user', 'first', 'm1');
    INSERT INTO whatsapp_conversation_messages (conversation_id, role, content, message_id) VALUES
        ('{COUNTED}', 'assistant', 'second', 'm2'), ('{OTHER}', 'user', 'third', 'm3');
    INSERT INTO whatsapp_ai_interactions (whatsapp_instance_id, user_phone, user_message, ai_response) VALUES
        ('{INSTANCE}', '201', 'question', 'answer'), ('{INSTANCE}', '202', 'question', 'answer');
    INSERT INTO ai_personalities (id, whatsapp_instance_id, user_id, name, system_prompt)
    VALUES ('{PERSONALITY}', '{INSTANCE}', '{BUSINESS}', 'Sales', 'Sell.');
    INSERT INTO whatsapp_ai_config (whatsapp_instance_id, user_id, system_prompt, is_active)
    VALUES ('{INSTANCE}', '{BUSINESS}', 'Help.', true);
    INSERT INTO escalated_conversations (whatsapp_number, instance_id, reason)
    VALUES ('202', '{INSTANCE}', 'user_request');
"""
COUNT = f"""
    SELECT store_message_with_update('{COUNTED}', 'user', 'counted');
    SELECT store_message_with_update('{OTHER}', 'user', 'counted');
    SELECT check_and_update_ai_usage('{UNKNOWN}');
    DELETE FROM waops.message_count WHERE conversation_id = '{UNCOUNTED}'
"""
"""Fills the tables of ours. UNCOUNTED has no count."""


def fill(connection: psycopg.Connection) -> None:
    """Make the rows, as a superuser who stays signed in with the service's settings."""
    connection.execute(SETTINGS)
    connection.execute(WORLD)
    for statement in COUNT.split(";"):
        connection.execute(statement)


REWIND = """
    SELECT setval(sequence.oid, 1, false)
    FROM pg_class AS sequence
    WHERE sequence.relnamespace = 'waops'::regnamespace AND sequence.relkind = 'S' AND sequence.oid <> ALL (
        SELECT objid FROM pg_depend WHERE classid = 'pg_class'::regclass AND deptype IN ('a', 'i')
    )
"""
"""No rollback takes back what was drawn from a sequence; those without a table are marks."""

MESSAGES = "whatsapp_conversation_messages"
INTERACTIONS = "whatsapp_ai_interactions"
INSERT = f"INSERT INTO {MESSAGES} (conversation_id, role, content, message_id) VALUES"

STATEMENTS = {
    "INSERT of a message": f"{INSERT} ('{COUNTED}', 'user', 'hello', 'n1')",
    "INSERT of messages": f"{INSERT} ('{COUNTED}', 'user', 'hello', 'n1'), ('{OTHER}', 'user', 'hi', NULL),"
    f" ('{UNCOUNTED}', 'user', 'hi', NULL)",
    "upsert of messages": f"{INSERT} ('{COUNTED}', 'user', 'again', 'm1'), ('{COUNTED}', 'user', 'new', 'n1')"
    " ON CONFLICT (conversation_id, message_id) DO UPDATE SET content = excluded.content",
    "COPY of messages": f"COPY {MESSAGES} (conversation_id, role, content) FROM STDIN",
    "UPDATE of a message": f"UPDATE {MESSAGES} SET content = 'edited' WHERE id = '{MESSAGE}'",
    "UPDATE moving a message": f"UPDATE {MESSAGES} SET conversation_id = '{OTHER}' WHERE id = '{MESSAGE}'",
    "DELETE of a message": f"DELETE FROM {MESSAGES} WHERE id = '{MESSAGE}'",
    "TRUNCATE of messages": f"TRUNCATE {MESSAGES}",
    "INSERT of a conversation": "INSERT INTO whatsapp_conversations (instance_id, user_phone)"
    f" VALUES ('{INSTANCE}', '204')",
    "UPDATE of a conversation": f"UPDATE whatsapp_conversations SET status = 'closed' WHERE id = '{COUNTED}'",
    "DELETE of a conversation": f"DELETE FROM whatsapp_conversations WHERE id = '{COUNTED}'",
    "DELETE of a WhatsApp number": f"DELETE FROM whatsapp_instances WHERE id = '{INSTANCE}'",
    "INSERT of an AI reply": f"INSERT INTO {INTERACTIONS}"
    " (whatsapp_instance_id, user_phone, user_message, ai_response, response_model, total_tokens)"
    f" VALUES ('{INSTANCE}', '201', 'question', 'answer', 'gpt-4.1-mini', 412)",
    "UPDATE of AI replies": f"UPDATE {INTERACTIONS} SET total_tokens = 9 WHERE user_phone = '201'",
    "DELETE of AI replies": f"DELETE FROM {INTERACTIONS} WHERE user_phone = '201'",
    "TRUNCATE of AI replies": f"TRUNCATE {INTERACTIONS}",
    "UPDATE of a counter": "UPDATE profiles SET monthly_ai_responses_used = monthly_ai_responses_used + 1"
    f" WHERE id = '{BUSINESS}'",
    "UPDATE of a limit": f"UPDATE profiles SET monthly_ai_response_limit = 500 WHERE id = '{BUSINESS}'",
    "UPDATE resetting a counter": "UPDATE profiles SET monthly_ai_responses_used = 0, last_responses_reset_date = now()"
    f" WHERE id = '{BUSINESS}'",
    "DELETE of a business": f"DELETE FROM profiles WHERE id = '{BUSINESS}'",
    "INSERT of an escalation": "INSERT INTO escalated_conversations (whatsapp_number, instance_id)"
    f" VALUES ('201', '{INSTANCE}')",
    "manage_subscriptions_and_limits": "SELECT total_processed, expired_disabled, active_reset"
    " FROM manage_subscriptions_and_limits()",
    "escalate_conversation": f"SELECT escalate_conversation('201', '{INSTANCE}', 'user_request')",
    "is_conversation_escalated": f"SELECT is_conversation_escalated('202', '{INSTANCE}')",
    "resolve_escalation": f"SELECT resolve_escalation('202', '{INSTANCE}', '{BUSINESS}')",
    "update_personality_usage": f"SELECT update_personality_usage('{PERSONALITY}')",
    "store_message_with_update": f"SELECT store_message_with_update('{COUNTED}', 'user', 'hello', 'n1')",
    "store_message_with_update, uncounted": f"SELECT store_message_with_update('{UNCOUNTED}', 'user', 'hello')",
    "store_message_with_update, delivered again": f"SELECT store_message_with_update('{COUNTED}', 'user', 'x', 'm1')",
    "store_message_and_update_conversation": "SELECT store_message_and_update_conversation("
    f"'{COUNTED}', 'user', 'hello', 'n1')",
    "store_messages": f"SELECT store_messages('{COUNTED}',"
    """ '[{"role": "user", "content": "a", "message_id": "m1"}, {"role": "user", "content": "b"}]')""",
    "get_conversation_with_context": f"SELECT get_conversation_with_context('{INSTANCE}', '202')",
    "get_instance_state": f"SELECT get_instance_state('{INSTANCE}', '202')",
    "check_and_update_ai_usage": f"SELECT check_and_update_ai_usage('{BUSINESS}')",
    "check_and_update_ai_usage, counting": f"SELECT check_and_update_ai_usage('{BUSINESS}', true)",
    "check_and_update_ai_usage, unknown": f"SELECT check_and_update_ai_usage('{UNKNOWN}', true)",
    "update_personality_usage_batch": f"SELECT update_personality_usage_batch(ARRAY['{PERSONALITY}']::uuid[])",
    "message_arrived": f"SELECT message_arrived('{INSTANCE}', '202', 'hello', 'n1')",
    "message_arrived, new customer": f"SELECT message_arrived('{INSTANCE}', '204', 'hello', 'n1')",
    "reply_ready": f"""SELECT reply_ready('{COUNTED}', 'hi', 'n2', '{{"user_message": "hello"}}', NULL,"""
    f" '{PERSONALITY}')",
    "message_arrived, with a lease": "SELECT answer::jsonb - 'turn', answer -> 'turn' -> 'state' IS NOT NULL"
    f" FROM message_arrived('{INSTANCE}', '202', 'hello', 'n1', 10, 60) AS answer",
    "reply_ready, with a turn": "SELECT answer::jsonb - 'turn', answer -> 'turn' -> 'stored'"
    f" FROM reply_ready('{OTHER}', 'hi', 'n2', p_turn => '{UNKNOWN}') AS answer",
    "turn_state": f"SELECT turn_state('{UNKNOWN}') -> 'state' IS NOT NULL",
    "turn_sent": f"SELECT turn_sent('{UNKNOWN}') -> 'state' IS NOT NULL",
    "end_turn": f"SELECT end_turn('{UNKNOWN}', 'failed') -> 'state' IS NOT NULL",
    "function_switches": "SELECT function_switches() ->> 'fresh_for'",
    "report_fallback": "SELECT report_fallback('store_message_with_update', '42883', 'gone')",
}
"""What the service sends, by a name for messages."""

COPIED = f"{OTHER}\tuser\tcopied\n{UNCOUNTED}\tuser\tcopied\n"

LEFT = """
    SELECT
        (SELECT array_agg((id, status, conversation_data - 'context', conversation_data -> 'context' ->
            'last_message_role')::text ORDER BY user_phone) FROM public.whatsapp_conversations),
        (SELECT array_agg((conversation_id, role, content)::text ORDER BY conversation_id, content)
         FROM public.whatsapp_conversation_messages),
        (SELECT array_agg((user_phone, total_tokens)::text ORDER BY user_phone, total_tokens)
         FROM public.whatsapp_ai_interactions),
        (SELECT array_agg((id, is_active, monthly_ai_response_limit, monthly_ai_responses_used)::text ORDER BY id)
         FROM public.profiles),
        (SELECT array_agg((whatsapp_number, resolved_at IS NULL)::text ORDER BY whatsapp_number)
         FROM public.escalated_conversations),
        (SELECT array_agg(usage_count) FROM public.ai_personalities),
        (SELECT array_agg(total_personality_switches) FROM public.whatsapp_ai_config),
        (SELECT array_agg((conversation.id, conversation.conversation_data -> 'context' -> 'message_count')::text)
         FROM public.whatsapp_conversations AS conversation
         WHERE (conversation.conversation_data #>> '{context,message_count}')::bigint <> (
             SELECT count(*) FROM public.whatsapp_conversation_messages AS message
             WHERE message.conversation_id = conversation.id
         ) AND (conversation.conversation_data #>> '{context,last_update}')::timestamptz >= now())
"""
"""What is in the service's tables. Last, of the conversations touched in this transaction, those with a wrong count."""

VOLATILE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\d[T ][\d:.+]+")
"""New ids and points in time, which differ from run to run."""


@dataclass(frozen=True)
class Outcome:
    """What a statement answered and left behind, or the error that stopped it."""

    text: str
    error: str = ""


def run(connection: psycopg.Connection, role: str, statement: str) -> Outcome:
    """Send one statement of the service as that role inside the open transaction, and undo it."""
    connection.execute(f"SAVEPOINT statement; SET LOCAL ROLE {role}")
    try:
        answer = send(connection, statement)
        # A commit checks constraints too.
        connection.execute("SET CONSTRAINTS ALL IMMEDIATE; RESET ROLE")
        left = connection.execute(LEFT).fetchall()
    except psycopg.Error as error:
        return Outcome("", describe(error))
    finally:
        connection.execute("ROLLBACK TO SAVEPOINT statement")
    return Outcome(VOLATILE.sub("…", f"{answer} {left}"))


def send(connection: psycopg.Connection, statement: str) -> list[tuple]:
    """The rows that a statement returns, sent to the server in a separate message, as the service does."""
    cursor = connection.cursor()
    if statement.startswith("COPY"):
        with cursor.copy(sql.SQL(statement)) as copy:
            copy.write(COPIED)
        return []
    cursor.execute(statement)
    return cursor.fetchall() if cursor.description else []


def describe(error: psycopg.Error) -> str:
    return f"{error.sqlstate} {error.diag.message_primary or error}"
