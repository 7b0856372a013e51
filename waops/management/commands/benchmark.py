"""Measure the gain: the path before the plan and after it, on databases made for it and dropped at the end."""

import json
import signal
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any

import psycopg
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table

from waops.baseline import BaselineError
from waops.benchmark import readme, report, suite
from waops.benchmark.bar import Bar
from waops.benchmark.errors import BenchmarkError
from waops.benchmark.findings import plan_table
from waops.benchmark.goals import goals
from waops.benchmark.options import Options
from waops.benchmark.plots import number
from waops.benchmark.progress import Watch
from waops.embedded import EmbeddedServerError


class Command(BaseCommand):
    help = (
        "Measures the service's path before the plan and after it, in turns, on scratch databases that it drops at the "
        "end: on the server of DATABASE_URL, as a superuser, or on one of its own. Never uses the configured database."
    )
    # The checks are about the configured database.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        given = Options()
        parser.add_argument("--messages", type=positive, default=given.messages, help="Messages to begin with.")
        parser.add_argument("--seconds", type=positive, default=given.seconds, help="Length of one run.")
        parser.add_argument("--rounds", type=positive, default=given.rounds, help="Runs of each, after one to warm up.")
        parser.add_argument("--clients", type=positive, default=given.clients, help="Connections at once.")
        parser.add_argument("--rtt-ms", type=float, default=given.rtt_ms, help="Delay of a round trip; 0: leave out.")
        parser.add_argument("--seed", type=int, default=given.seed, help="Chooses every customer that is drawn.")
        parser.add_argument("--growth", action="store_true", help="Also as conversations and tables grow.")
        parser.add_argument("--concurrency", action="store_true", help="Also many conversations over 10 connections.")
        parser.add_argument("--pages", action="store_true", help="Also the admin's pages at small and large data.")
        parser.add_argument("--full", action="store_true", help="Growth and pages to 10 million messages; 25 GB.")
        parser.add_argument("--json", type=Path, help="Write the result here.")
        parser.add_argument("--report", type=Path, help="Write a report in Markdown here, and its plots beside it.")
        parser.add_argument("--readme", type=Path, help="Put the table and plots between this file's two marks.")
        parser.add_argument("--from-json", type=Path, help="Measure nothing: report an earlier result.")

    def handle(self, **given: Any) -> None:
        options = Options(**{name: given[name] for name in Options.__dataclass_fields__})
        try:
            if given["readme"]:
                if not given["report"]:
                    raise CommandError("--readme refers to the report: say with --report where that is.")
                readme.around(given["readme"])
            result = (
                self.earlier(given["from_json"]) if given["from_json"] else self.measure(options, given["verbosity"])
            )
            if given["json"]:
                given["json"].write_text(json.dumps(result, indent=1) + "\n")
            if given["report"]:
                report.write(result, given["report"])
            if given["readme"]:
                readme.update(result, given["readme"], given["report"])
        except (BenchmarkError, BaselineError, EmbeddedServerError, psycopg.Error, OSError) as error:
            raise CommandError(str(error)) from error
        if given["verbosity"]:
            self.show(result)

    def earlier(self, kept: Path) -> dict[str, Any]:
        try:
            result: dict[str, Any] = json.loads(kept.read_text())
        except ValueError as error:
            raise CommandError(f"{kept} holds no result of this command: {error}") from error
        return result

    def measure(self, options: Options, verbosity: int) -> dict[str, Any]:
        """Raises BenchmarkError and what its parts raise. Told to end, it drops what it made, as after Ctrl-C."""
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            with Bar(Console(stderr=True), enabled=verbosity > 0) as bar:
                # Through JSON, so that what is reported is what is kept.
                result: dict[str, Any] = json.loads(json.dumps(suite.run(options, Watch(bar.show))))
                return result
        except KeyboardInterrupt:
            raise CommandError("Ended early. What it had made is removed.") from None
        finally:
            signal.signal(signal.SIGTERM, before)

    def show(self, result: dict[str, Any]) -> None:
        console = Console(file=self.stdout)  # type: ignore[arg-type]
        table = Table(title=f"One message with its reply, conversations of {result['gain']['kind']} messages")
        for name in ("", "before", "after", "change", "promised"):
            table.add_column(name, justify="right" if name else "left")
        for line in plan_table(result):
            table.add_row(line.what, line.before, line.after, line.change, line.promised)
        console.print(table)
        table = Table(title="Goals")
        for name in ("", "reached", "goal", " "):
            table.add_column(name, justify="right" if name.strip() else "left")
        for goal in goals(result):
            table.add_row(goal.what, number(goal.reached), goal.wanted, "✓" if goal.is_met else "not reached")
        console.print(table)


def positive(text: str) -> int:
    """A whole number from 1 on."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"not a whole number from 1 on: {text}")
    return int(text)
