"""Everything at once for minutes: which of the service's own statements fail, deadlock or wait because of this app?

    python -m benchmarks.everything_at_once [--minutes 10] [--clients 8] [--only-service] [--postgres-bin FOLDER]

Starts its own Postgres server in a temporary folder. The service inserts, calls the functions with and without
turns, clears chats, deletes conversations and runs its monthly job; meanwhile this app changes quotas in bulk, resets
counters, counts answers, ends turns and repairs. `--only-service` leaves this app's work out, to see what the service's
statements do to each other. Chats that are cleared are not those that are deleted: these two deadlock by themselves,
also without this app.
Exit code 1 where a statement of the service failed.
"""

# ruff: noqa: S311, S608 chance, and statements put together from constants

import argparse
import os
import random
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import django
import psycopg
from rich.table import Table

from benchmarks.message_path import temporary_server
from waops.dev.embedded.server import SUPERUSER
from waops.serving.terminal import Terminal

BUSINESSES, CUSTOMERS = 12, 10
"""Customers per business."""
TENANTS = """
    INSERT INTO auth.users (id) SELECT md5('b' || n)::uuid FROM generate_series(1, %(businesses)s) AS n;
    INSERT INTO public.profiles (id, full_name, monthly_ai_response_limit, subscription_end_date)
    SELECT md5('b' || n)::uuid, 'Owner ' || n, 1000000, now() + interval '1 year'
    FROM generate_series(1, %(businesses)s) AS n;
    INSERT INTO public.whatsapp_instances (id, user_id, instance_name)
    SELECT md5('i' || n)::uuid, md5('b' || n)::uuid, 'number' || n FROM generate_series(1, %(businesses)s) AS n;
    INSERT INTO public.ai_personalities (id, whatsapp_instance_id, user_id, name, system_prompt)
    SELECT md5('p' || n)::uuid, md5('i' || n)::uuid, md5('b' || n)::uuid, 'Sales', 'Sell.'
    FROM generate_series(1, %(businesses)s) AS n;
    INSERT INTO public.whatsapp_ai_config (whatsapp_instance_id, user_id, system_prompt, is_active)
    SELECT md5('i' || n)::uuid, md5('b' || n)::uuid, 'Help.', true FROM generate_series(1, %(businesses)s) AS n;
    INSERT INTO public.whatsapp_conversations (id, instance_id, user_phone)
    SELECT md5('c' || n || '/' || c)::uuid, md5('i' || n)::uuid, '2010' || c
    FROM generate_series(1, %(businesses)s) AS n, generate_series(1, %(customers)s) AS c
"""
MESSAGES = "public.whatsapp_conversation_messages"
OF_CUSTOMER = "WHERE instance_id = md5('i' || %(n)s)::uuid AND user_phone = '2010' || "
TURN = (
    "(SELECT * FROM waops.conversations_turn WHERE ended_at IS NULL AND replied_at IS {} NULL"
    " ORDER BY random() LIMIT 1) AS turn"
)
STAYS = f"(SELECT id FROM public.whatsapp_conversations {OF_CUSTOMER} %(stays)s)"
SERVICE: dict[str, list[str]] = {
    "insert a message": [
        f"INSERT INTO {MESSAGES} (conversation_id, role, content) VALUES ({STAYS}, 'user', 'hello')",
    ],
    "store_message_with_update": [f"SELECT public.store_message_with_update({STAYS}, 'user', 'hello')"],
    "message_arrived": ["SELECT public.message_arrived(md5('i' || %(n)s)::uuid, '2010' || %(any)s, 'hello')"],
    "reply_ready": [
        f'SELECT public.reply_ready({STAYS}, \'hi\', NULL, \'{{"user_message": "hello", "total_tokens": 9}}\', NULL,'
        " md5('p' || %(n)s)::uuid)"
    ],
    "message_arrived with a lease": [
        "SELECT public.message_arrived(md5('i' || %(n)s)::uuid, '2010' || %(stays)s, 'hello', p_lease_seconds => 2)"
    ],
    "reply_ready to a turn": [
        f"SELECT public.reply_ready(conversation_id, 'hi', p_turn => token) FROM {TURN.format('')}"
    ],
    "turn_sent": [f"SELECT public.turn_sent(token) FROM {TURN.format('NOT')}"],
    "end_turn": [f"SELECT public.end_turn(token, 'failed') FROM {TURN.format('')}"],
    "clear a chat": [
        f"DELETE FROM {MESSAGES} WHERE conversation_id = {STAYS}",
        f"UPDATE public.whatsapp_conversations SET conversation_data = '{{}}' WHERE id = {STAYS}",
    ],
    "delete a conversation": [f"DELETE FROM public.whatsapp_conversations {OF_CUSTOMER} %(goes)s"],
    "check_and_update_ai_usage": ["SELECT public.check_and_update_ai_usage(md5('b' || %(n)s)::uuid, true)"],
    "update_personality_usage": ["SELECT public.update_personality_usage(md5('p' || %(n)s)::uuid)"],
    "edit a profile": ["UPDATE public.profiles SET full_name = full_name WHERE id = md5('b' || %(n)s)::uuid"],
}
OVERDUE = """
    UPDATE public.profiles SET last_responses_reset_date = now() - interval '31 days'
    WHERE id = md5('b' || %(n)s)::uuid
"""
JOB = "SELECT public.manage_subscriptions_and_limits()"
STOP_AFTER = "SET statement_timeout = '8s'"
"""As Supabase's roles have it."""

console = Terminal()


@dataclass
class Tally:
    """`failures` by SQLSTATE; `longest` in milliseconds."""

    done: int = 0
    longest: float = 0
    failures: Counter[str] = field(default_factory=Counter)


class Crowd:
    """Threads that do one of several things again and again until the time is up."""

    def __init__(self, until: float) -> None:
        self.until = until
        self.tallies: defaultdict[tuple[str, str], Tally] = defaultdict(Tally)
        self._threads: list[threading.Thread] = []

    def add(self, whose: str, deeds: dict[str, Callable[[], Any]], pause: float = 0) -> None:
        def work() -> None:
            chance = random.Random(len(self._threads))
            while time.monotonic() < self.until:
                what = chance.choice(list(deeds))
                tally, begin = self.tallies[whose, what], time.monotonic()
                try:
                    deeds[what]()
                    tally.done += 1
                except Exception as error:
                    cause = error if isinstance(error, psycopg.Error) else error.__cause__
                    tally.failures[getattr(cause, "sqlstate", None) or type(error).__name__] += 1
                tally.longest = max(tally.longest, 1000 * (time.monotonic() - begin))
                time.sleep(pause)

        self._threads.append(threading.Thread(target=work, name=whose))

    def run(self) -> None:
        for thread in self._threads:
            thread.start()
        for thread in self._threads:
            thread.join()


def service_deeds(dsn: str, seed: int) -> dict[str, Callable[[], Any]]:
    session = psycopg.connect(dsn, autocommit=True)
    session.execute("SET ROLE service_role")
    session.execute(STOP_AFTER)
    chance = random.Random(seed)

    def deed(statements: list[str]) -> Callable[[], None]:
        def run() -> None:
            values = {
                "n": str(chance.randint(1, BUSINESSES)),
                "stays": str(chance.randint(1, CUSTOMERS // 2)),
                "goes": str(chance.randint(CUSTOMERS // 2 + 1, CUSTOMERS)),
                "any": str(chance.randint(1, CUSTOMERS)),
            }
            with session.transaction():
                for statement in statements:
                    session.execute(statement, values)

        return run

    return {name: deed(statements) for name, statements in SERVICE.items()}


def job_deeds(dsn: str) -> dict[str, Callable[[], Any]]:
    """The service's monthly job, often, and the time that passes."""
    session = psycopg.connect(dsn, autocommit=True)
    chance = random.Random(0)
    return {
        "manage_subscriptions_and_limits": lambda: session.execute(JOB),
        "(a month passes)": lambda: session.execute(OVERDUE, {"n": str(chance.randint(1, BUSINESSES))}),
    }


def app_deeds() -> dict[str, Callable[[], Any]]:
    from django.db import connection

    from conversations.message_counts import MessageCounts, forget_counts
    from conversations.turns import end_run_out_turns
    from tests import factories
    from usage import changes, resets, rollup
    from usage.models import Profile
    from waops.dbops.repairs.schema import repair_schema

    actor = factories.staff("Managers")

    def set_limits() -> None:
        limits = dict(Profile.objects.values_list("pk", "monthly_ai_response_limit"))
        changes.set_limits({pk: (limit, 3_000_000 - limit) for pk, limit in limits.items()}, actor, "All at once")

    def reset_counters() -> None:
        expected = dict(Profile.objects.values_list("pk", "last_responses_reset_date"))
        resets.reset_counters(expected, actor, "All at once")

    return {
        "set_limits": set_limits,
        "reset_counters": reset_counters,
        "reset_due": lambda: list(resets.reset_due()),
        "refresh the counts of answers": rollup.refresh,
        "rebuild the counts of answers": rollup.rebuild,
        "end_run_out_turns": lambda: list(end_run_out_turns(timedelta(seconds=2))),
        "repair_message_counts": lambda: MessageCounts().run(connection, apply=True),
        "forget_counts": lambda: forget_counts(connection),
        "repair_schema": lambda: repair_schema(connection),
    }


def report(crowd: Crowd, minutes: float, version: int) -> Table:
    table = Table(title=f"Postgres {version}, everything at once for {minutes:g} minutes")
    for column in ("whose", "what", "done", "longest, ms", "deadlock victims", "other failures"):
        table.add_column(column, justify="left" if column in ("whose", "what", "other failures") else "right")
    for (whose, what), tally in sorted(crowd.tallies.items()):
        others = ", ".join(f"{code}: {count}" for code, count in tally.failures.items() if code != "40P01")
        table.add_row(
            whose, what, f"{tally.done:,}", f"{tally.longest:,.0f}", str(tally.failures["40P01"]), others or "0"
        )
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--clients", type=int, default=8, help="sessions of the service")
    parser.add_argument("--only-service", action="store_true")
    parser.add_argument("--postgres-bin", type=Path, help="another server's programs, such as Debian's")
    options = parser.parse_args()

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "waops.settings")
    os.environ.setdefault("LOG_LEVEL", "CRITICAL")
    django.setup()
    from django.db import connections

    from tests.databases import Databases, django_uses

    connections["default"].settings_dict["OPTIONS"].pop("pool", None)
    with temporary_server(options.postgres_bin, fsync=False) as (server, _folder):
        name = Databases(server).create("migrated")
        dsn = server.dsn(SUPERUSER, name)
        with psycopg.connect(dsn, autocommit=True) as session:
            version = session.info.server_version // 10000
            for statement in TENANTS.split(";\n"):
                session.execute(statement, {"businesses": BUSINESSES, "customers": CUSTOMERS})
        with django_uses(server, name):
            crowd = Crowd(time.monotonic() + 60 * options.minutes)
            for number in range(options.clients):
                crowd.add("service", service_deeds(dsn, number))
            crowd.add("service", job_deeds(dsn), pause=0.1)
            if not options.only_service:
                deeds = app_deeds()
                for _number in range(2):
                    crowd.add("app", deeds, pause=0.1)
            crowd.run()
    console.print(report(crowd, options.minutes, version))
    if any(tally.failures for (whose, _what), tally in crowd.tallies.items() if whose == "service"):
        sys.exit(1)


if __name__ == "__main__":
    main()
