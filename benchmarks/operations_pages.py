"""Every operations page on a database of production's size: what it takes, and that it scans and locks nothing large.

    DATABASE_URL=… python -m benchmarks.operations_pages            on that database; only reads
    python -m benchmarks.operations_pages --fill 10000000 2000      on a scratch server, with so many messages and other
                                                                    tables, each with an index; dropped in the end

Says of each page the median and the worst of some requests, its statements, the pages of memory (8 KB) that the
costliest one touches, and the strongest lock on a table. Fails if a page's median is over the limit, or one of its
statements scans a whole table of the service or locks a table more strongly than a reader.
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django
import psycopg
from django.db import transaction
from rich.table import Table

from waops.serving.terminal import Terminal

if TYPE_CHECKING:
    from benchmarks.statements import Watched

console = Terminal()

MESSAGES = """
    INSERT INTO public.whatsapp_conversation_messages (conversation_id, "timestamp", role, content, message_id)
    SELECT md5('short' || 1 + number %% 20000)::uuid, now() - number * interval '3 seconds', 'user',
           'message ' || number, number::text
    FROM generate_series(%s::bigint, %s::bigint) AS number
"""
CONVERSATIONS = """
    INSERT INTO public.whatsapp_conversations (id, instance_id, user_phone)
    SELECT md5('short' || number)::uuid, md5('number')::uuid, '2010' || number FROM generate_series(1, 20000) AS number
"""
OTHER_TABLE = "CREATE TABLE public.other_{0} (id int, note text); CREATE INDEX other_{0}_id ON public.other_{0} (id)"
SLICE = 500_000
"""Messages per transaction."""


def main(options: argparse.Namespace) -> int:
    from django.test import Client
    from django.urls import reverse

    from benchmarks.statements import large_tables, watch
    from tests.factories import staff
    from waops.dbops.admin import address_of
    from waops.dbops.pages import PAGES

    client = Client(headers={"host": "localhost"})
    client.force_login(staff("Operators", username="benchmark of the pages"))
    addresses = [address_of(page) for page in PAGES]
    addresses += [f"{reverse(f'admin:waops_operations_{name}')}?tables=all" for name in ("indexes", "tables")]
    addresses.append(reverse("admin:waops_operations_report"))
    large = large_tables()
    headings = ("page", "status", "median, ms", "worst, ms", "KB", "statements", "pages touched", "wrong")
    table = Table(*headings, title="Operations pages; the first is the doctor")
    failed = False
    for address in addresses:
        times = []
        for _number in range(options.requests):
            begin = time.perf_counter()
            response = client.get(address, secure=True)
            times.append(1000 * (time.perf_counter() - begin))
        with watch(large) as watched:
            client.get(address, secure=True)
        wrong = faults(watched, statistics.median(times), options.limit)
        failed |= bool(wrong) or response.status_code != 200
        touched = max((statement.blocks for statement in watched), default=0)
        figures = (response.status_code, statistics.median(times), max(times), len(response.content) / 1024)
        table.add_row(
            address.removeprefix("/waops/operations/"),
            *(f"{one:,.0f}" for one in (*figures, len(watched), touched)),
            "\n".join(wrong),
        )
    console.print(table)
    return 1 if failed else 0


def faults(watched: "list[Watched]", median: float, limit: float) -> list[str]:
    found = [f"{limit:,.0f} ms"] if median > limit else []
    for statement in watched:
        found += statement.whole_scans
        found += statement.strong_locks
    return sorted(set(found))


@contextmanager
def scratch(messages: int, tables: int) -> Iterator[None]:
    """Connect Django to a migrated database with that many rows, on a separate server."""
    from django.conf import settings

    from benchmarks.database import NUMBER, TRIGGERS
    from tests.databases import Databases, django_uses
    from waops.dev.embedded.server import SUPERUSER, EmbeddedServer

    home = Path(tempfile.mkdtemp(prefix="waops-benchmark-"))
    slots = ("fsync=off", "max_wal_size=4GB", "shared_buffers=1GB", "maintenance_work_mem=256MB")
    server = EmbeddedServer(
        home, major=settings.EMBEDDED_POSTGRES_VERSION, binaries=settings.EMBEDDED_POSTGRES_BIN, options=slots
    )
    server.start()
    try:
        name = Databases(server).create("before")
        with psycopg.connect(server.dsn(SUPERUSER, name), autocommit=True) as session:
            session.execute(NUMBER)
            session.execute(CONVERSATIONS)
            session.execute(TRIGGERS.format("DISABLE"))
            for start in range(1, messages + 1, SLICE):
                session.execute(MESSAGES, [start, min(messages, start + SLICE - 1)])
                console.print(f"{min(messages, start + SLICE - 1):,} messages")
            session.execute(TRIGGERS.format("ENABLE"))
            for number in range(tables):
                session.execute(OTHER_TABLE.format(number))
        with django_uses(server, name):
            from django.core.management import call_command

            call_command("migrate", verbosity=0)
            with psycopg.connect(server.dsn(SUPERUSER, name), autocommit=True) as session:
                session.execute("VACUUM ANALYZE")
            yield
    finally:
        server.release()
        shutil.rmtree(home)


def run(options: argparse.Namespace) -> int:
    """The operator who asks is made and removed in one transaction."""
    with transaction.atomic():
        code = main(options)
        transaction.set_rollback(True)
    return code


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "waops.settings")
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    django.setup()
    parser: Any = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=5, help="Requests of each page (5).")
    parser.add_argument("--limit", type=float, default=1000, help="Milliseconds a page may take (1000).")
    parser.add_argument("--fill", type=int, nargs=2, metavar=("MESSAGES", "TABLES"), help="On a scratch server.")
    given = parser.parse_args()
    if given.fill:
        from django.db import connections

        connections["default"].settings_dict["OPTIONS"].pop("pool", None)
        with scratch(*given.fill):
            sys.exit(run(given))
    sys.exit(run(given))
