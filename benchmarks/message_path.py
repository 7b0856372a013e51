"""What storing a message costs: beside a bare INSERT, and in short and long conversations; ours and the plan's.

    python -m benchmarks.message_path [--clients 8] [--seconds 3] [--rounds 5] [--postgres-bin FOLDER] [--no-fsync]

Starts its own Postgres server in a temporary folder, with the server's default settings, and lets pgbench call it.
The paths take turns and their medians are compared, so other work on the machine affects both equally.
"""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django
import psycopg
from rich.table import Table

from benchmarks.database import LONG, SHORT, USUAL, Kind, benchmark_database
from waops.dev.embedded.server import EmbeddedServer
from waops.serving.terminal import Terminal

CALL = "SELECT public.store_message_with_update({conversation}, 'user', 'hello, where is my order?', {message_id})"
INSERT = (
    "INSERT INTO public.whatsapp_conversation_messages (conversation_id, role, content, message_id)"
    " VALUES ({conversation}, 'user', 'hello, where is my order?', {message_id})"
)
MESSAGE_ID = "gen_random_uuid()::text"

NUMBERS = 50
"""WhatsApp numbers used by the turns; each belongs to a different business."""
TURN_NUMBERS = """
    INSERT INTO auth.users (id) SELECT md5('business' || number)::uuid FROM generate_series(1, 50) AS number;
    INSERT INTO public.profiles (id, full_name, monthly_ai_response_limit)
    SELECT md5('business' || number)::uuid, 'Owner', 2000000000 FROM generate_series(1, 50) AS number;
    INSERT INTO public.whatsapp_instances (id, user_id, instance_name)
    SELECT md5('number' || number)::uuid, md5('business' || number)::uuid, 'number' || number
    FROM generate_series(1, 50) AS number;
    INSERT INTO public.whatsapp_conversations (instance_id, user_phone)
    SELECT md5('number' || number)::uuid, '2010' || customer
    FROM generate_series(1, 50) AS number, generate_series(1, 100) AS customer;
"""
ARRIVED = (
    "SELECT arrived ->> 'conversation_id' AS conversation, arrived -> 'turn' ->> 'token' AS token"
    " FROM public.message_arrived(md5('number' || :number)::uuid, '2010' || :customer, 'where is it?',"
    " gen_random_uuid()::text, 10{lease}) AS arrived \\gset\n"
)
REPLY = (
    "SELECT public.reply_ready(:conversation, 'It leaves today.', gen_random_uuid()::text,"
    """ '{{"user_message": "where is it?", "total_tokens": 412}}', NULL, NULL{turn});\n"""
)
TURNS = {
    "without a lease": ARRIVED.format(lease="") + REPLY.format(turn=""),
    "with a lease": ARRIVED.format(lease=", 60") + REPLY.format(turn=", :token"),
    "with a lease, and turn_sent": ARRIVED.format(lease=", 60")
    + REPLY.format(turn=", :token")
    + "SELECT public.turn_sent(:token);\n",
}
"""A message arrives and its reply is ready; with pgbench, and prepared statements."""
GOAL_TURN = 1.1

PROTOCOLS = {"prepared": "prepared statements", "simple": "planned each time, as behind a transaction pooler"}

GOAL_RATE = 0.75
GOAL_GROWTH = 1.2
CALLS_PER_ROUND = 400

console = Terminal()


class Bench:
    """Runs pgbench against one database."""

    def __init__(self, server: EmbeddedServer, database: str, folder: Path) -> None:
        self._program = server.binaries / "pgbench"
        self.dsn = server.dsn(dbname=database)
        self._script = folder / "script.sql"

    def milliseconds(
        self, statement: str, kind: Kind, *, clients: int, length: list[str], protocol: str = "prepared"
    ) -> float:
        """Mean time between one transaction and the next, of all clients together."""
        script = statement.format(conversation=kind.random_id, message_id=MESSAGE_ID)
        script = f"\\set number random(1, {kind.conversations})\n{script};\n"
        return self._run(script, clients=clients, length=length, protocol=protocol)

    def turn_milliseconds(self, turn: str, *, clients: int, length: list[str]) -> float:
        """The same of one of TURNS."""
        script = f"\\set number random(1, {NUMBERS})\n\\set customer random(1, 100)\n{TURNS[turn]}"
        return self._run(script, clients=clients, length=length, protocol="prepared")

    def _run(self, script: str, *, clients: int, length: list[str], protocol: str) -> float:
        self._script.write_text(script)
        clients_and_length = ["--client", str(clients), "--jobs", str(min(clients, os.cpu_count() or 1)), *length]
        options = ["--no-vacuum", f"--protocol={protocol}", f"--file={self._script}", *clients_and_length]
        result = subprocess.run([self._program, *options, self.dsn], capture_output=True, text=True, check=True)
        rate = re.search(r"tps = ([\d.]+)", result.stdout)
        assert rate is not None, result.stdout
        return 1000 / float(rate[1])


def compare_with_insert(bench: Bench, protocol: str, options: argparse.Namespace) -> tuple[float, float]:
    """Calls and bare inserts in a second, at USUAL conversations."""
    length = ["--time", str(options.seconds)]
    calls: list[float] = []
    inserts: list[float] = []
    for _ in range(options.rounds):
        for statement, times in ((INSERT, inserts), (CALL, calls)):
            times.append(
                bench.milliseconds(statement, USUAL, clients=options.clients, length=length, protocol=protocol)
            )
    return 1000 / statistics.median(calls), 1000 / statistics.median(inserts)


def compare_lengths(bench: Bench, *, rounds: int, calls: int) -> tuple[float, float]:
    """Milliseconds of one call in a LONG and in a SHORT conversation, one client. The first round warms up."""
    length = ["--transactions", str(calls)]
    long: list[float] = []
    short: list[float] = []
    for _ in range(rounds + 1):
        long.append(bench.milliseconds(CALL, LONG, clients=1, length=length))
        short.append(bench.milliseconds(CALL, SHORT, clients=1, length=length))
    return statistics.median(long[1:]), statistics.median(short[1:])


def compare_turns(bench: Bench, options: argparse.Namespace) -> dict[str, float]:
    """Milliseconds of each of TURNS. The first round warms up."""
    with psycopg.connect(bench.dsn, autocommit=True) as connection:
        connection.execute(TURN_NUMBERS)
    length = ["--time", str(options.seconds)]
    measured: dict[str, list[float]] = {turn: [] for turn in TURNS}
    for _ in range(options.rounds + 1):
        for turn, times in measured.items():
            times.append(bench.turn_milliseconds(turn, clients=options.clients, length=length))
    return {turn: statistics.median(times[1:]) for turn, times in measured.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seconds", type=int, default=3, help="length of one round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--postgres-bin", type=Path, help="another server's programs, such as Debian's")
    parser.add_argument("--no-fsync", action="store_true", help="without waiting for the disk: processor time only")
    options = parser.parse_args()

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "waops.settings")
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    django.setup()
    with temporary_server(options.postgres_bin, fsync=not options.no_fsync) as (server, folder):
        with psycopg.connect(server.dsn()) as connection:
            version = connection.info.server_version // 10000
        with console.status("Preparing our database…"):
            ours = Bench(server, benchmark_database(server, "migrated"), folder)
        with console.status("Preparing the plan's database…"):
            plan = Bench(server, benchmark_database(server, "after"), folder)
        with console.status("Measuring calls beside bare inserts…"):
            measured = {protocol: compare_with_insert(ours, protocol, options) for protocol in PROTOCOLS}
        with console.status("Measuring turns…"):
            turns = compare_turns(ours, options)
        with console.status("Measuring short and long conversations…"):
            lengths = {
                "ours": compare_lengths(ours, rounds=options.rounds, calls=CALLS_PER_ROUND),
                "the plan's": compare_lengths(plan, rounds=2, calls=20),
            }
    console.print(rates(version, options.clients, measured))
    console.print(growth(lengths))
    console.print(leases(options.clients, turns))


def rates(version: int, clients: int, measured: dict[str, tuple[float, float]]) -> Table:
    table = Table(title=f"Postgres {version}, {clients} clients, conversations of {USUAL.messages} messages")
    for column in ("", "INSERT a second", "calls a second", "share", "goal"):
        table.add_column(column, justify="left" if not column else "right")
    for protocol, (calls, inserts) in measured.items():
        table.add_row(
            PROTOCOLS[protocol], f"{inserts:,.0f}", f"{calls:,.0f}", f"{calls / inserts:.2f}", f"≥ {GOAL_RATE}"
        )
    return table


def growth(lengths: dict[str, tuple[float, float]]) -> Table:
    table = Table(title="One client, milliseconds of one call")
    for column in ("", f"{SHORT.messages:,} messages", f"{LONG.messages:,} messages", "times", "goal"):
        table.add_column(column, justify="left" if not column else "right")
    for name, (long, short) in lengths.items():
        goal = f"≤ {GOAL_GROWTH}" if name == "ours" else ""
        table.add_row(name, f"{short:.2f}", f"{long:.2f}", f"{long / short:.2f}", goal)
    return table


def leases(clients: int, turns: dict[str, float]) -> Table:
    table = Table(title=f"A message and its reply, {clients} clients, milliseconds between one and the next")
    for column in ("", "milliseconds", "times", "goal"):
        table.add_column(column, justify="left" if not column else "right")
    without = turns["without a lease"]
    for turn, milliseconds in turns.items():
        goal = f"≤ {GOAL_TURN}" if turn == "with a lease" else ""
        table.add_row(turn, f"{milliseconds:.3f}", f"{milliseconds / without:.2f}", goal)
    return table


@contextmanager
def temporary_server(binaries: Path | None, *, fsync: bool) -> Iterator[tuple[EmbeddedServer, Path]]:
    """A server, and a folder for scripts."""
    home, folder = Path(tempfile.mkdtemp(prefix="waops-bench-")), Path(tempfile.mkdtemp(prefix="waops-bench-"))
    server = EmbeddedServer(home, binaries=binaries, options=() if fsync else ("fsync=off", "synchronous_commit=off"))
    server.start()
    try:
        yield server, folder
    finally:
        server.release()
        shutil.rmtree(home)
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
