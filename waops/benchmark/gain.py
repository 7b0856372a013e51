"""The old path and the new one, in turns, on the same data."""

import statistics
from collections import defaultdict
from dataclasses import dataclass
from time import perf_counter

import psycopg

from waops.benchmark.fill import Kind
from waops.benchmark.observe import Observer
from waops.benchmark.options import Options
from waops.benchmark.paths import AFTER, BEFORE, INSERT, STORE, Path
from waops.benchmark.pgbench import Pgbench
from waops.benchmark.progress import Step
from waops.benchmark.proxy import DelayingProxy
from waops.benchmark.scratch import Scratch

COUNTED_PASSES = 25
CALM_SHARE = 0.5
"""Of the old path's full speed: the pace at which load is compared, because at full speed both are always busy."""
PROBES = 50

Samples = dict[str, dict[str, list[float]]]


@dataclass(frozen=True)
class Pair:
    """The two databases: as before the plan, and migrated."""

    before: str
    after: str

    def of(self, path: Path) -> str:
        return self.before if path is BEFORE else self.after


def statements_per_message(place: Scratch, observer: Observer, database: str, path: Path, kind: Kind) -> float:
    """Counted by the server: every statement of both paths is a transaction of its own.

    The difference of two runs, one twice as long as the other, leaves out what connecting costs.
    """
    bench = Pgbench(place.pgbench, place.dsn(database))
    counts = []
    for passes in (COUNTED_PASSES, 2 * COUNTED_PASSES):
        before = observer.commits(database)
        bench.run(path, kind, seed=passes, passes=passes)
        counts.append(observer.commits(database) - before)
    return (counts[1] - counts[0]) / COUNTED_PASSES


def compare(
    place: Scratch, observer: Observer, databases: Pair, kind: Kind, options: Options, step: Step
) -> dict[str, object]:
    """Full speed, a calm pace, and full speed through a delay; the first round warms up and is left out."""
    samples: Samples = defaultdict(lambda: defaultdict(list))
    calm_rate = 1.0
    for number in range(options.rounds + 1):
        for path in (BEFORE, AFTER):
            step(f"Full speed, {path.name}, round {number}")
            bench = Pgbench(place.pgbench, place.dsn(databases.of(path)))
            run = bench.run(path, kind, seed=options.seed + number, clients=options.clients, seconds=options.seconds)
            samples["messages_per_second"][path.name].append(run.rate)
            if number == 0 and path is BEFORE:
                calm_rate = CALM_SHARE * run.rate
        for path in (BEFORE, AFTER):
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
            if seen.cpu_seconds is not None:
                samples["cpu_ms"][path.name].append(1000 * seen.cpu_seconds / run.passes)
    samples |= _delayed(place, databases, kind, options, step)
    return {
        "kind": kind.messages,
        "calm_rate": calm_rate,
        "statements": {
            path.name: statements_per_message(place, observer, databases.of(path), path, kind)
            for path in (BEFORE, AFTER)
        },
        "figures": {name: summaries(paths, skip=1) for name, paths in samples.items()},
    }


def _delayed(place: Scratch, databases: Pair, kind: Kind, options: Options, step: Step) -> Samples:
    """Through the proxy; `round_trip_ms` is what a round trip really took."""
    samples: Samples = defaultdict(lambda: defaultdict(list))
    if not options.rtt_ms:
        return samples
    for number in range(options.rounds + 1):
        for path in (BEFORE, AFTER):
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
    """How near the ceiling: storing by the function beside a bare INSERT into the same table, per second."""
    bench = Pgbench(place.pgbench, place.dsn(database))
    rates: dict[str, list[float]] = {"insert": [], "function": []}
    for number in range(options.rounds + 1):
        for name, path in (("insert", INSERT), ("function", STORE)):
            step(f"Ceiling, {name}, round {number}")
            run = bench.run(path, kind, seed=options.seed + number, clients=options.clients, seconds=options.seconds)
            rates[name].append(run.rate)
    return summaries(rates, skip=1)


def summaries(samples: dict[str, list[float]], *, skip: int = 0) -> dict[str, object]:
    """Median, least and most of each, without the first `skip`."""
    return {
        name: {
            "median": statistics.median(values[skip:]),
            "least": min(values[skip:]),
            "most": max(values[skip:]),
        }
        for name, values in samples.items()
    }
