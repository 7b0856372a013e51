"""What one call costs as conversations and tables grow; one client, milliseconds."""

import statistics

from waops.benchmark.fill import USUAL, Kind, usual_kinds
from waops.benchmark.gain import Pair
from waops.benchmark.options import TABLE_SIZES, Options
from waops.benchmark.paths import CONTEXT, STORE
from waops.benchmark.pgbench import Pgbench
from waops.benchmark.progress import Step
from waops.benchmark.scratch import Scratch

ROUNDS = 4
"""The first warms up."""
SECONDS = 1


def by_length(
    place: Scratch, databases: Pair, kinds: dict[int, Kind], options: Options, step: Step
) -> list[dict[str, float]]:
    """Per length: our functions (in the migrated database) and the plan's (in the other)."""
    rows = []
    for length, kind in kinds.items():
        step(f"Conversations of {length:,} messages")
        benches = {"ours": databases.after, "plan": databases.before}
        row: dict[str, float] = {"messages": length}
        for call, path in (("store", STORE), ("context", CONTEXT)):
            times: dict[str, list[float]] = {name: [] for name in benches}
            for number in range(ROUNDS):
                for name, database in benches.items():
                    bench = Pgbench(place.pgbench, place.dsn(database))
                    run = bench.run(path, kind, seed=options.seed + number, seconds=SECONDS)
                    times[name].append(run.message_ms)
            row |= {f"{name}_{call}": statistics.median(values[1:]) for name, values in times.items()}
        rows.append(row)
    return rows


def by_table(place: Scratch, options: Options, step: Step) -> list[dict[str, float]]:
    """Per number of rows, all in conversations of USUAL length: our functions, the tables measured in turns."""
    databases: dict[int, str] = {}
    for size in TABLE_SIZES if options.full else TABLE_SIZES[:-1]:
        step(f"A table of {size:,} messages")
        databases[size] = place.create()
        place.fill(databases[size], usual_kinds(size))
        place.migrate(databases[size])
    rows: list[dict[str, float]] = [{"rows": size} for size in databases]
    for call, path in (("store", STORE), ("context", CONTEXT)):
        times: dict[int, list[float]] = {size: [] for size in databases}
        for number in range(ROUNDS + 1):
            step(f"Tables of all sizes, {call}, round {number}")
            for size, database in databases.items():
                kind = usual_kinds(size)[USUAL]
                bench = Pgbench(place.pgbench, place.dsn(database))
                times[size].append(bench.run(path, kind, seed=options.seed + number, seconds=SECONDS).message_ms)
        for row in rows:
            row[call] = statistics.median(times[int(row["rows"])][1:])
    return rows
