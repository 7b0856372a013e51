"""The benchmark is tested for what it counts, keeps and drops; never for time."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from waops.dev.benchmark import fill, indexes, report, scratch
from waops.dev.benchmark.crowd import simulate
from waops.dev.benchmark.gain import statements_per_message
from waops.dev.benchmark.observe import Observer
from waops.dev.benchmark.paths import AFTER, BEFORE, INDEXED, PATHS
from waops.dev.benchmark.pgbench import Pgbench
from waops.dev.benchmark.proxy import DelayingProxy
from waops.dev.benchmark.readme import BEGIN, END
from waops.dev.benchmark.readme import part as readme_part
from waops.dev.embedded.server import SUPERUSER, EmbeddedServer

MESSAGES = 2_000


@pytest.fixture
def place(server: EmbeddedServer):
    """Scratch databases on the tests' server."""
    place = scratch.Scratch(
        scratch._without_database(server.dsn(SUPERUSER)),
        scratch._without_database(server.dsn()),
        server.binaries / "pgbench",
        own_server=False,
    )
    yield place
    place.drop_all()


@pytest.fixture
def kinds() -> dict[int, fill.Kind]:
    return fill.mixed_kinds(MESSAGES)


@pytest.fixture
def migrated(place: scratch.Scratch, kinds, django_db_blocker) -> str:
    name = place.create()
    place.fill(name, kinds)
    with django_db_blocker.unblock():
        place.migrate(name)
    return name


def scratch_databases(server: EmbeddedServer) -> int:
    with psycopg.connect(server.dsn(SUPERUSER)) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_database WHERE datname LIKE %s", [scratch.PREFIX + "%"]
        ).fetchone()
    assert row is not None
    return row[0]


def test_the_command_reports_what_its_json_says(tmp_path: Path, django_db_blocker, capsys):
    kept, written, readme = tmp_path / "result.json", tmp_path / "docs" / "benchmark.md", tmp_path / "README.md"
    readme.write_text(f"Before.\n{BEGIN}\n{END}\nAfter.\n")
    with django_db_blocker.unblock():
        values = {"messages": MESSAGES, "seconds": 1, "rounds": 1, "clients": 2, "verbosity": 0}
        call_command("benchmark", json=kept, report=written, readme=[readme], **values)
    result = json.loads(kept.read_text())
    assert result["gain"]["statements"] == {"before": 16.0, "indexes": 16.0, "after": 2.0}
    assert set(result["gain"]["reads"]) == {"before", "indexes"}
    assert len(result["gain"]["reads"]["before"]) == 9
    assert {plot.name for plot in (tmp_path / "docs" / "images").iterdir()} == {"benchmark-gain.svg"}
    assert json.loads(written.with_suffix(".json").read_text()) == result

    result["gain"]["figures"]["wal_bytes"]["after"]["median"] = 7_654_321
    result["machine"]["processor"] = "a slide rule"
    kept.write_text(json.dumps(result))
    call_command("benchmark", from_json=kept, report=written, readme=[readme], verbosity=0)
    assert "7,654,321" in written.read_text()
    before, part, after = re.split(f"{BEGIN}|{END}", readme.read_text())
    assert (before, after) == ("Before.\n", "\nAfter.\n")
    assert "| Queries per message and reply | 16 | 2 | −88 % |" in part
    assert "| Queries per message | 16 | 16 | 2 |" in written.read_text()
    assert "2 statements do the work of 16" in written.read_text()
    assert "a slide rule" in written.read_text()


def test_statements_are_counted_as_the_server_logs_them(
    place: scratch.Scratch, server: EmbeddedServer, migrated: str, kinds
):
    observer = Observer(place.maintenance)
    for path in (BEFORE, AFTER):
        counted = statements_per_message(place, observer, migrated, path, kinds[fill.USUAL])
        with place.session(migrated) as superuser:
            superuser.execute(f"ALTER DATABASE {migrated} SET log_statement = 'all'")
        start = len(server.log.read_text(errors="replace").splitlines())
        Pgbench(place.pgbench, place.dsn(migrated)).run(path, kinds[fill.USUAL], seed=1, passes=3)
        with place.session(migrated) as superuser:
            superuser.execute(f"ALTER DATABASE {migrated} RESET log_statement")
        lines = server.log.read_text(errors="replace").splitlines()[start:]
        logged = [line for line in lines if re.search(r"LOG:  execute \S+: ", line)]
        assert counted == len(path.statements) == len(logged) / 3
    observer.close()


class Disturbed(Observer):
    """Autovacuum's transactions are counted with the clients'."""

    place: scratch.Scratch
    times = 0

    def commits(self, database: str) -> int:
        if self.times == 1:
            with self.place.session(database) as autovacuum:
                autovacuum.execute("SELECT 1")
        self.times += 1
        return super().commits(database)


def test_statements_are_counted_right_while_autovacuum_works(place: scratch.Scratch, migrated: str, kinds):
    observer = Disturbed(place.maintenance)
    observer.place = place
    assert statements_per_message(place, observer, migrated, AFTER, kinds[fill.USUAL]) == 2
    observer.close()


def test_the_second_database_has_the_plans_indexes_and_nothing_else(place: scratch.Scratch):
    before = place.create()
    indexed = place.create(before)
    indexes.build(place, indexed, lambda text: None)
    assert BEFORE.statements == INDEXED.statements
    found = [objects(place, database) for database in (before, indexed)]
    assert found[0] < found[1]
    assert found[1] - found[0] == {("index", name) for name in indexes.OF_THE_PLAN}
    assert len(indexes.OF_THE_PLAN) == 9


def objects(place: scratch.Scratch, database: str) -> set[tuple[str, str]]:
    with place.session(database) as connection:
        return set(
            connection.execute(
                "SELECT 'index', indexname FROM pg_indexes WHERE schemaname NOT LIKE 'pg_%'"
                " UNION SELECT 'function', oid::regprocedure::text FROM pg_proc"
                " UNION SELECT 'trigger', tgname FROM pg_trigger"
            ).fetchall()
        )


def test_both_paths_store_a_message_and_its_reply(place: scratch.Scratch, migrated: str, kinds):
    for path in (BEFORE, AFTER):
        Pgbench(place.pgbench, place.dsn(migrated)).run(path, kinds[fill.USUAL], seed=1, passes=5)
    with place.session(migrated) as superuser:
        row = superuser.execute(
            "SELECT (SELECT count(*) FROM public.whatsapp_conversation_messages WHERE role = 'assistant'"
            " AND length(message_id) > 30),"
            " (SELECT sum(monthly_ai_responses_used) - 30 * 1000 FROM public.profiles),"
            " (SELECT sum(usage_count) FROM public.ai_personalities)"
        ).fetchone()
    assert row == (10, 10, 10)


def test_a_simulated_crowd_is_answered(place: scratch.Scratch, migrated: str, kinds, monkeypatch):
    monkeypatch.setattr("waops.dev.benchmark.crowd.WRITES_EVERY", 0.2)
    monkeypatch.setattr("waops.dev.benchmark.crowd.AI_SECONDS", (0.0, 0.1))
    for path in PATHS:
        # In a separate thread: if Playwright ran before, this one already has an event loop.
        with ThreadPoolExecutor() as threads:
            crowd = threads.submit(simulate, place.dsn(migrated), path, kinds[10], 20, seconds=1.5, seed=1).result()
        assert crowd["answered"] > 0
        assert crowd["errors"] == 0
        assert 0 < crowd["database_p50"] <= crowd["database_p95"] <= crowd["database_p99"]
        assert crowd["response_p95"] > 0


def test_the_proxy_delays_each_round_trip(place: scratch.Scratch, migrated: str):
    with (
        DelayingProxy(place.dsn(migrated), 0.05) as proxy,
        psycopg.connect(proxy.dsn, autocommit=True) as connection,
    ):
        elapsed = connection.execute("SELECT clock_timestamp()").fetchone()
        later = connection.execute("SELECT clock_timestamp()").fetchone()
    assert elapsed is not None
    assert later is not None
    assert (later[0] - elapsed[0]).total_seconds() >= 0.05


def test_databases_are_dropped_when_it_fails(place: scratch.Scratch, server: EmbeddedServer, monkeypatch):
    monkeypatch.setattr(scratch, "_own_server", lambda: nullcontext(place))
    with pytest.raises(RuntimeError), scratch.scratch() as given:  # noqa: PT012
        given.create()
        assert scratch_databases(server) == 1
        raise RuntimeError
    assert scratch_databases(server) == 0


@pytest.mark.parametrize("given", ["0", "-1", "many"])
def test_a_size_is_a_whole_number(given: str):
    with pytest.raises(CommandError, match="not a whole number"):
        call_command("benchmark", f"--messages={given}")


def test_the_readme_must_have_a_place_for_the_result(tmp_path: Path):
    readme = tmp_path / "README.md"
    readme.write_text("Nothing is measured here.")
    with pytest.raises(CommandError, match="has no place for the result"):
        call_command("benchmark", readme=[readme])
    assert readme.read_text() == "Nothing is measured here."


def test_what_is_published_says_what_was_measured():
    """No figure of the report, its plots or the READMEs was typed by a person."""
    root = Path(settings.BASE_DIR)
    result = json.loads((root / "docs" / "benchmark.json").read_text())
    assert (root / "docs" / "benchmark.md").read_text() == report.markdown(result)
    for name, svg in report.plots(result).items():
        assert (root / "docs" / "images" / name).read_text() == svg
    assert readme_part(result, "en") in (root / "README.md").read_text()
    assert readme_part(result, "ar") in (root / "README.ar.md").read_text()


def test_told_to_end_it_leaves_nothing_behind():
    with tempfile.TemporaryDirectory(prefix="waops-test-") as folder:
        Path(folder).chmod(0o755)
        with subprocess.Popen(
            [sys.executable, "manage.py", "benchmark", "--messages", "300000"],
            cwd=settings.BASE_DIR,
            env=os.environ | {"TMPDIR": folder, "DATABASE_URL": ""},
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stderr is not None
            assert process.stderr.readline().startswith("1/3 The service's data")
            process.send_signal(signal.SIGTERM)
            assert "Interrupted" in process.stderr.read()
        assert process.returncode == 1
        assert not list(Path(folder).iterdir())
