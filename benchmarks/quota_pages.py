"""What the quota pages cost the database, and what keeping their counts costs the service.

    python -m benchmarks.quota_pages [--businesses 5000] [--answers 10000000] [--postgres-bin FOLDER]

Starts its own Postgres server and fills two databases with the same businesses over the same 90 days: one with few
answers (about one per business and day), one with many. For each: seconds to count everything, and per page the number
of statements and their time at the database, the best of several rounds in which the two take turns. Then inserts of
answers, one by one, with and without the triggers that queue them.
"""

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django
import psycopg
from rich.table import Table

from waops.serving.terminal import Terminal

ROUNDS = 7
DAYS = 90

BUSINESSES = """
    INSERT INTO auth.users (id) SELECT md5('business' || n)::uuid FROM generate_series(1, %(businesses)s) AS n;
    INSERT INTO public.profiles (
        id, full_name, business_name, plan_type, monthly_ai_response_limit, monthly_ai_responses_used,
        last_responses_reset_date, subscription_end_date
    )
    SELECT md5('business' || n)::uuid, 'Owner ' || n, 'Business ' || n, 'Launch', 200 + n %% 4000, 100 + n %% 3000,
           date_trunc('month', now()) + (n %% 7) * interval '1 hour', now() + interval '100 days'
    FROM generate_series(1, %(businesses)s) AS n;
    INSERT INTO public.whatsapp_instances (id, user_id, instance_name)
    SELECT md5('number' || n)::uuid, md5('business' || n)::uuid, 'number' || n
    FROM generate_series(1, %(businesses)s) AS n;
    INSERT INTO waops.usage_price (model, valid_from, input_per_million, output_per_million, currency)
    VALUES ('gpt-4.1-mini', '2020-01-01', 0.4, 1.6, 'USD'), ('gpt-4.1', '2020-01-01', 2, 8, 'USD');
"""
# In the order of time, as a service writes them. A tenth of the businesses has half of the answers.
ANSWERS = """
    INSERT INTO public.whatsapp_ai_interactions (
        whatsapp_instance_id, user_message, user_phone, ai_response, response_model, prompt_tokens, completion_tokens,
        total_tokens, created_at, metadata
    )
    SELECT md5('number' || business)::uuid, 'How much is the large one, and do you deliver today?',
           '2010' || (business * 100 + place %% 40), repeat('Yes, we deliver until ten in the evening. ', 6),
           CASE WHEN place %% 9 = 0 THEN 'gpt-4.1' ELSE 'gpt-4.1-mini' END, 900, 80, 980,
           now() - interval '90 days' * (1 - place::float / %(answers)s::bigint),
           jsonb_build_object('personality_id', md5('p' || place %% 3), 'detected_intent',
                              (ARRAY['sales', 'technical', 'billing', 'general'])[1 + place %% 4])
    FROM (
        SELECT place, 1 + (CASE WHEN place %% 2 = 0 THEN (place / 2) %% (%(businesses)s::bigint / 10)
                                ELSE (place / 2) %% %(businesses)s END) AS business
        FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS place
    ) AS answer
"""
INSERT = """
    INSERT INTO public.whatsapp_ai_interactions
        (whatsapp_instance_id, user_message, user_phone, ai_response, response_model, prompt_tokens, completion_tokens)
    VALUES (md5('number1')::uuid, 'question', '201000000000', 'answer', 'gpt-4.1-mini', 900, 80)
"""
CHUNK = 500_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--businesses", type=int, default=5_000)
    parser.add_argument("--answers", type=int, default=10_000_000)
    parser.add_argument("--postgres-bin", type=Path, default=None)
    arguments = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "waops.settings")
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    django.setup()

    from tests.databases import Databases, django_uses

    console, figures = Terminal(), {}
    few = arguments.businesses * DAYS
    with own_server(arguments.postgres_bin) as server:
        databases = Databases(server)
        names = {answers: databases.create("migrated") for answers in (few, arguments.answers)}
        for answers, name in names.items():
            with django_uses(server, name):
                fill(server.dsn(dbname=name), arguments.businesses, answers, console)
                figures[answers] = count_everything(console)
                make_manager()
        pages: dict[int, list[dict[str, tuple[int, float]]]] = {answers: [] for answers in names}
        for _ in range(ROUNDS):
            for answers, name in names.items():
                with django_uses(server, name):
                    pages[answers].append(open_pages())
        for answers, rounds in pages.items():
            for page in rounds[0]:
                figures[answers][f"{page}, queries"] = rounds[0][page][0]
                figures[answers][f"{page}, ms"] = min(measured[page][1] for measured in rounds)
        name = names[few]
        inserts = {queued: inserts_per_second(server.dsn(dbname=name), queued=queued) for queued in (False, True)}
    report(console, figures, inserts)


@contextmanager
def own_server(binaries: Path | None) -> Iterator[Any]:
    """A server with its own defaults but for what a machine for ten million rows would have."""
    from django.db import connections

    from waops.dev.embedded.server import EmbeddedServer

    connections["default"].settings_dict["OPTIONS"].pop("pool", None)
    home = Path(tempfile.mkdtemp(prefix="waops-benchmark-"))
    options = ("shared_buffers=512MB", "work_mem=16MB", "maintenance_work_mem=256MB", "max_wal_size=4GB", "fsync=off")
    server = EmbeddedServer(home, major=18, binaries=binaries, options=options)
    server.start()
    try:
        yield server
    finally:
        server.release()
        shutil.rmtree(home)


def fill(dsn: str, businesses: int, answers: int, console: Terminal) -> None:
    """Answers are written without triggers, and their indexes stay: then counted once."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        for statement in BUSINESSES.split(";\n"):
            if statement.strip():
                connection.execute(statement, {"businesses": businesses})
        # No page here reads these two, and they would take most of the time.
        connection.execute("DROP INDEX public.idx_whatsapp_ai_interactions_metadata")
        connection.execute("DROP INDEX public.idx_ai_interactions_metadata_gin")
        connection.execute("ALTER TABLE public.whatsapp_ai_interactions DISABLE TRIGGER USER")
        with console.status("") as status:
            for first in range(1, answers + 1, CHUNK):
                status.update(f"{first - 1:,} of {answers:,} answers")
                last = min(first + CHUNK - 1, answers)
                values = {"answers": answers, "businesses": businesses, "first": first, "last": last}
                connection.execute(ANSWERS, values)
        connection.execute("ALTER TABLE public.whatsapp_ai_interactions ENABLE TRIGGER USER")
        connection.execute("VACUUM ANALYZE public.whatsapp_ai_interactions")
        connection.execute("ANALYZE")


def count_everything(console: Terminal) -> dict[str, float]:
    """Seconds to build the counts, and to compare them with a full count."""
    from django.db import connection

    from usage import rollup

    with console.status("counting everything"):
        start = time.perf_counter()
        rollup.rebuild()
        built = time.perf_counter()
        proof = rollup.verify()
        verified = time.perf_counter()
        connection.cursor().execute("VACUUM ANALYZE")
    assert proof.differences == 0, proof
    return {"rebuild, s": built - start, "full count, s": verified - built}


def make_manager() -> None:
    from django.contrib.auth.models import Group

    from waops.access.people import User

    user = User.objects.create_user("manager", is_staff=True)
    user.groups.set(Group.objects.filter(name="Managers"))


def open_pages() -> dict[str, tuple[int, float]]:
    """By page: statements, and milliseconds that they took. The second time each is opened: caches are warm."""
    from django.test import Client

    from usage import quota
    from waops.access.people import User

    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.get(username="manager"), "django.contrib.auth.backends.ModelBackend")
    largest = max(quota.load(), key=lambda one: one.replies)
    pages = {
        "overview": "/usage/profile/",
        "overview by cost": "/usage/profile/?o=-cost",
        "largest business": f"/usage/profile/{largest.id}/change/",
    }
    measured = {}
    for page, address in pages.items():
        client.get(address)
        with timed_queries() as seconds:
            assert client.get(address).status_code == 200
        measured[page] = len(seconds), 1_000 * sum(seconds)
    return measured


@contextmanager
def timed_queries() -> Iterator[list[float]]:
    """Seconds that each statement of the block took, with the way to the server and back."""
    from django.db import connection

    seconds: list[float] = []

    def timed(execute: Any, *arguments: Any) -> Any:
        start = time.perf_counter()
        try:
            return execute(*arguments)
        finally:
            seconds.append(time.perf_counter() - start)

    with connection.execute_wrapper(timed):
        yield seconds


def inserts_per_second(dsn: str, *, queued: bool, number: int = 4_000) -> float:
    """One client, one row per transaction; the median of five runs."""
    rates = []
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = off")
        action = "ENABLE" if queued else "DISABLE"
        for event in ("inserted", "updated", "deleted", "truncated"):
            connection.execute(f"ALTER TABLE public.whatsapp_ai_interactions {action} TRIGGER waops_queue_{event}")
        for _ in range(5):
            start = time.perf_counter()
            for _ in range(number):
                connection.execute(INSERT)
            rates.append(number / (time.perf_counter() - start))
    return statistics.median(rates)


def report(console: Terminal, results: dict[int, dict[str, Any]], inserts: dict[bool, float]) -> None:
    few, many = sorted(results)
    table = Table("", f"{few:,} answers", f"{many:,} answers", "ratio")
    for name in results[few]:
        a, b = results[few][name], results[many][name]
        table.add_row(name, f"{a:,.1f}", f"{b:,.1f}", f"{b / a:.2f}")
    console.print(table)
    console.print(
        f"inserts per second: {inserts[False]:,.0f} without the queue, {inserts[True]:,.0f} with it"
        f" ({inserts[True] / inserts[False]:.2f})"
    )


if __name__ == "__main__":
    main()
