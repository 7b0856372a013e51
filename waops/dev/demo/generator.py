"""Turn plans into batches of rows: everything that some businesses have, table by table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from operator import itemgetter
from random import Random
from signal import SIG_IGN, SIGINT, signal

from waops.dev.demo import tables
from waops.dev.demo.businesses import (
    account_row,
    ai_config_rows,
    instance_rows,
    make_business,
    personality_rows,
    profile_row,
    support_number_rows,
)
from waops.dev.demo.catalog import Catalog
from waops.dev.demo.conversations import conversation_row, make_conversations, message_rows
from waops.dev.demo.customers import customer_row
from waops.dev.demo.drawing import DAY
from waops.dev.demo.escalations import Reasons, escalation_rows, stray_rows
from waops.dev.demo.interactions import interaction_rows
from waops.dev.demo.people import EGYPT, phone_number
from waops.dev.demo.plan import BusinessPlan
from waops.dev.demo.scenarios import cast
from waops.dev.demo.sizes import Size
from waops.dev.demo.tables import TABLES, Table
from waops.dev.demo.writer import Batch, EncodedBatch, encode_batch

BUSINESSES_PER_BATCH = 20
BATCHES_WORTH_A_PROCESS = 5
CUSTOMERS_KNOWN = 0.6
"""Share of conversations whose customer has a profile."""

_IN_ORDER_OF: dict[Table, str] = {
    tables.CONVERSATIONS: "started_at",
    tables.MESSAGES: "timestamp",
    tables.INTERACTIONS: "created_at",
    tables.ESCALATIONS: "escalated_at",
}


class Generator:
    """Generates rows. The same `seed`, `now` (ms since the epoch) and catalog give the same rows."""

    def __init__(self, size: Size, seed: int, now: int, catalog: Catalog) -> None:
        self.size = size
        self.seed = seed
        self.now = now
        self.catalog = catalog

    def _rng(self, part: str) -> Random:
        return Random(f"{self.seed}:{part}")  # noqa: S311 - reproducible, not secret

    def batch(self, plans: Sequence[BusinessPlan]) -> Batch:
        """All rows of some businesses; in the large tables ordered by time, as if they had just been written."""
        batch: Batch = {table: [] for table in TABLES}
        for plan in plans:
            self._add_business(batch, plan)
        for table, column in _IN_ORDER_OF.items():
            batch[table].sort(key=itemgetter(table.columns.index(column)))
        return batch

    def encoded_batch(self, plans: Sequence[BusinessPlan]) -> EncodedBatch:
        return encode_batch(self.catalog, self.batch(plans))

    def _add_business(self, batch: Batch, plan: BusinessPlan) -> None:
        rng, now = self._rng(str(plan.index)), self.now
        business = make_business(rng, plan, now)
        parts = cast(rng, plan, self.catalog)
        reasons = Reasons(rng, self.catalog, each_once=plan.archetype.is_showcase)
        regular = phone_number(self._rng("regular"), EGYPT) if plan.index % 4 == 0 else None
        answers = 0
        first = now - rng.randint(2, 300) * DAY
        for conversation in make_conversations(rng, business, parts.scenarios, plan.messages, now, regular):
            first = min(first, conversation.moments[0])
            answers += sum(moment >= business.last_reset for _, _, moment in conversation.answers())
            batch[tables.CONVERSATIONS].append(conversation_row(rng, conversation, now))
            batch[tables.MESSAGES] += message_rows(rng, conversation)
            batch[tables.INTERACTIONS] += interaction_rows(rng, conversation, self.size.recorded)
            batch[tables.ESCALATIONS] += escalation_rows(rng, business, conversation, reasons, now)
            if rng.random() < CUSTOMERS_KNOWN:
                batch[tables.CUSTOMERS].append(customer_row(rng, conversation))
        batch[tables.ESCALATIONS] += stray_rows(
            rng,
            business,
            reasons,
            now,
            without_conversation=parts.without_conversation,
            without_instance=parts.without_instance,
        )
        created = first - rng.randint(1, 20) * DAY
        batch[tables.USERS].append(account_row(business, created))
        batch[tables.PROFILES].append(profile_row(rng, business, self.catalog.plans, answers, created, now))
        batch[tables.INSTANCES] += instance_rows(rng, business, created, now)
        batch[tables.PERSONALITIES] += personality_rows(rng, business, created)
        batch[tables.AI_CONFIG] += ai_config_rows(rng, business, created)
        batch[tables.SUPPORT_NUMBERS] += support_number_rows(rng, business, created)


def encoded_batches(generator: Generator, plans: Sequence[BusinessPlan]) -> Iterator[EncodedBatch]:
    """Batches of BUSINESSES_PER_BATCH businesses. If there are many, another process generates them ahead of the
    writing."""
    parts = [plans[start : start + BUSINESSES_PER_BATCH] for start in range(0, len(plans), BUSINESSES_PER_BATCH)]
    if len(parts) < BATCHES_WORTH_A_PROCESS:
        yield from map(generator.encoded_batch, parts)
        return
    context = get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    maker = context.Process(target=_send_batches, args=(generator, parts, sender), daemon=True)
    maker.start()
    sender.close()
    try:
        for _ in parts:
            yield receiver.recv()
    finally:
        maker.terminate()
        maker.join()


def _send_batches(generator: Generator, parts: list[Sequence[BusinessPlan]], sender: Connection) -> None:
    """Stay one batch ahead, because sending waits for the receiver. Ends when the receiver does."""
    signal(SIGINT, SIG_IGN)
    with suppress(BrokenPipeError):
        for part in parts:
            sender.send(generator.encoded_batch(part))
