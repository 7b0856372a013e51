"""Measure the legacy path without and with the plan's indexes, and the functions, in turns on the same data."""

import statistics
from collections import defaultdict
from dataclasses import dataclass
from time import perf_counter

import psycopg

from waops.dev.benchmark.fill import Kind
from waops.dev.benchmark.observe import Observer
from waops.dev.benchmark.options import Options
from waops.dev.benchmark.paths import AFTER, BEFORE, INDEXED, INSERT, PATHS, STORE, Path
from waops.dev.benchmark.pgbench import Pgbench
from waops.dev.benchmark.progress import Step
from waops.dev.benchmark.proxy import DelayingProxy
from waops.dev.benchmark.scratch import Scratch

COUNTED_PASSES = 25
COUNTED_TIMES = 3
"""The lowest count is right, because the server also counts autovacuum's transactions."""
CALM_SHARE = 0.5
"""Share of the legacy path's maximum: the pace at which load is compared, because at full speed both are
always busy.
"""
PROBES = 50

Samples = dict[str, dict[str, list[float]]]


@dataclass(frozen=True)
class Databases:
    """The same data in three databases: before the plan, with only the plan's indexes, and migrated."""

    before: str = ""
    indexed: str = ""
    after: str = ""

    def of(self, path: Path) -> str:
        return {BEFORE.name: self.before, INDEXED.name: self.indexed, AFTER.name: self.after}[path.name]


def statements_per_message(place: Scratch, observer: Observer, database: str, path: Path, kind: Kind) -> float:
    """The number of statements per message, counted by the server: each statement of both paths is a separate
    transaction.

    The difference of two runs, one twice as long as the other, leaves out what connecting costs.
    """
    bench = Pgbench(place.pgbench, place.dsn(database))
    counts: dict[int, int] = {}
    for passes in (COUNTED_PASSES, 2 * COUNTED_PASSES) * COUNTED_TIMES:
        before = observer.commits(database)
        bench.run(path, kind, seed=passes, passes=passes)
        counted = observer.commits(database) - before
        counts[passes] = min(counted, counts.get(passes, counted))
    return (counts[2 * COUNTED_PASSES] - counts[COUNTED_PASSES]) / COUNTED_PASSES


def compare(
    place: Scratch, observer: Observer, databases: Databases, kind: Kind, options: Options, step: Step
) -> dict[str, object]:
    """Full speed, a calm pace, and full speed through a delay; the first round warms up and is left out."""
    samples: Samples = defaultdict(lambda: defaultdict(list))
    reads: Samples = {BEFORE.name: defaultdict(list), INDEXED.name: defaultdict(list)}
    calm_rate = 1.0
    for number in range(options.rounds + 1):
        for path in PATHS:
            step(f"Full speed, {path.name}, round {number}")
            bench = Pgbench(place.pgbench, place.dsn(databases.of(path)))
            run = bench.run(path, kind, seed=options.seed + number, clients=options.clients, seconds=options.seconds)
            samples["messages_per_second"][path.name].append(run.rate)
            if number == 0 and path is BEFORE:
                calm_rate = CALM_SHARE * run.rate
        for path in PATHS:
            step(f"Calm pace, {path.name}, round {number}")
            database = databases.of(path)
            bench = Pgbench(place.pgbench, place.dsn(database))
            with observer.watching(database) as seen:
                run = bench.run(
                    path,
                    kind,
                    seed=options.seed + number,
                    clients=options.clients,
                    seconds=options.seconds,
                    rate=calm_rate,
                )
            samples["statement_ms"][path.name].append(run.message_ms / len(path.statements))
            samples["message_ms"][path.name].append(run.message_ms)
            samples["busy"][path.name].append(seen.busy)
            samples["wal_bytes"][path.name].append(seen.wal_bytes / run.passes)
            for statement, milliseconds in zip(path.statements, run.statement_ms, strict=True):
                if statement.reads:
                    reads[path.name][statement.reads].append(milliseconds)
            if seen.cpu_seconds is not None:
                samples["cpu_ms"][path.name].append(1000 * seen.cpu_seconds / run.passes)
    samples |= _delayed(place, databases, kind, options, step)
    return {
        "kind": kind.messages,
        "calm_rate": calm_rate,
        "statements": {
            path.name: statements_per_message(place, observer, databases.of(path), path, kind) for path in PATHS
        },
        "figures": {name: summaries(paths, skip=1) for name, paths in samples.items()},
        "reads": {name: summaries(times, skip=1) for name, times in reads.items()},
    }


def _delayed(place: Scratch, databases: Databases, kind: Kind, options: Options, step: Step) -> Samples:
    """Through the proxy; `round_trip_ms` is what a round trip really took."""
    samples: Samples = defaultdict(lambda: defaultdict(list))
    if not options.rtt_ms:
        return samples
    for number in range(options.rounds + 1):
        for path in PATHS:
            step(f"With a delay, {path.name}, round {number}")
            with DelayingProxy(place.dsn(databases.of(path)), options.rtt_ms / 1000) as proxy:
                samples["round_trip_ms"][path.name].append(_round_trip_ms(proxy.dsn))
                bench = Pgbench(place.pgbench, proxy.dsn)
                run = bench.run(
                    path, kind, seed=options.seed + number, clients=options.clients, seconds=options.seconds
                )
            samples["delayed_messages_per_second"][path.name].append(run.rate)
            samples["delayed_statement_ms"][path.name].append(run.message_ms / len(path.statements))
            samples["delayed_message_ms"][path.name].append(run.message_ms)
    return samples


def _round_trip_ms(dsn: str) -> float:
    times = []
    with psycopg.connect(dsn, autocommit=True, prepare_threshold=0) as connection:
        for _ in range(PROBES):
            begin = perf_counter()
            connection.execute("SELECT 1")
            times.append(1000 * (perf_counter() - begin))
    return statistics.median(times)


def limits(place: Scratch, database: str, kind: Kind, options: Options, step: Step) -> dict[str, object]:
    """Compare storing by the function with a bare INSERT into the same table, per second."""
    bench = Pgbench(place.pgbench, place.dsn(database))
    rates: dict[str, list[float]] = {"insert": [], "function": []}
    for number in range(options.rounds + 1):
        for name, path in (("insert", INSERT), ("function", STORE)):
            step(f"Ceiling, {name}, round {number}")
            run = bench.run(path, kind, seed=options.seed + number, clients=options.clients, seconds=options.seconds)
            rates[name].append(run.rate)
    return summaries(rates, skip=1)


def summaries(samples: dict[str, list[float]], *, skip: int = 0) -> dict[str, object]:
    """Median, lowest and highest of each, without the first `skip`."""
    return {
        name: {
            "median": statistics.median(values[skip:]),
            "least": min(values[skip:]),
            "most": max(values[skip:]),
        }
        for name, values in samples.items()
    }
