"""No operations page can be made slow by a large table: its plans say so, whatever the machine.

With sequential scans made expensive, a plan reads a whole table only if no index could serve it.
"""

from collections.abc import Iterator

import pytest
from django.db import connection, transaction
from django.test import Client

from benchmarks.statements import watch, whole_scans
from tests import factories
from tests.waops.dbops.test_pages import ADDRESSES, BASE
from waops.dbops.doctor import hostile_values
from waops.dbops.snapshots import take_snapshot

LARGE = {"whatsapp_conversation_messages", "whatsapp_ai_interactions", "whatsapp_conversations"}


@pytest.fixture
def operator(committed_database, monkeypatch) -> Iterator[Client]:
    """In a separate database: dead rows left by earlier tests would affect the costs."""
    monkeypatch.setattr(hostile_values, "SMALL", -1)  # as if every table were large
    for _number in range(3):
        chat = factories.conversation()
        factories.message(chat, "transferred", "assistant", message_id="escalation_1700000000000")
        factories.interaction(chat)
    take_snapshot()
    take_snapshot()
    client = Client()
    client.force_login(factories.staff("Operators"))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        yield client


@pytest.mark.parametrize("address", [*ADDRESSES, f"{BASE}indexes/?tables=all", f"{BASE}tables/?tables=all"])
def test_no_page_reads_a_large_table_whole_or_locks_one(operator, address) -> None:
    with watch(LARGE) as watched:
        assert operator.get(address).status_code == 200
    assert watched
    for statement in watched:
        assert (statement.whole_scans, statement.strong_locks) == ([], []), statement.sql


@pytest.mark.parametrize(
    ("sql", "is_whole"),
    [
        ("SELECT count(*) FROM whatsapp_conversation_messages", True),
        ("SELECT id FROM whatsapp_conversation_messages ORDER BY content LIMIT 5", True),
        ('SELECT id FROM whatsapp_conversation_messages ORDER BY "timestamp" DESC LIMIT 5', False),
        ("SELECT id FROM whatsapp_conversation_messages WHERE id = '00000000-0000-0000-0000-000000000001'", False),
    ],
)
def test_what_counts_as_reading_it_whole(operator, sql, is_whole) -> None:
    with watch(LARGE) as watched, connection.cursor() as cursor:
        cursor.execute(sql)
    assert bool(watched[0].whole_scans) == is_whole
    assert whole_scans({"Node Type": "Seq Scan", "Relation Name": "small"}) == ["Seq Scan on small"]


def test_a_lock_that_holds_up_others_is_seen(operator) -> None:
    with watch(LARGE) as watched, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.execute("LOCK TABLE whatsapp_conversation_messages IN SHARE MODE")
    assert watched[-1].strong_locks == ["ShareLock on public.whatsapp_conversation_messages"]
