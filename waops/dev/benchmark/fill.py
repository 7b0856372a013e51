"""Fill a database with the measured data: the plan's 30 businesses, with conversations of several lengths.

Everything is named by number (`md5('instance' || 7)::uuid`), so that a script can choose a customer without a query.
"""

from dataclasses import dataclass
from typing import Any

import psycopg

from waops.dev.benchmark.options import BUSINESSES, CROWDS, LENGTHS


@dataclass(frozen=True)
class Kind:
    """Conversations of the same length, with the numbers `first` to `last`."""

    messages: int
    first: int
    conversations: int

    @property
    def last(self) -> int:
        return self.first + self.conversations - 1


SHARES = {10: 0.27, 10_000: 0.1}
"""Shares of all messages, by length of their conversations; the rest is in conversations of 200."""
USUAL = 200

BUSINESS_ROWS = """
    INSERT INTO auth.users (id) SELECT md5('business' || n)::uuid FROM generate_series(1, %(businesses)s) AS n;
    INSERT INTO public.profiles (id, full_name, monthly_ai_response_limit, monthly_ai_responses_used)
    SELECT md5('business' || n)::uuid, 'Owner ' || n, 2000000000, 1000 FROM generate_series(1, %(businesses)s) AS n;
    INSERT INTO public.whatsapp_instances (id, user_id, instance_name, escalation_enabled, status)
    SELECT md5('instance' || n)::uuid, md5('business' || n)::uuid, 'number' || n, true, 'Connected'
    FROM generate_series(1, %(businesses)s) AS n;
    INSERT INTO public.ai_personalities (id, whatsapp_instance_id, user_id, name, system_prompt)
    SELECT md5('personality' || n)::uuid, md5('instance' || n)::uuid, md5('business' || n)::uuid, 'Sales',
        repeat('Be kind and brief. ', 50)
    FROM generate_series(1, %(businesses)s) AS n;
    INSERT INTO public.whatsapp_ai_config (whatsapp_instance_id, user_id, system_prompt, is_active)
    SELECT md5('instance' || n)::uuid, md5('business' || n)::uuid, repeat('Be kind and brief. ', 50), true
    FROM generate_series(1, %(businesses)s) AS n;
"""
CONVERSATIONS = """
    INSERT INTO public.whatsapp_conversations (id, instance_id, user_phone, conversation_data)
    SELECT md5('conversation' || n)::uuid, md5('instance' || (1 + n %% %(businesses)s))::uuid, '2010' || n,
        '{"context": {"topic": "order"}}'
    FROM generate_series(%(first)s::int, %(last)s) AS n
"""
# In order of time, as a service writes them: rows written at the same time are next to each other.
MESSAGES = """
    INSERT INTO public.whatsapp_conversation_messages (conversation_id, "timestamp", role, content, message_id)
    SELECT md5('conversation' || n)::uuid, now() - place * interval '1 minute',
        CASE place %% 2 WHEN 0 THEN 'assistant' ELSE 'user' END,
        'Hello, this is message ' || place || ' about order ' || n %% 1000 || ', when does it arrive?', place::text
    FROM generate_series(1, %(messages)s) AS place, generate_series(%(first)s::int, %(last)s) AS n
    ORDER BY place DESC
"""
INTERACTIONS = """
    INSERT INTO public.whatsapp_ai_interactions
        (whatsapp_instance_id, user_message, user_phone, ai_response, created_at, response_model, total_tokens,
        metadata)
    SELECT md5('instance' || (1 + n %% %(businesses)s))::uuid, 'When does it arrive?', '2010' || n, 'Tomorrow.',
        now() - place * interval '1 minute', 'gpt-4.1-mini', 400,
        jsonb_build_object('detected_intent', 'sales', 'intent_confidence', 0.9, 'conversation_id', n)
    FROM generate_series(1, %(messages)s, 2) AS place, generate_series(%(first)s::int, %(last)s) AS n
"""
ESCALATIONS = """
    INSERT INTO public.escalated_conversations (whatsapp_number, instance_id, reason, escalated_at, resolved_at)
    SELECT '2010' || n, md5('instance' || (1 + n %% %(businesses)s))::uuid, 'user_request',
        now() - interval '2 days', now() - interval '1 day'
    FROM generate_series(%(first)s::int, %(last)s, 5) AS n
"""
MESSAGES_TABLE = "public.whatsapp_conversation_messages"
TRIGGERS = (
    f"ALTER TABLE {MESSAGES_TABLE} {{}} TRIGGER USER",
    "ALTER TABLE public.whatsapp_ai_interactions {} TRIGGER USER",
)


def mixed_kinds(messages: int) -> dict[int, Kind]:
    """The kinds of conversations in a mixed fill.

    All of LENGTHS but the longest, if at least one such conversation fits; USUAL always.
    """
    kinds: dict[int, Kind] = {}
    rest, first = messages, 1
    for length in LENGTHS[:-1]:
        most = CROWDS[-1] if length < USUAL else messages
        number = min(most, int(messages * SHARES.get(length, 0)) // length)
        if number:
            kinds[length] = Kind(length, first, number)
            first += number
            rest -= number * length
    kinds[USUAL] = Kind(USUAL, first, max(1, rest // USUAL))
    return dict(sorted(kinds.items()))


ENABLED_ALWAYS = """
    SELECT pg_catalog.format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', tgrelid::pg_catalog.regclass, tgname)
    FROM pg_catalog.pg_trigger WHERE tgenabled = 'A'
"""
"""Statements that make our triggers ENABLE ALWAYS, which a plain ENABLE does not."""


def long_kind(kinds: dict[int, Kind], conversations: int) -> Kind:
    """The longest conversations, which come after all others."""
    return Kind(LENGTHS[-1], max(kind.last for kind in kinds.values()) + 1, conversations)


def fill(superuser: psycopg.Connection, kinds: dict[int, Kind]) -> None:
    """Fill a database that has the baseline only. The connection is in autocommit."""
    cursor = psycopg.ClientCursor(superuser)
    cursor.execute(BUSINESS_ROWS, {"businesses": BUSINESSES})
    with superuser.transaction():
        for kind in kinds.values():
            _write(cursor, kind)
    vacuum(superuser)


def fill_unvacuumed(superuser: psycopg.Connection, kind: Kind) -> None:
    """Add conversations in the state they have while being written: never vacuumed since their first
    message.

    Autovacuum is off until a vacuum is requested.
    """
    superuser.execute(f"ALTER TABLE {MESSAGES_TABLE} SET (autovacuum_enabled = false)")
    with superuser.transaction():
        _write(psycopg.ClientCursor(superuser), kind)
    superuser.execute(f"ANALYZE {MESSAGES_TABLE}")
    superuser.execute("CHECKPOINT")


def _write(cursor: psycopg.ClientCursor[Any], kind: Kind) -> None:
    """Write within a transaction with the triggers disabled: one of them would rewrite a conversation for
    each message.
    """
    values = {"businesses": BUSINESSES, "messages": kind.messages, "first": kind.first, "last": kind.last}
    always = [enable for (enable,) in cursor.execute(ENABLED_ALWAYS).fetchall()]
    for statement in TRIGGERS:
        cursor.execute(statement.format("DISABLE"))
    for statement in (CONVERSATIONS, MESSAGES, INTERACTIONS, ESCALATIONS):
        cursor.execute(statement, values)
    for statement in TRIGGERS:
        cursor.execute(statement.format("ENABLE"))
    for statement in always:
        cursor.execute(statement)


def vacuum_messages(superuser: psycopg.Connection) -> None:
    """The vacuum that `fill_unvacuumed` postponed."""
    superuser.execute(f"VACUUM (ANALYZE) {MESSAGES_TABLE}")
    superuser.execute("CHECKPOINT")


def vacuum(superuser: psycopg.Connection) -> None:
    """What autovacuum would do in time, done before anything is measured."""
    superuser.execute("VACUUM (ANALYZE)")
    superuser.execute("CHECKPOINT")
