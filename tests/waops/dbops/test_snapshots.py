"""Snapshots: figures kept, pruned, and compared by what happened in between."""

import json
import time
from datetime import timedelta

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from tests import factories
from waops.dbops.comparison import activity, compare
from waops.dbops.models import Snapshot
from waops.dbops.snapshots import prune, take_snapshot


def test_a_snapshot_keeps_every_section_and_times_a_commit(committed_database):
    snapshot = take_snapshot("before")
    assert set(snapshot.figures) == {"database", "statements", "tables", "indexes"}
    assert "public.whatsapp_conversation_messages" in snapshot.figures["tables"]
    assert "public.idx_messages_conversation" in snapshot.figures["indexes"]
    assert snapshot.figures["database"]["wal_bytes"] > 0
    assert 0 < snapshot.commit_ms < 1000
    assert Snapshot.objects.get().note == "before"


def test_inside_a_transaction_no_commit_is_timed(db):
    assert take_snapshot().commit_ms is None


def test_two_snapshots_show_growth_and_activity(committed_database, owner):
    first = take_snapshot()
    chat = factories.conversation()
    # A separate session: its counters are visible to others when it ends.
    with psycopg.connect(committed_database) as session:
        session.execute(
            "INSERT INTO whatsapp_conversation_messages (conversation_id, role, content)"
            " SELECT %s, 'user', repeat('x', 500) FROM generate_series(1, 200)",
            [chat.pk],
        )
    deadline = time.monotonic() + 60
    query = "SELECT tup_inserted >= 200 FROM pg_stat_database WHERE datname = current_database()"
    while owner.execute(query).fetchone() != (True,) and time.monotonic() < deadline:
        time.sleep(0.05)
    second = take_snapshot()
    happened = activity(second)
    assert happened.seconds == pytest.approx((second.taken_at - first.taken_at).total_seconds())
    assert happened.database["inserted"] >= 200
    assert happened.database["wal_bytes"] > 100_000
    figures = {one.key: one for one in compare(first, second)}
    (row,) = [row for row in figures["tables"].rows if row.name == "public.whatsapp_conversation_messages"]
    assert row.growth > 100_000


def test_a_reset_in_between_is_noticed(committed_database, superuser):
    take_snapshot()
    superuser.execute("SELECT pg_stat_reset()")
    time.sleep(1.1)
    happened = activity(take_snapshot())
    assert happened.database["commits"] >= 0
    assert happened.seconds < 60


@pytest.mark.usefixtures("contrib")
def test_mean_times_of_statements_are_compared(committed_database, superuser):
    superuser.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements WITH SCHEMA extensions")
    superuser.execute("SELECT extensions.pg_stat_statements_reset()")

    def sleep(seconds: float) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(%s), 'waops compare'", [seconds])

    sleep(0.2)
    first = take_snapshot()
    sleep(0.02)
    second = take_snapshot()
    (row,) = [row for row in compare(first, second)[1].rows if "pg_sleep" in row.query]
    assert (row.calls_before, row.calls_after) == (1, 1)
    assert row.mean_before > 200
    assert 20 < row.mean_after < 200
    assert row.change < 0


def test_old_ones_go_unless_they_have_a_note(committed_database):
    for note in ("", "", "before the indexes"):
        take_snapshot(note)
    Snapshot.objects.update(taken_at=timezone.now() - timedelta(days=100))
    take_snapshot()
    assert prune(90) == 2
    assert Snapshot.objects.count() == 2


def test_the_command_takes_lists_and_compares(committed_database, capsys):
    call_command("rollout", "snapshot", note="one", verbosity=0)
    call_command("rollout", "snapshot", note="two", verbosity=0)
    capsys.readouterr()
    call_command("rollout", "snapshot", list=True, json=True)
    rows = json.loads(capsys.readouterr().out)["snapshots"]["rows"]
    assert [row["note"] for row in rows] == ["two", "one"]
    call_command("rollout", "compare", *(str(row["pk"]) for row in rows), json=True)
    assert set(json.loads(capsys.readouterr().out)) == {"database", "statements", "tables", "indexes"}


@pytest.mark.parametrize("number", ["99999999", "nonsense"])
def test_an_unknown_number_is_explained(committed_database, number):
    with pytest.raises(CommandError, match=number):
        call_command("rollout", "compare", number, number)
