"""100 people at the desk, each with an escalation open: what keeps their pages live costs, and how soon it tells.

    python -m benchmarks.desk_live [--people 100] [--seconds 30] [--escalations 500] [--messages 100000] [--limit 0.5]
        [--postgres-bin FOLDER]

Starts its own Postgres server and gunicorn with two workers. Each person has a session, asks every two seconds what
changed, and says every ten that they look and work on it; meanwhile customers write and colleagues claim and resolve, a
few times a second. Prints requests and transactions a second, how long an answer takes, and how long after a message
was stored the page that shows its conversation is told. Fails where 95 % of the answers take longer than `--limit`
seconds, or a message more than three.
"""

import argparse
import json
import os
import random
import sys
import threading
import time
import uuid
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote, urlencode

import django
from rich.table import Table

from waops.serving.terminal import Terminal

console = Terminal()

INTERVAL, HEARTBEAT = 2.0, 10.0
"""Seconds, as the pages' scripts have them."""
LONGEST = 3.0
LIVE = "/escalations/escalation/live/"

STATEMENTS = "SELECT xact_commit FROM pg_catalog.pg_stat_database WHERE datname = current_database()"
"""Each statement outside a transaction is a transaction by itself."""
WRITE = """
    INSERT INTO public.whatsapp_conversation_messages (id, conversation_id, role, content, "timestamp")
    SELECT %s, conversation.id, 'user', 'Is anybody there?', clock_timestamp()
    FROM public.whatsapp_conversations AS conversation
    JOIN public.escalated_conversations AS escalation
        ON escalation.instance_id = conversation.instance_id AND escalation.whatsapp_number = conversation.user_phone
    WHERE escalation.id = %s
"""


class Page:
    """One open page: what it was told last, how long answers took, how late it learned of messages."""

    written: dict[str, float] = {}
    """When each message was stored, by id."""

    def __init__(self, port: int, session: str, token: str, escalation: str) -> None:
        self.escalation, self.etag, self.newest = escalation, "", ""
        self.waits: list[float] = []
        self.late: list[float] = []
        self.web = HTTPConnection("127.0.0.1", port, timeout=60)
        self.cookies = {"Cookie": f"sessionid={session}; csrftoken={token}"}
        self.body = urlencode({"csrfmiddlewaretoken": token, "active": "1"})
        self.since = quote(time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime()))

    def run(self, until: float) -> None:
        time.sleep(random.uniform(0, INTERVAL))  # noqa: S311
        looked = -HEARTBEAT
        while (now := time.monotonic()) < until:
            if now - looked >= HEARTBEAT:
                looked = now
                self.look()
            self.ask()
            time.sleep(max(0.0, now + INTERVAL - time.monotonic()))
        self.web.close()

    def ask(self) -> None:
        body = self._send(
            "GET", f"{LIVE}?since={self.since}&escalation={self.escalation}", {"If-None-Match": self.etag}
        )
        if not body:
            return
        newest = json.loads(body)["newest"]
        if newest != self.newest and newest in self.written:
            self.late.append(time.monotonic() - self.written[newest])
        self.newest = newest

    def look(self) -> None:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        self._send("POST", f"{LIVE}{self.escalation}/", kind, self.body)

    def _send(self, method: str, path: str, headers: dict[str, str], body: str = "") -> bytes:
        started = time.monotonic()
        self.web.request(method, path, body=body or None, headers=self.cookies | headers)
        response = self.web.getresponse()
        text = response.read()
        self.waits.append(time.monotonic() - started)
        if response.status not in (200, 204, 304):
            raise RuntimeError(f"{path}: {response.status}")
        self.etag = response.headers.get("ETag") or self.etag
        return text


def bustle(dsn: str, escalations: list[str], others: list[str], people: list[int], until: float) -> None:
    """Customers write, three a second; every second a colleague claims one, and every third one is resolved."""
    import psycopg

    with psycopg.connect(dsn, autocommit=True) as connection:
        turn = 0
        while time.monotonic() < until:
            message = uuid.uuid4()
            Page.written[str(message)] = time.monotonic()
            connection.execute(WRITE, [message, random.choice(escalations)])  # noqa: S311
            if turn % 3 == 0 and others:
                one, person = others.pop(), random.choice(people)  # noqa: S311
                claim = "SELECT * FROM waops.claim_escalations(%s::uuid[], %s, 'Omar', interval '10 minutes')"
                connection.execute(claim, [[one], person])
            if turn % 9 == 0 and others:
                resolve = "SELECT * FROM waops.resolve_escalations(%s::uuid[], %s, 'Omar')"
                connection.execute(resolve, [[others.pop()], random.choice(people)])  # noqa: S311
            turn += 1
            time.sleep(1 / 3)


def staff(number: int) -> tuple[list[int], list[str]]:
    """Ids and sessions of so many people of Support."""
    from django.contrib.auth.models import Group
    from django.test import Client

    from waops.access.people import User

    ids, sessions = [], []
    for place in range(number):
        user = User.objects.create(username=f"person{place}", is_staff=True)
        user.groups.set(Group.objects.filter(name="Support"))
        client = Client(headers={"host": "localhost"})
        client.force_login(user, "django.contrib.auth.backends.ModelBackend")
        ids.append(user.pk)
        sessions.append(client.cookies["sessionid"].value)
    return ids, sessions


def main(options: argparse.Namespace) -> int:
    import psycopg
    from django.conf import settings

    from benchmarks.crowd import _server
    from benchmarks.desk_pages import fill, person
    from benchmarks.quota_pages import own_server
    from tests.databases import Databases, django_uses

    settings.DEBUG = False
    with own_server(options.postgres_bin) as server:
        name = Databases(server).create("migrated")
        dsn = server.dsn(dbname=name)
        with django_uses(server, name), console.status("Filling the database…"):
            person()
            fill(dsn, options.escalations, options.messages, 1_000)
            people, sessions = staff(options.people)
        with psycopg.connect(dsn, autocommit=True) as connection:
            rows = connection.execute("""
                SELECT escalation.id::text FROM public.escalated_conversations AS escalation
                LEFT JOIN waops.escalations_escalationstate AS state ON state.escalation_id = escalation.id
                WHERE escalation.resolved_at IS NULL AND state.escalation_id IS NULL ORDER BY escalation.id
            """)
            ids = [pk for (pk,) in rows]
            shown, others = ids[: options.people], ids[options.people :]
            url = f"postgresql://postgres@/{name}?host={server.socket_dir}"
            with _server(url, settings.SECRET_KEY) as port:
                token = "a" * 32
                pages = [
                    Page(port, session, token, escalation) for session, escalation in zip(sessions, shown, strict=True)
                ]
                until = time.monotonic() + options.seconds
                threads = [threading.Thread(target=page.run, args=[until]) for page in pages]
                threads.append(threading.Thread(target=bustle, args=[dsn, shown, others, people, until]))
                for page in pages:  # workers, caches and connections are warm
                    page.ask()
                    page.waits.clear()
                [(before,)] = connection.execute(STATEMENTS).fetchall()
                started = time.monotonic()
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
                took = time.monotonic() - started
                time.sleep(1.5)  # until the server has counted
                [(after,)] = connection.execute(STATEMENTS).fetchall()
    waits = sorted(wait for page in pages for wait in page.waits)
    late = sorted(seconds for page in pages for seconds in page.late)
    p95 = waits[int(0.95 * len(waits))]
    table = Table("what", "figure")
    table.add_row("people", str(options.people))
    table.add_row("requests a second", f"{len(waits) / took:,.1f}")
    table.add_row("transactions a second", f"{(after - before) / took:,.1f}")
    table.add_row("of these for each person in ten seconds", f"{10 * (after - before) / took / options.people:,.2f}")
    table.add_row(
        "an answer: median, 95 %, longest, ms",
        " / ".join(f"{1000 * wait:,.1f}" for wait in (waits[len(waits) // 2], p95, waits[-1])),
    )
    table.add_row(
        "a message is told after: median, 95 %, longest, s",
        " / ".join(f"{seconds:.2f}" for seconds in (late[len(late) // 2], late[int(0.95 * len(late))], late[-1])),
    )
    console.print(table)
    return 1 if p95 > options.limit or late[-1] > LONGEST else 0


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "waops.settings")
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    django.setup()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--escalations", type=int, default=500)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--limit", type=float, default=0.5, help="seconds that 95 % of the answers may take (0.5)")
    parser.add_argument("--postgres-bin", type=Path, default=None, help="another server's programs, such as Debian's")
    sys.exit(main(parser.parse_args()))
