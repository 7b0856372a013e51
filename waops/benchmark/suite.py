"""The whole benchmark, from an empty scratch database to one JSON-ready result."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, field
from time import perf_counter
from typing import Any

from waops.benchmark import growth, indexes, pages
from waops.benchmark.crowd import simulate
from waops.benchmark.datasets import Datasets
from waops.benchmark.fill import USUAL, Kind, fill_unvacuumed, long_kind, mixed_kinds
from waops.benchmark.gain import Pair, compare, limits
from waops.benchmark.machine import describe
from waops.benchmark.observe import Observer
from waops.benchmark.options import CROWDS, LENGTHS, PAGE_MESSAGES, Options
from waops.benchmark.paths import AFTER, BEFORE
from waops.benchmark.progress import Stage, Step, Watch
from waops.benchmark.scratch import Scratch, scratch

CROWD_ROUNDS = 8
"""A simulation lasts this many times as long as a run."""
RUN_OVERHEAD = 0.6
"""Seconds that a run takes besides its length: connecting, and waiting for the sessions' end."""


def run(options: Options, watch: Watch) -> dict[str, Any]:
    """Raises BenchmarkError. Whatever happens, the scratch databases are dropped."""
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
        self.databases = Pair("", "")

    @property
    def long(self) -> Kind | None:
        """Conversations of the greatest length, one for each client, as two writers of one wait for each other."""
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
        self.step("Migrating a copy")
        self.databases = Pair(before, place.create(before))
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
        shortest = min(self.kinds.values(), key=lambda kind: kind.messages)
        self.result["concurrency"] = []
        for conversations in CROWDS:
            for path in (BEFORE, AFTER):
                self.step(f"{conversations:,}, {path.name}")
                crowd = simulate(
                    self.place.dsn(self.databases.of(path)),
                    path,
                    shortest,
                    conversations,
                    CROWD_ROUNDS * self.options.seconds,
                    self.options.seed,
                )
                self.result["concurrency"].append(crowd)

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
    """With the seconds that each takes on a machine with two processors."""
    rounds, one = options.rounds + 1, options.seconds + RUN_OVERHEAD
    written = options.messages + (LENGTHS[-1] * options.clients if options.growth else 0)
    yield Stage("The service's data, and a migrated copy", 10 + written / 15_000, Work.prepare)
    yield Stage("The old path and the new one", rounds * (6 if options.rtt_ms else 4) * one, Work.gain)
    yield Stage("The ceiling", rounds * 2 * one, Work.limits)
    if options.concurrency:
        yield Stage("Many conversations at once", len(CROWDS) * 2 * (CROWD_ROUNDS * options.seconds + 2), Work.crowds)
    if options.growth:
        calls = 2 * 2 * len(LENGTHS) * growth.ROUNDS
        yield Stage("Longer conversations", calls * (growth.SECONDS + RUN_OVERHEAD) + rounds * 4 * one, Work.lengths)
        yield Stage("What each index costs", 40 * indexes.ROUNDS * indexes.PASSES / 1_300, Work.indexes)
    if options.sizes:
        yield Stage("Demo data", 20 + max(options.sizes) / 18_000, Work.data)
    # Before anything is written there: the demo data is then as its generator made it.
    if options.pages:
        yield Stage("Pages", 4 * len(pages.PAGES) * pages.ROUNDS * 0.06, Work.pages)
    if options.growth:
        yield Stage("Larger tables", 2 * (rounds + 1) * len(options.table_sizes) * one, Work.tables)
