"""Measure the gain: the path before the plan and after it, on databases created for it and dropped at the end."""

import json
import signal
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any

import psycopg
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError
from rich.table import Table

from waops.dev.baseline import BaselineError
from waops.dev.benchmark import readme, report, suite
from waops.dev.benchmark.bar import Bar
from waops.dev.benchmark.errors import BenchmarkError
from waops.dev.benchmark.findings import LABELS, plan_table
from waops.dev.benchmark.goals import goals
from waops.dev.benchmark.options import Options
from waops.dev.benchmark.plots import number
from waops.dev.benchmark.progress import Watch
from waops.serving.terminal import Terminal


class Command(BaseCommand):
    help = (
        "Measures the legacy path without and with the plan's indexes, and the functions, in turns, on scratch "
        "databases that it drops at the end. Uses the server of DATABASE_URL, as a superuser, or starts one. Never "
        "uses the configured database."
    )
    # The checks are about the configured database.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        given = Options()
        parser.add_argument(
            "--messages", type=positive, default=given.messages, help="Number of messages at the start."
        )
        parser.add_argument("--seconds", type=positive, default=given.seconds, help="Length of one run.")
        parser.add_argument("--rounds", type=positive, default=given.rounds, help="Runs of each, after a warm-up run.")
        parser.add_argument("--clients", type=positive, default=given.clients, help="Concurrent connections.")
        parser.add_argument(
            "--rtt-ms", type=float, default=given.rtt_ms, help="Delay of a round trip; 0: do not measure it."
        )
        parser.add_argument("--seed", type=int, default=given.seed, help="Seed for choosing customers.")
        parser.add_argument("--growth", action="store_true", help="Also measure growing conversations and tables.")
        parser.add_argument(
            "--concurrency",
            action="store_true",
            help="Also measure many conversations over 10 connections, and capacity.",
        )
        parser.add_argument(
            "--pages", action="store_true", help="Also measure the admin's pages with little and much data."
        )
        parser.add_argument(
            "--full", action="store_true", help="Measure growth and pages up to 10 million messages; needs 25 GB."
        )
        parser.add_argument("--json", type=Path, help="Write the result here.")
        parser.add_argument("--report", type=Path, help="Write a report in Markdown here, and its plots next to it.")
        parser.add_argument("--readme", type=Path, nargs="+", help="Write five figures between these files' marks.")
        parser.add_argument("--from-json", type=Path, help="Do not measure; report an earlier result.")

    def handle(self, **given: Any) -> None:
        options = Options(**{name: given[name] for name in Options.__dataclass_fields__})
        try:
            for path in given["readme"] or []:
                readme.around(path)
            result = (
                self.earlier(given["from_json"]) if given["from_json"] else self.measure(options, given["verbosity"])
            )
            if given["json"]:
                given["json"].write_text(json.dumps(result, indent=1) + "\n")
            if given["report"]:
                report.write(result, given["report"])
            if given["readme"]:
                readme.update(result, given["readme"])
        except (BenchmarkError, BaselineError, OperationalError, psycopg.Error, OSError) as error:
            raise CommandError(str(error)) from error
        if given["verbosity"]:
            self.show(result)

    def earlier(self, kept: Path) -> dict[str, Any]:
        try:
            result: dict[str, Any] = json.loads(kept.read_text())
        except ValueError as error:
            raise CommandError(f"{kept} is not a result of this command: {error}") from error
        return result

    def measure(self, options: Options, verbosity: int) -> dict[str, Any]:
        """Run the benchmark. Raises BenchmarkError and what its parts raise. When terminated, it drops what it created,
        as after Ctrl-C.
        """
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            with Bar(Terminal(stderr=True), enabled=verbosity > 0) as bar:
                # Through JSON, so that the report shows exactly what is stored.
                result: dict[str, Any] = json.loads(json.dumps(suite.run(options, Watch(bar.show))))
                return result
        except KeyboardInterrupt:
            raise CommandError("Interrupted. The scratch databases were removed.") from None
        finally:
            signal.signal(signal.SIGTERM, before)

    def show(self, result: dict[str, Any]) -> None:
        console = Terminal(self.stdout)
        table = Table(title=f"One message with its reply, conversations of {result['gain']['kind']} messages")
        for name in ("", *LABELS.values(), "change", "promised"):
            table.add_column(name, justify="right" if name else "left")
        for line in plan_table(result):
            table.add_row(line.what, line.before, line.indexes, line.after, line.change, line.promised)
        console.print(table)
        table = Table(title="Goals")
        for name in ("", "reached", "goal", " "):
            table.add_column(name, justify="right" if name.strip() else "left")
        for goal in goals(result):
            table.add_row(goal.what, number(goal.reached), goal.wanted, "✓" if goal.is_met else "not reached")
        console.print(table)


def positive(text: str) -> int:
    """A whole number of at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"not a whole number from 1 on: {text}")
    return int(text)
