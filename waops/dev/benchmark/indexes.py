"""Measure what each index costs a message with its reply: all writes with and without it, in turns.

Both run in a transaction that is rolled back, so that a dropped index is restored and the times do not include waiting
for the disk.
"""

import statistics
from collections import defaultdict
from time import perf_counter
from typing import Any

import psycopg
from psycopg import sql

from waops.dbops.plan import plan
from waops.dev.benchmark.fill import Kind
from waops.dev.benchmark.options import BUSINESSES
from waops.dev.benchmark.progress import Step
from waops.dev.benchmark.scratch import Scratch

ROUNDS = 4
"""The first warms up."""
PASSES = 500

OF_THE_PLAN = (
    "idx_conversations_active",
    "idx_conversations_cleanup",
    "idx_messages_conversation",
    "idx_messages_content_gin",
    "idx_ai_interactions_user",
    "idx_ai_interactions_metadata_gin",
    "idx_ai_config_active",
    "idx_profiles_ai_limits",
    "idx_escalated_active",
)
"""Indexes named in the owner's plan; this app installs more."""

# Not those that back a constraint, which cannot be left out.
INDEXES = """
    SELECT index.relname::text, entry.indrelid::pg_catalog.regclass::text, method.amname = 'gin',
        pg_catalog.pg_relation_size(index.oid), installed.identity IS NOT NULL
    FROM pg_catalog.pg_index AS entry
    JOIN pg_catalog.pg_class AS index ON index.oid = entry.indexrelid
    JOIN pg_catalog.pg_am AS method ON method.oid = index.relam
    LEFT JOIN waops.waops_installedobject AS installed
        ON installed.kind = 'index' AND installed.identity = 'public.' || index.relname
    WHERE entry.indrelid IN (
        'public.whatsapp_conversation_messages'::pg_catalog.regclass,
        'public.whatsapp_ai_interactions'::pg_catalog.regclass,
        'public.whatsapp_conversations'::pg_catalog.regclass
    ) AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conindid = index.oid)
    ORDER BY index.relname
"""
# Only the writes: how much an index speeds up a read is another question. Literals, because a block takes no
# parameters.
WRITES = """
    DO $block$
    DECLARE
        v_number integer;
        v_conversation_id uuid;
        v_role text;
    BEGIN
        FOR v_pass IN 1..{passes} LOOP
            v_number := {first} + v_pass * 7919 % {conversations};
            v_conversation_id := md5('conversation' || v_number)::uuid;
            FOREACH v_role IN ARRAY ARRAY['user', 'assistant'] LOOP
                INSERT INTO public.whatsapp_conversation_messages (conversation_id, role, content, message_id)
                VALUES (
                    v_conversation_id, v_role, 'Hello, when does my order ' || v_pass || ' arrive?',
                    gen_random_uuid()::text
                );
                UPDATE public.whatsapp_conversations
                SET last_activity = pg_catalog.now(), conversation_data = pg_catalog.jsonb_build_object(
                    'context', pg_catalog.jsonb_build_object('message_count', v_pass, 'last_message_role', v_role)
                )
                WHERE id = v_conversation_id;
            END LOOP;
            INSERT INTO public.whatsapp_ai_interactions (
                whatsapp_instance_id, user_phone, user_message, ai_response, response_model, total_tokens, metadata
            )
            VALUES (
                md5('instance' || (1 + v_number % {businesses}))::uuid, '2010' || v_number, 'Hello', 'It arrives soon.',
                'gpt-4.1-mini', 412, jsonb_build_object('detected_intent', 'sales', 'conversation_id', v_number)
            );
        END LOOP;
    END
    $block$
"""
WRITTEN = "SELECT pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), '0/0')::bigint"
CLEAN = "SELECT pg_catalog.gin_clean_pending_list(%s::pg_catalog.regclass)"


def build(place: Scratch, database: str, step: Step) -> None:
    """Give the database the plan's indexes and nothing else."""
    with place.session(database) as connection:
        for index in plan().indexes:
            if index.statement.name in OF_THE_PLAN:
                step(f"Building {index.statement.name}")
                connection.execute(index.statement.sql().encode())
        connection.execute("ANALYZE")
        connection.execute("CHECKPOINT")


def costs(place: Scratch, database: str, kind: Kind, step: Step) -> dict[str, Any]:
    """The cost of each index: microseconds and bytes of write-ahead log per message with its reply, and its size in
    bytes.
    """
    with place.session(database) as connection:
        indexes = connection.execute(INDEXES).fetchall()
        gins = {name for name, _, is_gin, _, _ in indexes if is_gin}
        samples: dict[str, list[tuple[float, float]]] = defaultdict(list)
        everything: list[tuple[float, float]] = []
        for number in range(ROUNDS):
            for name, *_ in indexes:
                step(f"Without {name}, round {number}")
                with_it, without = _write(connection, kind, gins), _write(connection, kind, gins, without=name)
                everything.append(with_it)
                samples[name].append((with_it[0] - without[0], with_it[1] - without[1]))
    skipped = len(indexes)
    return {
        "microseconds": statistics.median(one[0] for one in everything[skipped:]),
        "wal_bytes": statistics.median(one[1] for one in everything[skipped:]),
        "indexes": [
            {
                "name": name,
                "table": table.removeprefix("public."),
                "installed_here": ours,
                "microseconds": statistics.median(one[0] for one in samples[name][1:]),
                "wal_bytes": statistics.median(one[1] for one in samples[name][1:]),
                "size_bytes": size,
            }
            for name, table, _, size, ours in indexes
        ],
    }


def _write(
    connection: psycopg.Connection, kind: Kind, gins: set[str], *, without: str | None = None
) -> tuple[float, float]:
    """Microseconds and bytes of write-ahead log per pass; a GIN index's pending list is written before the end."""
    block = WRITES.format(passes=PASSES, first=kind.first, conversations=kind.conversations, businesses=BUSINESSES)
    with connection.transaction(force_rollback=True):
        if without is not None:
            connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier("public", without)))
        written, begin = _written(connection), perf_counter()
        connection.execute(block.encode())
        for name in gins - {without}:
            connection.execute(CLEAN, [f"public.{name}"])
        seconds = perf_counter() - begin
        return 1_000_000 * seconds / PASSES, (_written(connection) - written) / PASSES


def _written(connection: psycopg.Connection) -> int:
    row = connection.execute(WRITTEN).fetchone()
    assert row is not None
    return int(row[0])
