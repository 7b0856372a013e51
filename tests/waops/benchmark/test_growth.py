"""Growth is tested for what it reads, writes and leaves as it was; never for time."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.databases import Databases
from waops.dev.benchmark import datasets, growth, indexes, pages, scratch
from waops.dev.benchmark.datasets import multiply
from waops.dev.benchmark.options import Options
from waops.dev.benchmark.pgbench import Pgbench, Run
from waops.dev.benchmark.progress import Watch
from waops.dev.benchmark.suite import Work, stages
from waops.dev.demo.tables import MESSAGES, TABLES
from waops.dev.embedded.server import SUPERUSER, EmbeddedServer

OPTIONS = Options(seconds=1, rounds=1, clients=2)


def silent(text: str) -> None:
    """No progress."""


@pytest.fixture(scope="module")
def place(server: EmbeddedServer) -> Iterator[scratch.Scratch]:
    place = scratch.Scratch(
        scratch._without_database(server.dsn(SUPERUSER)),
        scratch._without_database(server.dsn()),
        server.binaries / "pgbench",
        own_server=False,
    )
    yield place
    place.drop_all()


@pytest.fixture(scope="module")
def demo(place: scratch.Scratch, databases: Databases, django_db_blocker) -> str:
    """A database with the smallest demo data."""
    data = datasets.Datasets(place, silent)
    with django_db_blocker.unblock():
        data._template = databases.create("migrated")
        return data.database(3_000)


def rows(connection: psycopg.Connection, query: str) -> list[tuple]:
    return connection.execute(query.encode()).fetchall()


def counts(connection: psycopg.Connection) -> dict[str, int]:
    return {table.name: rows(connection, f"SELECT count(*) FROM {table.schema}.{table.name}")[0][0] for table in TABLES}


INDEXES = "SELECT pg_get_indexdef(indexrelid), indisvalid FROM pg_index ORDER BY 1"
ORPHANS = """
    SELECT (SELECT count(*) FROM public.whatsapp_conversation_messages AS one
            WHERE NOT EXISTS (SELECT FROM public.whatsapp_conversations WHERE id = one.conversation_id)),
           (SELECT count(*) FROM public.whatsapp_conversations AS one
            WHERE NOT EXISTS (SELECT FROM public.whatsapp_instances WHERE id = one.instance_id)),
           (SELECT count(*) FROM public.whatsapp_instances AS one
            WHERE NOT EXISTS (SELECT FROM public.profiles WHERE id = one.user_id))
"""


def test_copies_are_whole_and_have_their_own_ids(place: scratch.Scratch, demo: str):
    database = place.create(demo)
    with place.session(database) as connection:
        before, definitions = counts(connection), rows(connection, INDEXES)
        phones = (
            "SELECT count(DISTINCT user_phone) FROM public.whatsapp_conversations WHERE user_phone ~ '^[0-9]{11,}$'"
        )
        people = rows(connection, phones)[0][0]
        multiply(place, database, 3, silent)
        assert counts(connection) == {name: 3 * number for name, number in before.items()}
        assert before[MESSAGES.name] >= 3_000
        assert rows(connection, ORPHANS) == [(0, 0, 0)]
        assert rows(connection, INDEXES) == definitions
        assert rows(connection, phones)[0][0] > 2 * people


def test_every_page_is_opened_and_its_queries_counted(
    place: scratch.Scratch, demo: str, django_db_blocker, monkeypatch, settings
):
    monkeypatch.setattr(pages, "ROUNDS", 2)
    with django_db_blocker.unblock():
        found = pages.by_size(place, {3_000: demo}, silent)
    assert [row["page"] for row in found] == list(pages.PAGES)
    for row in found:
        figures = row["sizes"]["3000"]
        assert figures["queries"] > 2
        assert figures["bytes"] > 5_000
        assert figures["total_ms"] >= figures["database_ms"] > 0
    assert place.databases  # the configured database was not asked: tests have none


def test_a_page_that_fails_is_no_result(place: scratch.Scratch, demo: str, django_db_blocker, monkeypatch):
    monkeypatch.setattr(pages, "PAGES", {"Gone": lambda: "/not/there/"})
    with django_db_blocker.unblock(), pytest.raises(pages.BenchmarkError, match="/not/there/ answered with status 404"):
        pages.by_size(place, {3_000: demo}, silent)


def test_those_who_wrote_last_write_in_a_table_of_any_size(place: scratch.Scratch, demo: str):
    found = growth.by_table(place, {3_000: place.create(demo), 3_001: place.create(demo)}, OPTIONS, silent)
    assert [row["rows"] for row in found] == [3_000, 3_001]
    assert all(row["store"] > 0 and row["context"] > 0 for row in found)


@pytest.fixture
def work(place: scratch.Scratch, monkeypatch, django_db_blocker) -> Work:
    """With long conversations of 300 messages that were never vacuumed. Runs end after a few passes, not seconds."""
    run = Pgbench.run

    def short(self: Pgbench, path: Any, kind: Any, *, seconds: int | None = None, **options: Any) -> Run:
        return run(self, path, kind, **({"passes": 50} if seconds else {}) | options)

    monkeypatch.setattr(Pgbench, "run", short)
    monkeypatch.setattr("waops.dev.benchmark.fill.LENGTHS", (10, 200, 300))
    monkeypatch.setattr(growth, "ROUNDS", 2)
    monkeypatch.setattr(indexes, "ROUNDS", 2)
    monkeypatch.setattr(indexes, "PASSES", 20)
    work = Work(place, None, Options(messages=2_000, seconds=1, rounds=1, clients=2), silent)  # type: ignore[arg-type]
    with django_db_blocker.unblock():
        work.prepare()
    return work


VISIBLE = "SELECT relallvisible FROM pg_class WHERE relname = 'whatsapp_conversation_messages'"


def test_long_conversations_are_measured_before_a_vacuum_and_after(place: scratch.Scratch, work: Work):
    with place.session(work.databases.indexed) as connection:
        seen = rows(connection, VISIBLE)[0][0]
        work.lengths()
        assert rows(connection, VISIBLE)[0][0] > seen
    assert [row["messages"] for row in work.result["lengths"]] == [10, 200, 300]
    assert [row["state"] for row in work.result["states"]] == ["written", "vacuumed"]

    with place.session(work.databases.after) as connection:
        before = rows(connection, INDEXES), counts(connection)
        work.indexes()
        assert (rows(connection, INDEXES), counts(connection)) == before
    costs = work.result["indexes"]
    ours = {index["name"] for index in costs["indexes"] if index["installed_here"]}
    assert {"idx_messages_conversation", "idx_messages_content_gin", "uniq_messages_conversation_message_id"} <= ours
    assert "idx_whatsapp_conversation_messages_timestamp" not in ours
    assert costs["wal_bytes"] > 1_000


def test_time_left_is_told_for_every_stage():
    seen = []
    watch = Watch(lambda watch: seen.append((watch.number, watch.name, watch.seconds_left)))
    everything = Options(full=True)
    for stage in watch.through(list(stages(everything))):
        watch.step(f"Within {stage.name}")
    names = [stage.name for stage in stages(everything)]
    assert list(dict.fromkeys(name for _, name, _ in seen)) == names
    assert all(left > 0 for _, _, left in seen[:-1])
    assert watch.reached == watch.expected
    assert seen[-1][2] == 0
