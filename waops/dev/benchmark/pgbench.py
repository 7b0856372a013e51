"""Run pgbench, whose clients cost almost nothing, and parse its output."""

import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path as File

from waops.dev.benchmark.errors import BenchmarkError
from waops.dev.benchmark.fill import Kind
from waops.dev.benchmark.paths import Path

LONGEST = 60
NOTHING_DONE = re.compile(r"transactions actually processed: 0$", re.MULTILINE)


@dataclass(frozen=True)
class Run:
    """`rate`: passes per second, without connecting. `statement_ms`: for each statement of the path, in
    order, from sending it to receiving its result.
    """

    passes: int
    rate: float
    statement_ms: tuple[float, ...]

    @property
    def message_ms(self) -> float:
        """Milliseconds per pass, in the database and on the way to it."""
        return sum(self.statement_ms)


@dataclass(frozen=True)
class Pgbench:
    """`program` and the database it runs against."""

    program: File
    dsn: str

    def run(
        self,
        path: Path,
        kind: Kind,
        *,
        seed: int,
        clients: int = 1,
        seconds: int | None = None,
        passes: int | None = None,
        rate: float | None = None,
    ) -> Run:
        """Run for `seconds`, or `passes` per client; at full speed, or at `rate` per second. Raises
        BenchmarkError.

        If the machine is too busy for one pass in that time, run again for twice as long.
        """
        length = ["--time", str(seconds)] if seconds else ["--transactions", str(passes)]
        if rate:
            length += ["--rate", f"{rate:.3f}"]
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
            script.write(path.script(kind))
            script.flush()
            command = [
                str(self.program),
                "--no-vacuum",
                "--protocol=prepared",
                "--report-per-command",
                f"--random-seed={seed}",
                f"--client={clients}",
                f"--jobs={min(clients, os.cpu_count() or 1)}",
                f"--file={script.name}",
                *length,
                self.dsn,
            ]
            result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode:
            raise BenchmarkError(f"pgbench failed on the path {path.name}: {result.stderr.strip()[-800:]}")
        if seconds and seconds < LONGEST and NOTHING_DONE.search(result.stdout):
            return self.run(path, kind, seed=seed, clients=clients, seconds=2 * seconds, rate=rate)
        return parse(result.stdout)


def parse(output: str) -> Run:
    """Parse pgbench's output. Raises BenchmarkError for what it does not recognise."""
    passes = re.search(r"transactions actually processed: (\d+)", output)
    rates = re.findall(r"tps = ([\d.]+)", output)
    # Indented: milliseconds, from version 15 on failures, and the command; a backslash begins commands that are not
    # sent.
    commands = re.findall(r"^ +([\d.]+)(?: +\d+)? +([A-Z].*)$", output, re.MULTILINE)
    if not passes or not rates or not commands:
        raise BenchmarkError(f"Unexpected output from pgbench: {output}")
    return Run(int(passes[1]), float(rates[-1]), tuple(float(milliseconds) for milliseconds, _ in commands))
