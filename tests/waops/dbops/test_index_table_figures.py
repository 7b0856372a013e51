"""Figures and advice about indexes, tables and connections, compared with the real ones."""

import json
import time
from threading import Thread

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection

from tests.databases import django_uses
from tests.waops.dbops.conftest import run_fix, the
from waops.dbops import connections, indexes, tables
from waops.dbops.bloat import PAGE, btree_bloat, table_bloat
from waops.dbops.findings import Finding
from waops.dbops.reading import bounded
from waops.dbops.relations import read_indexes, read_tables

SCRATCH = """
    CREATE TABLE public.scratch (id int PRIMARY KEY, a int, b int, c text);
    INSERT INTO scratch SELECT n, n % 100, n % 10, repeat('x', 100) FROM generate_series(1, 20000) AS n;
"""


@pytest.fixture
def scratch(owner):
    owner.execute(SCRATCH)
    return owner


def index_findings() -> list[Finding]:
    with bounded(connection):
        return indexes.report_indexes(connection, ["public.scratch"]).findings


def table_findings() -> list[Finding]:
    with bounded(connection):
        return tables.report_tables(connection, ["public.scratch"]).findings


def flush_statistics(session: psycopg.Connection) -> None:
    """Let the session's counters be seen by others now, not within a second."""
    if session.info.server_version >= 150_000:
        session.execute("SELECT pg_stat_force_next_flush()")
    else:
        time.sleep(1.5)
    session.execute("SELECT 1")


def test_a_duplicate_is_named_and_the_one_of_the_constraint_stays(scratch):
    scratch.execute("CREATE UNIQUE INDEX again ON scratch (id)")
    scratch.execute("CREATE INDEX once_more ON scratch (id)")
    found = the("index.duplicate", index_findings())
    assert found.subject == "public.once_more"
    assert "scratch_pkey" in found.what
    run_fix(found, scratch)
    assert [finding for finding in index_findings() if finding.code == "index.duplicate"] == []


@pytest.mark.parametrize(
    "different",
    ["(a DESC)", "(a) WHERE b = 1", "((a + 0))", "(a text_pattern_ops)", "USING hash (a)", "(a) INCLUDE (b)"],
)
def test_what_only_looks_like_a_duplicate_is_not_one(scratch, different):
    column = "c" if "text" in different else "a"
    scratch.execute(f"CREATE INDEX plain ON scratch ({column})")
    scratch.execute(f"CREATE INDEX other ON scratch {different.replace('(a text', '(c text')}")
    assert [finding.code for finding in index_findings() if finding.code == "index.duplicate"] == []


def test_an_index_that_another_begins_with(scratch):
    scratch.execute("CREATE INDEX narrow ON scratch (a)")
    scratch.execute("CREATE INDEX wide ON scratch (a, b)")
    found = the("index.overlapping", index_findings())
    assert found.subject == "public.narrow"
    run_fix(found, scratch)
    assert [finding.code for finding in index_findings() if finding.code == "index.overlapping"] == []


def test_an_unused_index(scratch, monkeypatch):
    monkeypatch.setattr(indexes, "UNUSED_BYTES", 1)
    scratch.execute("CREATE INDEX lonely ON scratch (b)")
    found = the("index.unused", index_findings())
    scratch.execute("SET enable_seqscan = off")
    scratch.execute("SELECT count(*) FROM scratch WHERE b = 1")
    flush_statistics(scratch)
    assert "index.unused" not in [finding.code for finding in index_findings()]
    run_fix(found, scratch)


def test_an_invalid_foreign_index(scratch):
    with pytest.raises(psycopg.errors.UniqueViolation):
        scratch.execute("CREATE UNIQUE INDEX CONCURRENTLY broken ON scratch (a)")
    found = the("index.invalid", index_findings())
    assert found.subject == "public.broken"
    scratch.execute("DELETE FROM scratch WHERE id > 100")
    run_fix(found, scratch)
    assert "index.invalid" not in [finding.code for finding in index_findings()]


def test_what_reindex_left_behind_is_dropped(scratch):
    scratch.execute("CREATE INDEX plain ON scratch (a)")
    with psycopg.connect(scratch.info.dsn) as other:
        other.execute("LOCK TABLE scratch IN ROW EXCLUSIVE MODE")
        scratch.execute("SET lock_timeout = '100ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            scratch.execute("REINDEX INDEX CONCURRENTLY plain")
    assert "_ccnew" in the("index.invalid", index_findings()).subject
    call_command("repair", "invalid_indexes", apply=True, verbosity=0)
    assert [fact.name for fact in read_indexes(connection) if fact.table == "scratch"] == ["plain", "scratch_pkey"]


def test_dead_rows_and_missing_statistics(scratch, monkeypatch):
    monkeypatch.setattr(tables, "DEAD_ROWS", 1_000)
    scratch.execute("ALTER TABLE scratch SET (autovacuum_enabled = off)")
    scratch.execute("UPDATE scratch SET b = 0")
    flush_statistics(scratch)
    findings = table_findings()
    assert the("table.never_analyzed", findings)
    run_fix(the("table.dead_rows", findings), scratch)
    flush_statistics(scratch)
    assert table_findings() == []


def test_bloat_is_estimated_within_reason(scratch):
    scratch.execute("CREATE INDEX plain ON scratch (id, a)")
    scratch.execute("VACUUM ANALYZE scratch")
    with bounded(connection):
        full = tables.report_tables(connection, ["public.scratch"]).figures.rows[0].bloat
    assert full < 0.15
    scratch.execute("DELETE FROM scratch WHERE id % 4 <> 0")
    scratch.execute("VACUUM ANALYZE scratch")
    with bounded(connection):
        empty = tables.report_tables(connection, ["public.scratch"]).figures.rows[0].bloat
    assert 0.6 < empty < 0.85


def test_bloat_is_unknown_without_statistics():
    assert table_bloat(1000, 1000, None) is None
    assert table_bloat(1000, 3, {1: 4.0}) is None
    assert btree_bloat(1000, 1000, [0], {1: 4.0}) is None
    assert btree_bloat(PAGE * 200, 4_000, [1], {1: 4.0}) == pytest.approx(0, abs=0.2)


def test_a_relation_that_is_locked_is_not_waited_for(scratch):
    with psycopg.connect(scratch.info.dsn) as other:
        other.execute("LOCK TABLE whatsapp_conversation_messages, scratch IN ACCESS EXCLUSIVE MODE")
        # A wait would end in an error after a quarter of a second.
        with bounded(connection):
            assert "public.scratch" in [fact.qualified for fact in read_tables(connection)]
            tables.report_tables(connection)
            indexes.report_indexes(connection)


def test_which_sessions_block_others(scratch):
    with psycopg.connect(scratch.info.dsn, application_name="holder") as holder:
        holder.execute("LOCK TABLE scratch")

        def wait() -> None:
            with psycopg.connect(scratch.info.dsn, application_name="waiter") as waiter:
                waiter.execute("SELECT count(*) FROM scratch")

        thread = Thread(target=wait)
        thread.start()
        deadline = time.monotonic() + 60
        report = connections.report_connections(connection)
        while not report.blockers and time.monotonic() < deadline:
            time.sleep(0.05)
            report = connections.report_connections(connection)
        (row,) = report.figures[2].rows
        assert (row.application, row.blocker_application) == ("waiter", "holder")
        assert report.blockers == [holder.info.backend_pid]
        running = [row.application for row in report.figures[3].rows]
        assert running.index("holder") < running.index("waiter")
        run_fix(the("connections.blocker", report.findings), scratch)
        thread.join(10)
        assert connections.report_connections(connection).blockers == []
        holder.close()


def test_connections_nearly_used_up(committed_database, monkeypatch):
    assert connections.report_connections(connection).findings == []
    monkeypatch.setattr(connections, "NEARLY_FULL", 0.0)
    assert the("connections.nearly_full", connections.report_connections(connection).findings)


@pytest.mark.parametrize("word", ["indexes", "tables", "connections"])
def test_doctor_answers_on_an_empty_database(server, databases, django_db_blocker, capsys, word):
    with django_db_blocker.unblock(), databases.clone("empty") as name, django_uses(server, name):
        call_command("doctor", word, json=True)
    assert json.loads(capsys.readouterr().out)["findings"] == []
