"""Staff pressing random actions on the same escalations: how fast that is, and whether
each state follows from its history.

    python -m benchmarks.desk_chaos [--seconds 60] [--staff 20] [--escalations 50] [--seed 1] [--postgres-bin FOLDER]

Starts its own Postgres server. Fails if any escalation is in a state that its history does not lead to.
"""

import argparse
import os
import sys
from pathlib import Path

import django
from rich.table import Table

from waops.serving.terminal import Terminal

console = Terminal()


def main(options: argparse.Namespace) -> int:
    from benchmarks.message_path import temporary_server
    from escalations.models import Escalation, Event
    from tests.databases import Databases, django_uses
    from tests.escalations.chaos import Desk, rage, untold
    from tests.escalations.replay import problems

    with temporary_server(options.postgres_bin, fsync=False) as (server, _):
        with console.status("Preparing the database…"):
            name = Databases(server).create("migrated")
        with django_uses(server, name):
            desk = Desk.make(options.staff, options.escalations)
            with console.status(
                f"{options.staff} people at {options.escalations} escalations for {options.seconds} s…"
            ):
                outcomes = rage(desk, options.seconds, options.seed)
            found = [*problems(), *(f"{kind}: {pair}" for kind, pair in untold(outcomes).items())]
            table = Table("outcome", "times")
            for outcome, times in outcomes.most_common():
                table.add_row(outcome, f"{times:,}")
            console.print(table)
            console.print(
                f"{outcomes.total():,} results ({outcomes.total() / options.seconds:,.0f} a second),"
                f" {Event.objects.count():,} events, {Escalation.objects.count():,} escalations,"
                f" {len(found)} problems"
            )
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
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--staff", type=int, default=20)
    parser.add_argument("--escalations", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--postgres-bin", type=Path, help="another server's programs, such as Debian's")
    sys.exit(main(parser.parse_args()))
