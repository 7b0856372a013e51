"""The Edge Functions' callers: what asking the switches costs, and the same turns on both paths.

    python -m benchmarks.edge [--turns 10000] [--postgres-bin FOLDER]

Starts its own Postgres server. Fails if a call costs more than 0.05 ms, or if the two paths answer or store
something different.
"""

import argparse
import os
import sys
from pathlib import Path

import django

from waops.serving.terminal import Terminal

console = Terminal()
SECONDS = 3600


def main(options: argparse.Namespace) -> int:
    from benchmarks.message_path import temporary_server
    from tests.conversations.edge.deno import deno, edge_databases
    from tests.databases import Databases

    with console.status("Calls with switches and without…"):
        cost = deno("run", "switches_cost.ts")
    console.print(cost.stdout.strip())
    with (
        temporary_server(options.postgres_bin, fsync=False) as (server, _),
        console.status(f"{options.turns:,} turns on each path…"),
        edge_databases(Databases(server)) as environment,
    ):
        replay = deno("run", "replay.ts", str(options.turns), seconds=SECONDS, **environment)
    console.print(replay.stdout.strip())
    return cost.returncode or replay.returncode


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "waops.settings")
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    django.setup()
    from django.db import connections

    connections["default"].settings_dict["OPTIONS"].pop("pool", None)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=10_000)
    parser.add_argument("--postgres-bin", type=Path)
    sys.exit(main(parser.parse_args()))
