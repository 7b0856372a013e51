"""What is dear to know of each business, kept in `usage_outlook` and made anew where it is true no more.

A page finds what is not kept, or of another day or period, and has it made before it shows anything. Whoever makes it
holds the lock of `waops.refresh_usage`: nothing is counted between the reading of counts and the keeping of what
follows from them.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import InternalError, OperationalError, connection, transaction
from django.utils import timezone
from psycopg.errors import LockNotAvailable, ReadOnlySqlTransaction

from usage import overview, reads
from waops.access import current

PATIENCE = "2s"
"""How long a page waits for those who count; then it works out for itself what it shows."""

# Answers with the time-out that was set before.
LOCK = """
    SELECT pg_catalog.current_setting('lock_timeout'), pg_catalog.set_config('lock_timeout', %s, true),
           pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('waops.usage', 0))
"""
KEPT = "outlook.day = %(today)s::date AND outlook.last_reset IS NOT DISTINCT FROM profile.last_responses_reset_date"
STALE = f"""
    SELECT profile.id
    FROM public.profiles AS profile
    LEFT JOIN waops.usage_outlook AS outlook ON outlook.business_id = profile.id AND {KEPT}
    WHERE outlook.business_id IS NULL AND (%(ids)s::uuid[] IS NULL OR profile.id = ANY (%(ids)s))
"""  # noqa: S608
GONE = """
    DELETE FROM waops.usage_outlook AS outlook
    WHERE NOT EXISTS (SELECT FROM public.profiles AS profile WHERE profile.id = outlook.business_id)
"""
COLUMNS = ("last_reset", "trend", "replies", "tokens", "untracked", "unpriced", "currencies", "costs")
RATE = ("mean", "deviation", "error")
KEEP = f"""
    INSERT INTO waops.usage_outlook (business_id, day, {", ".join((*COLUMNS, *RATE))})
    VALUES (%s, %s, {", ".join(["%s"] * len((*COLUMNS, *RATE)))})
    ON CONFLICT (business_id) DO UPDATE SET
        day = excluded.day, {", ".join(f"{name} = excluded.{name}" for name in (*COLUMNS, *RATE))}
"""  # noqa: S608


def refresh(now: datetime) -> bool:
    """Make what is missing of the businesses that this person sees. False: it cannot be kept now."""
    try:
        with transaction.atomic():
            _refresh(now)
    except InternalError as error:
        if isinstance(error.__cause__, ReadOnlySqlTransaction):
            return False
        raise
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            return False
        raise
    return True


def _refresh(now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [PATIENCE])
        cursor.execute("SELECT pg_catalog.set_config('lock_timeout', %s, true)", [cursor.fetchone()[0]])
        cursor.execute(GONE)
        cursor.execute(STALE, {"today": timezone.localdate(now), "ids": current().among(None)})
        stale = [pk for (pk,) in cursor.fetchall()]
        cursor.executemany(KEEP, _values(stale, now))


def _values(ids: Sequence[UUID], now: datetime) -> list[list[Any]]:
    today = timezone.localdate(now)
    rows = reads.businesses(now, today, ids, using=connection)
    found = [row | overview.measured(row) for row in rows]
    for row in found:
        row["currencies"], row["costs"] = row["currencies"] or [], row["costs"] or []
    return [[row["id"], today, *(row[name] for name in (*COLUMNS, *RATE))] for row in found]
