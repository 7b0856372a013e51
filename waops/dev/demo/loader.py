"""Load demo data."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Literal, Protocol

import psycopg
from django.utils.translation import gettext as _

from waops.dev.demo import catalog as catalogs
from waops.dev.demo.catalog import Catalog, Connection
from waops.dev.demo.errors import AlreadyHasBusinesses, SeedUsedBefore
from waops.dev.demo.escalations import REASONS
from waops.dev.demo.generator import Generator, encoded_batches
from waops.dev.demo.indexes import built_afterwards
from waops.dev.demo.plan import make_plans
from waops.dev.demo.sizes import SIZES, Size
from waops.dev.demo.tables import MESSAGES, TABLES
from waops.dev.demo.writer import analyze, paused_triggers, write

Stage = Literal["messages", "indexes"]


class Progress(Protocol):
    """Called with the stage ("messages" written or "indexes" built), how many are done, and the total."""

    def __call__(self, stage: Stage, done: int, total: int) -> None: ...


@dataclass(slots=True)
class Summary:
    """`counts`: rows written, by table name. `left_out`: states this database cannot hold, in words."""

    counts: Counter[str] = field(default_factory=Counter)
    left_out: list[str] = field(default_factory=list)


def _left_out(catalog: Catalog) -> list[str]:
    texts = []
    if catalog.refused_reasons:
        reasons = ", ".join(catalog.refused_reasons)
        texts.append(_("escalation reasons that the table's constraint refuses: %(reasons)s") % {"reasons": reasons})
    if not catalog.duplicate_messages:
        texts.append(_("duplicate messages: a unique index refuses them"))
    if not catalog.two_open_escalations:
        texts.append(_("two open escalations of one customer: a unique index refuses them"))
    absent = [table.name for table in TABLES if table not in catalog.columns]
    if absent:
        texts.append(_("optional tables that this database lacks: %(tables)s") % {"tables": ", ".join(absent)})
    return texts


def _count_businesses(connection: Connection) -> int:
    row = connection.execute("SELECT count(*) FROM public.profiles").fetchone()
    return int(str(row[0])) if row else 0


def load(
    connection: Connection,
    size: str | Size = "small",
    seed: int = 2026,
    now: datetime | None = None,
    progress: Progress | None = None,
    *,
    force: bool = False,
) -> Summary:
    """Load everything or nothing.

    The same size, seed and `now` give the same rows, including their ids, in equal databases.

    Args:
        connection: as the owner of the tables. Everything happens in one transaction (or a savepoint, if one is open)
        that pauses the triggers on the messages table, so others wait for that table until it ends. In an empty
        database the large size also builds the tables' indexes after the rows.
        size: a key of `SIZES`, or your own size.
        seed: decides everything that is random.
        now: the time at which the data ends, with time zone; by default the start of this hour.
        progress: called after each batch and each index.
        force: add to a database that already has businesses.

    Raises:
        TablesMissing, NotTheOwner: the database or the role does not fit.
        AlreadyHasBusinesses: there are profiles, and `force` was not given.
        SeedUsedBefore: this data was loaded before.
    """
    moment = now or datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    amounts = size if isinstance(size, Size) else SIZES[size]
    summary = Summary()
    with connection.transaction():
        catalog = catalogs.inspect(connection, REASONS)
        businesses = _count_businesses(connection)
        if businesses and not force:
            raise AlreadyHasBusinesses(businesses)
        summary.left_out = _left_out(catalog)
        generator = Generator(amounts, seed, int(moment.timestamp() * 1000), catalog)
        try:
            with ExitStack() as stack:
                stack.enter_context(paused_triggers(connection, catalog.message_triggers))
                if amounts.indexes_last and not businesses:
                    on_index = partial(progress, "indexes") if progress else None
                    stack.enter_context(built_afterwards(connection, catalog, on_index))
                for batch in encoded_batches(generator, make_plans(amounts, seed)):
                    write(connection, catalog, batch)
                    summary.counts.update({table.name: rows.number for table, rows in batch.items()})
                    if progress:
                        progress("messages", summary.counts[MESSAGES.name], amounts.messages)
        except psycopg.errors.UniqueViolation as error:
            raise SeedUsedBefore(seed) from error
        analyze(connection, catalog)
    return summary
