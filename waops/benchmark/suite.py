"""The whole benchmark, from an empty scratch database to one JSON-ready result."""

from contextlib import closing
from dataclasses import asdict
from typing import Any

from waops.benchmark.crowd import simulate
from waops.benchmark.fill import USUAL, mixed_kinds
from waops.benchmark.gain import Pair, compare, limits
from waops.benchmark.growth import ROUNDS, by_length, by_table
from waops.benchmark.machine import describe
from waops.benchmark.observe import Observer
from waops.benchmark.options import CROWDS, TABLE_SIZES, Options
from waops.benchmark.paths import AFTER, BEFORE
from waops.benchmark.progress import Step
from waops.benchmark.scratch import Scratch, scratch

CROWD_ROUNDS = 8
"""A simulation lasts this many times as long as a run."""


def run(options: Options, step: Step) -> dict[str, Any]:
    """Raises BenchmarkError. Whatever happens, the scratch databases are dropped."""
    with scratch() as place, closing(Observer(place.maintenance)) as observer:
        return _measure(place, observer, options, step)


def _measure(place: Scratch, observer: Observer, options: Options, step: Step) -> dict[str, Any]:
    kinds = mixed_kinds(options.messages)
    step(f"Writing {options.messages:,} messages")
    before = place.create()
    place.fill(before, kinds)
    step("Migrating a copy")
    databases = Pair(before, place.create(before))
    place.migrate(databases.after)
    with place.session(databases.before) as connection:
        result: dict[str, Any] = {"options": asdict(options), "machine": describe(connection)}
    result["kinds"] = [asdict(kind) for kind in kinds.values()]
    result["gain"] = compare(place, observer, databases, kinds[USUAL], options, step)
    result["limits"] = limits(place, databases.after, kinds[USUAL], options, step)
    if options.concurrency:
        result["concurrency"] = []
        for conversations in CROWDS:
            for path in (BEFORE, AFTER):
                step(f"{conversations:,} conversations at once, {path.name}")
                result["concurrency"].append(
                    simulate(
                        place.dsn(databases.of(path)),
                        path,
                        min(kinds.values(), key=lambda kind: kind.messages),
                        conversations,
                        CROWD_ROUNDS * options.seconds,
                        options.seed,
                    )
                )
    if options.growth:
        result["lengths"] = by_length(place, databases, kinds, options, step)
        result["tables"] = by_table(place, options, step)
    return result


def number_of_steps(options: Options) -> int:
    """How often `run` will call its `step`."""
    rounds = options.rounds + 1
    steps = 2 + 4 * rounds + (2 * rounds if options.rtt_ms else 0) + 2 * rounds
    if options.concurrency:
        steps += 2 * len(CROWDS)
    if options.growth:
        sizes = len(TABLE_SIZES) - (not options.full)
        steps += len(mixed_kinds(options.messages)) + sizes + 2 * (ROUNDS + 1)
    return steps
