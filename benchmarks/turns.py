"""Turns while workers die anywhere: is every message answered once or listed, and is every answer counted?

    python -m benchmarks.turns [--messages 10000] [--seed 1] [--postgres-bin FOLDER]

Starts its own Postgres server. Fails if a message is answered twice, or neither answered nor listed.
"""

import argparse
import os
import sys
import time
from pathlib import Path

import django
import psycopg
from rich.table import Table

from waops.serving.terminal import Terminal

console = Terminal()


def main(options: argparse.Namespace) -> int:
    from benchmarks.message_path import temporary_server
    from tests.conversations.message_path.rows import Rows
    from tests.conversations.message_path.turn_storm import WORKERS, Storm
    from tests.databases import Databases

    with temporary_server(options.postgres_bin, fsync=False) as (server, _):
        with console.status("Preparing the database…"):
            name = Databases(server).create("migrated")
        with psycopg.connect(server.dsn(dbname=name), autocommit=True) as connection:
            storm = Storm(Rows(connection), options.messages, options.seed, small_limit=options.messages // 50)
            began = time.monotonic()
            with console.status(f"{WORKERS} workers at {options.messages:,} messages…"):
                storm.run()
            seconds = time.monotonic() - began
            found = list(storm.problems())
            outcomes = connection.execute(
                "SELECT 'ended: ' || outcome, count(*) FROM waops.conversations_turn GROUP BY 1 ORDER BY 1"
            ).fetchall()
    table = Table("what", "times")
    for what, times in [*sorted(storm.states.items()), *outcomes]:
        table.add_row(what, f"{times:,}")
    console.print(table)
    console.print(f"{len(storm.sends):,} replies sent in {seconds:,.0f} s, {len(found)} problems")
    for problem in found:
        console.print(problem)
    return 1 if found else 0


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "waops.settings")
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    django.setup()
    from django.db import connections

    connections["default"].settings_dict["OPTIONS"].pop("pool", None)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--postgres-bin", type=Path, help="another server's programs, such as Debian's")
    sys.exit(main(parser.parse_args()))
