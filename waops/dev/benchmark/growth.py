"""Measure one call as conversations and tables grow."""

import statistics

from waops.dev.benchmark.fill import Kind, vacuum_messages
from waops.dev.benchmark.gain import Databases, summaries
from waops.dev.benchmark.options import WRITING_CUSTOMERS, Options
from waops.dev.benchmark.paths import CONTEXT, CONTEXT_OF_WRITER, STORE, STORE_OF_WRITER
from waops.dev.benchmark.pgbench import Pgbench
from waops.dev.benchmark.progress import Step
from waops.dev.benchmark.scratch import Scratch

ROUNDS = 4
"""The first warms up."""
SECONDS = 1

WRITERS = """
    CREATE SCHEMA benchmark;
    CREATE TABLE benchmark.writer AS
    SELECT pg_catalog.row_number() OVER ()::int AS number, latest.*
    FROM (
        SELECT id AS conversation, instance_id, user_phone FROM public.whatsapp_conversations
        WHERE status = 'active' ORDER BY last_activity DESC LIMIT {most}
    ) AS latest;
    ALTER TABLE benchmark.writer ADD PRIMARY KEY (number);
    GRANT USAGE ON SCHEMA benchmark TO PUBLIC;
    GRANT SELECT ON benchmark.writer TO PUBLIC;
    ANALYZE benchmark.writer;
    CHECKPOINT
"""


def by_length(
    place: Scratch, databases: Databases, kinds: list[Kind], options: Options, step: Step
) -> list[dict[str, float]]:
    """Times by length of the conversation, in milliseconds, with one client.

    Our functions, and the plan's in a database with the plan's indexes.
    """
    rows = []
    for kind in kinds:
        row: dict[str, float] = {"messages": kind.messages}
        for call, path in (("store", STORE), ("context", CONTEXT)):
            times: dict[str, list[float]] = {"ours": [], "plan": []}
            for number in range(ROUNDS):
                step(f"{kind.messages:,} messages, {call}, round {number}")
                for name, database in (("ours", databases.after), ("plan", databases.indexed)):
                    bench = Pgbench(place.pgbench, place.dsn(database))
                    run = bench.run(path, kind, seed=options.seed + number, seconds=SECONDS)
                    times[name].append(run.message_ms)
            row |= {f"{name}_{call}": statistics.median(values[1:]) for name, values in times.items()}
        rows.append(row)
    return rows


def by_state(place: Scratch, databases: Databases, long: Kind, options: Options, step: Step) -> list[dict[str, object]]:
    """Stores per second in the longest conversations, by the usual clients: as written, then vacuumed.

    The first round stores our counts, which are created with the first message.
    """
    rows: list[dict[str, object]] = []
    for state in ("written", "vacuumed"):
        if state == "vacuumed":
            step("Vacuuming the messages")
            for database in (databases.indexed, databases.after):
                with place.session(database) as connection:
                    vacuum_messages(connection)
        rates: dict[str, list[float]] = {"plan": [], "ours": []}
        for number in range(options.rounds + 1):
            step(f"{long.messages:,} messages, {state}, round {number}")
            for name, database in (("plan", databases.indexed), ("ours", databases.after)):
                bench = Pgbench(place.pgbench, place.dsn(database))
                run = bench.run(
                    STORE, long, seed=options.seed + number, clients=options.clients, seconds=options.seconds
                )
                rates[name].append(run.rate)
        rows.append({"state": state, "messages": long.messages} | summaries(rates, skip=1))
    return rows


def by_table(place: Scratch, databases: dict[int, str], options: Options, step: Step) -> list[dict[str, float]]:
    """Times by number of rows in the table, in milliseconds, with one client; the tables take turns.

    The same number of customers write in each table, those who wrote last, so that only the table differs.
    """
    writers = {size: _writers(place, database) for size, database in databases.items()}
    kind = Kind(1, 1, min(writers.values()))
    rows: list[dict[str, float]] = [{"rows": size} for size in databases]
    for call, path in (("store", STORE_OF_WRITER), ("context", CONTEXT_OF_WRITER)):
        times: dict[int, list[float]] = {size: [] for size in databases}
        for number in range(options.rounds + 2):
            step(f"Tables of all sizes, {call}, round {number}")
            for size, database in databases.items():
                bench = Pgbench(place.pgbench, place.dsn(database))
                run = bench.run(path, kind, seed=options.seed + number, seconds=options.seconds)
                times[size].append(run.statement_ms[-1])
        for row in rows:
            row[call] = statistics.median(times[int(row["rows"])][2:])
    return rows


def _writers(place: Scratch, database: str) -> int:
    with place.session(database) as connection:
        for statement in WRITERS.format(most=WRITING_CUSTOMERS).split(";"):
            connection.execute(statement)
        row = connection.execute("SELECT pg_catalog.count(*) FROM benchmark.writer").fetchone()
    assert row is not None
    return int(row[0])
