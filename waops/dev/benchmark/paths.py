# ruff: noqa: S608 - the statements are put together from this file only
"""What the service sends when a customer writes and gets a reply: as deployed, and through our functions.

The legacy path is the deployed one at its cheapest: separate queries, each in its own transaction (as over REST),
without locks, savepoints or duplicate checks. Three of its queries call functions that are deployed today. One pass
through a path is one message with its reply.
"""

from dataclasses import dataclass
from hashlib import md5
from string import Template
from typing import Any
from uuid import UUID

import psycopg

from waops.dev.benchmark.fill import Kind
from waops.dev.benchmark.options import BUSINESSES

Row = dict[str, Any]


@dataclass(frozen=True)
class Statement:
    """`keeps`: columns of the only row that later statements use. `reads`: what is looked up, for a
    read-only statement.
    """

    sql: str
    keeps: tuple[str, ...] = ()
    reads: str = ""


@dataclass(frozen=True)
class Path:
    """$instance, $phone, $personality and $business stand for a customer's; $message_id for a new id."""

    name: str
    statements: tuple[Statement, ...]

    def script(self, kind: Kind) -> str:
        """The whole path as a script for pgbench, for a random customer of `kind`."""
        lines = [f"\\set number random({kind.first}, {kind.last})", f"\\set instance 1 + :number % {BUSINESSES}"]
        for statement in self.statements:
            text = " ".join(statement.sql.split())
            names = IN_PGBENCH | {name: f":{name}" for name in KEPT}
            lines.append(Template(text).substitute(names) + (" \\gset" if statement.keeps else ";"))
        return "\n".join(lines) + "\n"

    async def run(self, connection: psycopg.AsyncConnection[Any], values: dict[str, Any], part: slice) -> None:
        """Send these statements of the path; adds what they keep to `values`."""
        for statement in self.statements[part]:
            names = {name: f"%({name})s" for name in KEPT} | IN_PSYCOPG
            cursor = await connection.execute(Template(statement.sql).substitute(names), values)
            if statement.keeps:
                row = await cursor.fetchone()
                assert row is not None
                assert cursor.description is not None
                values |= {column.name: value for column, value in zip(cursor.description, row, strict=True)}


KEPT = ("conversation", "count", "instance_id", "user_phone")
IN_PGBENCH = {
    "number": ":number",
    "instance": "md5('instance' || :instance)::uuid",
    "phone": "'2010' || :number",
    "personality": "md5('personality' || :instance)::uuid",
    "business": "md5('business' || :instance)::uuid",
    "message_id": "gen_random_uuid()::text",
}
IN_PSYCOPG = {
    "instance": "%(instance)s",
    "phone": "%(phone)s",
    "personality": "%(personality)s",
    "business": "%(business)s",
    "message_id": "gen_random_uuid()::text",
}


def customer(number: int) -> dict[str, Any]:
    """The parameters of customer `number`, as created by `fill`."""
    instance = 1 + number % BUSINESSES
    return {
        "instance": named("instance", instance),
        "personality": named("personality", instance),
        "business": named("business", instance),
        "phone": f"2010{number}",
    }


def named(what: str, number: int) -> UUID:
    """The id that `fill` gave to a row with this number."""
    return UUID(md5(f"{what}{number}".encode(), usedforsecurity=False).hexdigest())


def _store(role: str, content: str) -> tuple[Statement, ...]:
    return (
        Statement(f"""
            INSERT INTO public.whatsapp_conversation_messages (conversation_id, role, content, message_id, metadata)
            VALUES ($conversation, '{role}', '{content}', $message_id, '{{"estimated_tokens": 7}}')
        """),
        Statement(
            """
            SELECT count(*) AS "count" FROM public.whatsapp_conversation_messages
            WHERE conversation_id = $conversation
            """,
            keeps=("count",),
            reads=f"count of the messages, with the {role}'s",
        ),
        Statement(f"""
            UPDATE public.whatsapp_conversations
            SET last_activity = now(), conversation_data = jsonb_build_object('context', jsonb_build_object(
                'last_update', now(), 'message_count', $count::bigint, 'last_message_role', '{role}'))
            WHERE id = $conversation
        """),
    )


QUESTION, ANSWER = "Hello, when does my order arrive?", "It leaves today and arrives tomorrow."
INTENT = '{"detected_intent": "sales", "intent_confidence": 0.9}'

LEGACY_ARRIVAL = (
    Statement(
        """
        SELECT id AS conversation, conversation_data FROM public.whatsapp_conversations
        WHERE instance_id = $instance AND user_phone = $phone AND status = 'active'
        """,
        keeps=("conversation",),
        reads="active conversation",
    ),
    *_store("user", QUESTION),
    Statement(
        """
        SELECT id FROM public.escalated_conversations
        WHERE instance_id = $instance AND whatsapp_number = $phone AND resolved_at IS NULL LIMIT 1
        """,
        reads="open escalation",
    ),
    Statement("SELECT * FROM public.whatsapp_instances WHERE id = $instance", reads="settings of the WhatsApp number"),
    Statement(
        """
        SELECT role, content, "timestamp" FROM public.whatsapp_conversation_messages
        WHERE conversation_id = $conversation ORDER BY "timestamp" DESC LIMIT 10
        """,
        reads="last 10 messages",
    ),
    Statement(
        """
        SELECT metadata, created_at, user_message FROM public.whatsapp_ai_interactions
        WHERE whatsapp_instance_id = $instance AND user_phone = $phone ORDER BY created_at DESC LIMIT 5
        """,
        reads="last 5 AI replies",
    ),
    Statement(
        "SELECT * FROM public.whatsapp_ai_config WHERE whatsapp_instance_id = $instance AND is_active = true",
        reads="AI settings",
    ),
    Statement("SELECT public.check_and_update_ai_usage($business, false)", reads="quota"),
)
LEGACY_REPLY = (
    *_store("assistant", ANSWER),
    Statement(f"""
        INSERT INTO public.whatsapp_ai_interactions
            (whatsapp_instance_id, user_phone, user_message, ai_response, response_model, total_tokens, metadata)
        VALUES ($instance, $phone, '{QUESTION}', '{ANSWER}', 'gpt-4.1-mini', 412, '{INTENT}')
    """),
    Statement("SELECT public.check_and_update_ai_usage($business, true)"),
    Statement("SELECT public.update_personality_usage($personality)"),
)
NEW_ARRIVAL = (
    Statement(
        f"""
        SELECT answer ->> 'conversation_id' AS conversation, answer
        FROM public.message_arrived($instance, $phone, '{QUESTION}', $message_id, 10) AS answer
        """,
        keeps=("conversation",),
    ),
)
NEW_REPLY = (
    Statement(f"""
        SELECT public.reply_ready(CAST($conversation AS uuid), '{ANSWER}', $message_id,
            '{{"user_message": "{QUESTION}", "response_model": "gpt-4.1-mini", "total_tokens": 412,
            "metadata": {INTENT}}}', NULL, $personality)
    """),
)
BEFORE = Path("before", LEGACY_ARRIVAL + LEGACY_REPLY)
INDEXED = Path("indexes", BEFORE.statements)
AFTER = Path("after", NEW_ARRIVAL + NEW_REPLY)
PATHS = BEFORE, INDEXED, AFTER
"""Each in a separate database: before the plan, with only the plan's indexes, and migrated."""


def halves(path: Path) -> tuple[slice, slice]:
    """The statements for an incoming message, and those for a finished reply."""
    arrival = len(NEW_ARRIVAL if path is AFTER else LEGACY_ARRIVAL)
    return slice(0, arrival), slice(arrival, None)


_CONVERSATION = "md5('conversation' || :number)::uuid"


def single(sql: str) -> Path:
    """A path of one statement; $conversation_id is that of the random customer."""
    return Path("single", (Statement(sql.replace("$conversation_id", _CONVERSATION)),))


STORE = single(f"SELECT public.store_message_with_update($conversation_id, 'user', '{QUESTION}', $message_id)")
CONTEXT = single("SELECT public.get_conversation_with_context($instance, $phone, 10)")
INSERT = single(f"""
    INSERT INTO public.whatsapp_conversation_messages (conversation_id, role, content, message_id)
    VALUES ($conversation_id, 'user', '{QUESTION}', $message_id)
""")

_WRITER = Statement(
    "SELECT conversation, instance_id, user_phone FROM benchmark.writer WHERE number = $number",
    keeps=("conversation", "instance_id", "user_phone"),
)
STORE_OF_WRITER = Path(
    "store",
    (
        _WRITER,
        Statement(
            f"SELECT public.store_message_with_update(CAST($conversation AS uuid), 'user', '{QUESTION}', $message_id)"
        ),
    ),
)
CONTEXT_OF_WRITER = Path(
    "context",
    (_WRITER, Statement("SELECT public.get_conversation_with_context(CAST($instance_id AS uuid), $user_phone, 10)")),
)
