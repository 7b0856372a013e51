"""Run the whole benchmark, from an empty scratch database to one JSON-ready result."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, field
from functools import partial
from time import perf_counter
from typing import Any

from waops.dev.benchmark import capacity, growth, indexes, pages
from waops.dev.benchmark.crowd import WRITES_EVERY, simulate
from waops.dev.benchmark.datasets import Datasets
from waops.dev.benchmark.fill import USUAL, Kind, fill_unvacuumed, long_kind, mixed_kinds
from waops.dev.benchmark.gain import Databases, compare, limits
from waops.dev.benchmark.machine import describe
from waops.dev.benchmark.observe import Observer
from waops.dev.benchmark.options import CROWDS, LENGTHS, PAGE_MESSAGES, Options
from waops.dev.benchmark.paths import PATHS, Path
from waops.dev.benchmark.progress import Stage, Step, Watch
from waops.dev.benchmark.scratch import Scratch, scratch

CROWD_ROUNDS = 8
"""A simulation lasts this many times as long as a run."""
FEWEST_MESSAGES = 200
"""It lasts until there are this many messages: with fewer, the slowest 5 % are random."""
BISECTED = 5
"""About how many simulations bisecting one path's capacity takes."""
RUN_OVERHEAD = 0.6
"""Seconds that a run takes in addition to its length: connecting, and waiting for the sessions to end."""


def run(options: Options, watch: Watch) -> dict[str, Any]:
    """Run every stage and return the result. Raises BenchmarkError. The scratch databases are dropped in any case."""
    with scratch() as place, closing(Observer(place.maintenance)) as observer:
        work, begin = Work(place, observer, options, watch.step), perf_counter()
        for stage in watch.through(list(stages(options))):
            stage.run(work)
        return work.result | {"seconds": perf_counter() - begin}


@dataclass
class Work:
    """What the stages share; each adds its part to `result`."""

    place: Scratch
    observer: Observer
    options: Options
    step: Step
    result: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.kinds = mixed_kinds(self.options.messages)
        self.datasets = Datasets(self.place, self.step)
        self.databases = Databases()

    @property
    def long(self) -> Kind | None:
        """Conversations of the greatest length, one per client, because two writers to one would wait for
        each other.
        """
        if not self.options.growth:
            return None
        return long_kind(self.kinds, self.options.clients)

    def prepare(self) -> None:
        place = self.place
        before = place.create()
        place.fill(before, self.kinds)
        kinds = list(self.kinds.values())
        if self.long:
            self.step(f"{self.long.conversations} conversations of {self.long.messages:,} messages")
            kinds.append(self.long)
            with place.session(before) as connection:
                fill_unvacuumed(connection, self.long)
        self.step("Copying")
        self.databases = Databases(before, place.create(before), place.create(before))
        indexes.build(place, self.databases.indexed, self.step)
        self.step("Migrating a copy")
        place.migrate(self.databases.after)
        with place.session(before) as connection:
            self.result |= {"options": asdict(self.options), "machine": describe(connection)}
        self.result["kinds"] = [asdict(kind) for kind in kinds]

    def gain(self) -> None:
        self.result["gain"] = compare(
            self.place, self.observer, self.databases, self.kinds[USUAL], self.options, self.step
        )

    def limits(self) -> None:
        self.result["limits"] = limits(self.place, self.databases.after, self.kinds[USUAL], self.options, self.step)

    def crowds(self) -> None:
        self.result["concurrency"] = [self.crowd(path, size) for size in CROWDS for path in PATHS]

    def capacity(self) -> None:
        self.result["capacity"] = {}
        for path in PATHS:
            known = [crowd for crowd in self.result["concurrency"] if crowd["path"] == path.name]
            self.result["capacity"][path.name] = asdict(capacity.find(known, partial(self.crowd, path)))

    def crowd(self, path: Path, conversations: int) -> dict[str, Any]:
        self.step(f"{conversations:,}, {path.name}")
        shortest = min(self.kinds.values(), key=lambda kind: kind.messages)
        seconds = max(CROWD_ROUNDS * self.options.seconds, FEWEST_MESSAGES * WRITES_EVERY / conversations)
        dsn = self.place.dsn(self.databases.of(path))
        return simulate(dsn, path, shortest, conversations, seconds, self.options.seed)

    def lengths(self) -> None:
        assert self.long is not None
        kinds = [*self.kinds.values(), self.long]
        self.result["lengths"] = growth.by_length(self.place, self.databases, kinds, self.options, self.step)
        self.result["states"] = growth.by_state(self.place, self.databases, self.long, self.options, self.step)

    def indexes(self) -> None:
        self.result["indexes"] = indexes.costs(self.place, self.databases.after, self.kinds[USUAL], self.step)

    def data(self) -> None:
        for size in self.options.sizes:
            self.datasets.database(size)

    def pages(self) -> None:
        sizes = PAGE_MESSAGES, self.options.table_sizes[-1]
        databases = {size: self.datasets.database(size) for size in sizes}
        self.result["pages"] = pages.by_size(self.place, databases, self.step)

    def tables(self) -> None:
        databases = {size: self.datasets.database(size) for size in self.options.table_sizes}
        self.result["tables"] = growth.by_table(self.place, databases, self.options, self.step)


def stages(options: Options) -> Iterator[Stage[Work]]:
    """The stages, each with the seconds it takes on a machine with two processors."""
    rounds, one = options.rounds + 1, options.seconds + RUN_OVERHEAD
    written = options.messages + (LENGTHS[-1] * options.clients if options.growth else 0)
    yield Stage("The service's data, and two copies", 15 + written / 12_000, Work.prepare)
    yield Stage("The legacy path and the functions", rounds * (9 if options.rtt_ms else 6) * one, Work.gain)
    yield Stage("The ceiling", rounds * 2 * one, Work.limits)
    if options.concurrency:
        crowd = len(PATHS) * (CROWD_ROUNDS * options.seconds + 2)
        yield Stage("Many conversations at once", len(CROWDS) * crowd, Work.crowds)
        yield Stage("Capacity", BISECTED * crowd, Work.capacity)
    if options.growth:
        calls = 2 * 2 * len(LENGTHS) * growth.ROUNDS
        yield Stage("Longer conversations", calls * (growth.SECONDS + RUN_OVERHEAD) + rounds * 4 * one, Work.lengths)
        yield Stage("What each index costs", 40 * indexes.ROUNDS * indexes.PASSES / 1_300, Work.indexes)
    if options.sizes:
        yield Stage("Demo data", 20 + max(options.sizes) / 18_000, Work.data)
    # Before anything is written there, so that the demo data is as generated.
    if options.pages:
        yield Stage("Pages", 4 * len(pages.PAGES) * pages.ROUNDS * 0.06, Work.pages)
    if options.growth:
        yield Stage("Larger tables", 2 * (rounds + 1) * len(options.table_sizes) * one, Work.tables)
