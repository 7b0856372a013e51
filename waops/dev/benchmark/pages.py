"""Measure the admin's main pages with little and much data: queries, database time, Python time, bytes."""

import statistics
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from time import perf_counter
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.db import connection
from django.test import Client
from django.urls import reverse

from waops.dev.benchmark.datasets import OPERATOR
from waops.dev.benchmark.errors import BenchmarkError
from waops.dev.benchmark.progress import Step
from waops.dev.benchmark.scratch import Scratch
from waops.serving.requests import logger as requests

ROUNDS = 7
"""The first warms up."""
HOST = "localhost"

LONGEST = """
    SELECT conversation_id FROM public.whatsapp_conversation_messages
    GROUP BY conversation_id ORDER BY pg_catalog.count(*) DESC, conversation_id LIMIT 1
"""
ESCALATION = """
    SELECT id FROM public.escalated_conversations WHERE resolved_at IS NULL AND instance_id IS NOT NULL
    ORDER BY pg_catalog.jsonb_array_length(conversation_context) DESC, escalated_at, id LIMIT 1
"""
BUSIEST = "SELECT id FROM public.profiles ORDER BY monthly_ai_responses_used DESC, id LIMIT 1"
LAST_DIGITS = """
    SELECT pg_catalog.right(user_phone, 5) FROM public.whatsapp_conversations
    WHERE user_phone ~ '^[0-9]{11,13}$' ORDER BY last_activity DESC, id LIMIT 1
"""
# For an index on an expression, statistics are stored as for a table.
FREQUENT_WORD = """
    SELECT word FROM pg_catalog.pg_stats,
        ROWS FROM (
            pg_catalog.unnest(most_common_elems::text::text[]), pg_catalog.unnest(most_common_elem_freqs)
        ) AS item (word, frequency)
    WHERE tablename = 'idx_messages_folded' AND pg_catalog.length(word) BETWEEN 4 AND 12 AND word !~ '[^[:alpha:]]'
    ORDER BY frequency DESC LIMIT 1
"""


@dataclass(frozen=True)
class Opened:
    """One request through the whole stack. `render_ms`: time outside the database."""

    queries: int
    database_ms: float
    render_ms: float
    bytes: int

    @property
    def total_ms(self) -> float:
        return self.database_ms + self.render_ms


def _list(name: str) -> Callable[[], str]:
    return partial(reverse, f"admin:{name}")


def _one(name: str, query: str) -> Callable[[], str]:
    return lambda: reverse(f"admin:{name}_change", args=[_value(query)])


def _search(query: str) -> Callable[[], str]:
    return lambda: f"{reverse('admin:escalations_escalation_search')}?q={_value(query)}"


PAGES: Mapping[str, Callable[[], str]] = {
    "Home": _list("index"),
    "The queue": _list("escalations_escalation_changelist"),
    "An escalation": _one("escalations_escalation", ESCALATION),
    "Needs attention": _list("escalations_escalation_attention"),
    "Reports": _list("escalations_escalation_reports"),
    "Search: a frequent word": _search(FREQUENT_WORD),
    "Search: last digits": _search(LAST_DIGITS),
    "Conversations": _list("conversations_conversation_changelist"),
    "The longest conversation": _one("conversations_conversation", LONGEST),
    "Messages": _list("conversations_message_changelist"),
    "AI answers": _list("conversations_aiinteraction_changelist"),
    "WhatsApp numbers": _list("conversations_whatsappinstance_changelist"),
    "AI quota": _list("usage_profile_changelist"),
    "The busiest business": _one("usage_profile", BUSIEST),
    "Operations: doctor": _list("waops_operations_changelist"),
    "Operations: indexes": _list("waops_operations_indexes"),
    "Operations: tables": _list("waops_operations_tables"),
    "Operations: connections": _list("waops_operations_connections"),
}
"""Each page's address, looked up in the database that Django uses."""


def by_size(place: Scratch, databases: Mapping[int, str], step: Step) -> list[dict[str, Any]]:
    """Figures of each page by number of messages: medians of rounds in which the databases take turns.

    The app's own caches are emptied each time, the server's are not. Raises BenchmarkError.
    """
    opened: dict[str, dict[int, list[Opened]]] = {page: {size: [] for size in databases} for page in PAGES}
    with _as_in_production():
        for number in range(ROUNDS):
            for size, database in databases.items():
                step(f"Pages at {size:,} messages, round {number}")
                with place.django(database):
                    for page, found in _open_all().items():
                        opened[page][size].append(found)
    return [
        {"page": page, "sizes": {str(size): _median(rounds[1:]) for size, rounds in sizes.items()}}
        for page, sizes in opened.items()
    ]


def _open_all() -> dict[str, Opened]:
    from waops.access.people import User

    client = Client(headers={"host": HOST})
    client.force_login(User.objects.get(username=OPERATOR), settings.AUTHENTICATION_BACKENDS[-1])
    addresses = {page: find() for page, find in PAGES.items()}
    # Once for the session, which is new and knows no table yet.
    for address in addresses.values():
        client.get(address, secure=True)
    return {page: _open(client, address) for page, address in addresses.items()}


def _open(client: Client, address: str) -> Opened:
    for cache in caches.all():
        cache.clear()
    seconds: list[float] = []

    def timed(execute: Any, *arguments: Any) -> Any:
        start = perf_counter()
        try:
            return execute(*arguments)
        finally:
            seconds.append(perf_counter() - start)

    begin = perf_counter()
    with connection.execute_wrapper(timed):
        response = client.get(address, secure=True)
        size = len(response.content)
    total = perf_counter() - begin
    if response.status_code != 200:
        raise BenchmarkError(f"{address} answered with status {response.status_code}, not with the page.")
    return Opened(len(seconds), 1000 * sum(seconds), 1000 * (total - sum(seconds)), size)


def _median(rounds: list[Opened]) -> dict[str, float]:
    figures = [asdict(one) | {"total_ms": one.total_ms} for one in rounds]
    return {name: statistics.median(figure[name] for figure in figures) for name in figures[0]}


def _value(query: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(query)
        row = cursor.fetchone()
    if row is None:
        raise BenchmarkError(f"The demo data has nothing to open: {query}")
    return str(row[0])


@contextmanager
def _as_in_production() -> Iterator[None]:
    """Without the log of queries, which only development keeps, and that of requests, which hides the progress."""
    was, settings.DEBUG = settings.DEBUG, False
    requests.disabled = True
    try:
        with warnings.catch_warnings():
            # About static files, which no page here requests and which may not be collected.
            warnings.filterwarnings("ignore", "No directory at", UserWarning)
            yield
    finally:
        requests.disabled = False
        settings.DEBUG = was
