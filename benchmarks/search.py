"""How long the desk's searches, findings and numbers take on the configured database.

    EMBEDDED_POSTGRES_DIR=<scratch folder> python manage.py demo baseline
    EMBEDDED_POSTGRES_DIR=<scratch folder> python manage.py demo data --size large
    EMBEDDED_POSTGRES_DIR=<scratch folder> python manage.py migrate
    EMBEDDED_POSTGRES_DIR=<scratch folder> python -m benchmarks.search [--limit 200] [--repeat 5]

What is searched for comes from the data: words from the most frequent to the rarest, a name, a number and its last
digits. The first run of each reads what is not in memory, the median of the others is what people notice. Fails if a
search's median is over the limit.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial

import django
from rich.table import Table

from waops.serving.terminal import Terminal

console = Terminal()

# For an index on an expression, statistics are stored as for a table.
WORDS = """
    SELECT word, frequency FROM pg_catalog.pg_stats,
        ROWS FROM (unnest(most_common_elems::text::text[]), unnest(most_common_elem_freqs)) AS item (word, frequency)
    WHERE tablename = 'idx_messages_folded' AND pg_catalog.length(word) BETWEEN 4 AND 12 AND word !~ '[^[:alpha:]]'
    ORDER BY frequency DESC
"""
RARE = """
    SELECT word FROM (
        SELECT pg_catalog.regexp_split_to_table(content, '\\s+') AS word
        FROM (SELECT content FROM public.whatsapp_conversation_messages LIMIT 20000) AS message
    ) AS split
    WHERE word ~ '^[0-9]{5,}$' LIMIT 1
"""
PERSON = """
    SELECT name, phone_number FROM public.customer_profiles
    WHERE name IS NOT NULL AND phone_number ~ '^[0-9]{11,13}$' LIMIT 1 OFFSET 100
"""
ROWS = "SELECT reltuples::bigint FROM pg_catalog.pg_class WHERE relname = 'whatsapp_conversation_messages'"


def wordings() -> Iterator[tuple[str, str]]:
    """What it is, and what is typed."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(WORDS)
        words = cursor.fetchall()
        for share in (0, 0.02, 0.1, 0.25, 0.5, 0.75, 0.95):
            word, frequency = words[int(share * (len(words) - 1))]
            yield f"word in {frequency:.3%} of messages", word
        yield "two of the most frequent words", " ".join(word for word, _ in words[:2])
        yield "frequent words of two languages", " ".join(_one_of_each_language([word for word, _ in words]))
        cursor.execute(RARE)
        yield "number in a message", (cursor.fetchone() or ("123456",))[0]
        cursor.execute(PERSON)
        name, number = cursor.fetchone()
        yield "customer's name", name
        yield "first name", name.split()[0]
        yield "whole number", f"+{number}"
        yield "last 4 digits", number[-4:]
        yield "nothing", "zzzzqqqq"


def _one_of_each_language(words: list[str]) -> list[str]:
    latin = [word for word in words if word.isascii()]
    return [latin[0], next(word for word in words if word not in latin)] if latin else words[:2]


def measure(read: Callable[[], object], repeat: int) -> tuple[float, float]:
    """Milliseconds: the first time, and the median of the others."""
    times = []
    for _ in range(repeat + 1):
        started = time.perf_counter()
        read()
        times.append((time.perf_counter() - started) * 1000)
    return times[0], statistics.median(times[1:])


def main(options: argparse.Namespace) -> int:
    from django.db import connection

    from escalations.attention.queries import find_all
    from escalations.reports import queries as reports
    from escalations.reports.queries import Preset
    from escalations.search.customers import conversations_of, escalations_of, find_customers
    from escalations.search.messages import TooManyMatchesError, messages_with
    from escalations.search.page import OVERVIEW
    from escalations.search.wording import Wording

    def search(wording: Wording) -> None:
        customers = find_customers(wording)
        escalations_of(customers, None, OVERVIEW)
        conversations_of(customers, None, OVERVIEW)
        with suppress(TooManyMatchesError):  # the time it took tells
            messages_with(wording, None, OVERVIEW)

    with connection.cursor() as cursor:
        cursor.execute(ROWS)
        console.print(f"{cursor.fetchone()[0]:,} messages")
    table = Table("what", "typed", "first, ms", "then, ms")
    slow = 0
    for what, typed in wordings():
        first, then = measure(partial(search, Wording(typed)), options.repeat)
        slow += then > options.limit
        table.add_row(what, typed, f"{first:,.0f}", f"{then:,.0f}")
    scope = reports.Scope(Preset.MONTH.period())
    for what, read in {
        "all that needs attention": find_all,
        "totals of 30 days": lambda: reports.totals(scope),
        "30 days by day": lambda: reports.by_day(scope),
    }.items():
        first, then = measure(read, options.repeat)
        table.add_row(what, "", f"{first:,.0f}", f"{then:,.0f}")
    console.print(table)
    return 1 if slow else 0


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "waops.settings")
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    django.setup()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limit", type=float, default=200, help="Milliseconds a search may take (200).")
    parser.add_argument("--repeat", type=int, default=5, help="Times each is repeated (5).")
    sys.exit(main(parser.parse_args()))
