"""The benchmark is tested for what it counts, keeps and drops; never for time."""

import json
import re
from contextlib import nullcontext
from pathlib import Path

import psycopg
import pytest
from django.core.management import CommandError, call_command

from waops.benchmark import fill, scratch
from waops.benchmark.crowd import simulate
from waops.benchmark.gain import statements_per_message
from waops.benchmark.observe import Observer
from waops.benchmark.paths import AFTER, BEFORE
from waops.benchmark.pgbench import Pgbench
from waops.benchmark.proxy import DelayingProxy
from waops.embedded.server import SUPERUSER, EmbeddedServer

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
    kept, report = tmp_path / "result.json", tmp_path / "benchmark.md"
    with django_db_blocker.unblock():
        call_command(
            "benchmark", messages=MESSAGES, seconds=1, rounds=1, clients=2, json=kept, report=report, verbosity=0
        )
    result = json.loads(kept.read_text())
    assert result["gain"]["statements"] == {"before": 16.0, "after": 2.0}
    assert {plot.name for plot in (tmp_path / "images").iterdir()} == {"benchmark-gain.svg"}

    result["gain"]["figures"]["wal_bytes"]["after"]["median"] = 7_654_321
    result["machine"]["processor"] = "a slide rule"
    kept.write_text(json.dumps(result))
    call_command("benchmark", from_json=kept, report=report, verbosity=0)
    assert "7,654,321" in report.read_text()
    assert "a slide rule" in report.read_text()


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
    monkeypatch.setattr("waops.benchmark.crowd.WRITES_EVERY", 0.2)
    monkeypatch.setattr("waops.benchmark.crowd.AI_SECONDS", (0.0, 0.1))
    for path in (BEFORE, AFTER):
        crowd = simulate(place.dsn(migrated), path, kinds[10], 20, seconds=1.5, seed=1)
        assert crowd["answered"] > 0
        assert crowd["errors"] == 0
        assert 0 < crowd["database_p50"] <= crowd["database_p95"] <= crowd["database_p99"]


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
