"""Replies to customers: how long from pressing Send to "sent", and whether each arrives once whatever is killed.

    python -m benchmarks.replies [--parts speed kills] [--replies 10000] [--people 20]
        [--web-kills 20] [--database-kills 5] [--share 0.05]

Starts its own Postgres, gateway and gunicorn (two workers). In the first part nothing fails; in the second web workers
and the whole Postgres server are killed with SIGKILL and a share of the gateway's answers is bad: it hangs, drips,
answers 400, 401, 404, 500 or 502, closes after sending, and answers twice. Fails if a reply was sent twice, is missing
in its conversation, or is not explained.
"""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path
from random import Random
from typing import Any

import django
from rich.table import Table

from waops.serving.terminal import Terminal, progress_bar

console = Terminal()
GATEWAY_SECONDS = 0.2


def main(options: argparse.Namespace) -> int:
    from tests.databases import Databases, django_uses
    from tests.image import fill
    from waops.dev.embedded.server import EmbeddedServer

    home, folder = (Path(tempfile.mkdtemp(prefix="waops-replies-")) for _ in range(2))
    server = EmbeddedServer(home, binaries=options.postgres_bin, options=("fsync=off",))
    try:
        with console.status("Preparing the database…"):
            fill(server)
            server.start()
            name = Databases(server).create("migrated")
        with django_uses(server, name):
            if "speed" in options.parts:
                speed(server, folder, options)
            return kills(server, folder, options) if "kills" in options.parts else 0
    finally:
        server.release()
        shutil.rmtree(home)
        shutil.rmtree(folder)


def speed(server: Any, folder: Path, options: argparse.Namespace) -> None:
    """From pressing Send to "sent", as the page learns it, for more and more people at once."""
    from django.db import connections

    from tests.escalations.replies.conftest import session_of
    from tests.escalations.replies.storm import crowd, rage, web_server
    from waops.dev.gateway import Gateway

    gateway_time = f"{1000 * GATEWAY_SECONDS:.0f} ms"
    table = Table("people", "replies", "median", "p95", f"p95 beyond the gateway's {gateway_time}")
    with Gateway(seconds=GATEWAY_SECONDS) as gateway:
        for people in (1, 3, 5, 10, options.people):
            staff, escalations = crowd(people, 25 * people)
            cookies = [session_of(one) for one in staff]
            connections.close_all()
            with web_server(server, gateway, folder / "static", folder / "log") as web:
                # The first few warm up workers, caches and connections.
                for part in (escalations[: 10 * people], escalations[10 * people :]):
                    storm = rage(server, gateway, cookies, part, web, web_kills=0, database_kills=0, pause=1)
            waits = storm.waits
            p95 = waits[int(0.95 * len(waits))]
            row = (waits[len(waits) // 2], p95, p95 - GATEWAY_SECONDS)
            table.add_row(str(people), str(len(waits)), *(f"{1000 * value:.0f} ms" for value in row))
    console.print(table)


def kills(server: Any, folder: Path, options: argparse.Namespace) -> int:
    from django.db import connections

    from tests.escalations.replies.conftest import session_of
    from tests.escalations.replies.storm import crowd, misbehaving, problems, rage, web_server
    from waops.dev.gateway import Gateway

    behaviour = misbehaving(Random(1), options.share)  # noqa: S311
    with Gateway(choose=behaviour, seconds=0.02) as gateway:
        with console.status(f"Making {options.replies:,} escalations…"):
            staff, escalations = crowd(options.people, options.replies)
            cookies = [session_of(one) for one in staff]
        connections.close_all()
        with web_server(server, gateway, folder / "static", folder / "log") as web, progress_bar() as bar:
            task = bar.add_task("Replying", total=options.replies)
            storm = rage(
                server,
                gateway,
                cookies,
                escalations,
                web,
                web_kills=options.web_kills,
                database_kills=options.database_kills,
                pause=options.pause,
                tell=lambda _: bar.advance(task),
            )
        connections.close_all()
        found = list(problems(gateway, storm, escalations))
        table = Table("told", "times")
        for told, times in storm.told.most_common():
            table.add_row(told, f"{times:,}")
        console.print(table)
        console.print(
            f"{len(storm.sent):,} replies by {options.people} people in {storm.seconds:,.0f} s;"
            f" killed: {dict(storm.kills)}; {len(gateway.requests):,} requests reached the gateway,"
            f" which delivered {len(gateway.delivered):,}; {len(found)} problems"
        )
        for problem in found[:50]:
            console.print(problem)
    return 1 if found else 0


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "waops.settings")
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    django.setup()
    from django.db import connections

    connections["default"].settings_dict["OPTIONS"].pop("pool", None)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=["speed", "kills"], default=["speed", "kills"])
    parser.add_argument("--replies", type=int, default=10_000)
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--web-kills", type=int, default=20)
    parser.add_argument("--database-kills", type=int, default=5)
    parser.add_argument("--pause", type=float, default=8.0, help="seconds between two kills, about")
    parser.add_argument("--share", type=float, default=0.05, help="of the gateway's answers that are bad")
    parser.add_argument("--postgres-bin", type=Path, help="another server's programs, such as Debian's")
    sys.exit(main(parser.parse_args()))
