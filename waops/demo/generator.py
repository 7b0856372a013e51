"""From plans to batches of rows: everything of some businesses, as it would lie in the tables."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from operator import itemgetter
from random import Random
from typing import TypeVar

from waops.demo import tables
from waops.demo.businesses import (
    account_row,
    ai_config_rows,
    instance_rows,
    make_business,
    personality_rows,
    profile_row,
    support_number_rows,
)
from waops.demo.catalog import Catalog
from waops.demo.conversations import conversation_row, make_conversations, message_rows
from waops.demo.customers import customer_row
from waops.demo.drawing import DAY
from waops.demo.escalations import Reasons, escalation_rows, stray_rows
from waops.demo.interactions import interaction_rows
from waops.demo.people import EGYPT, phone_number
from waops.demo.plan import BusinessPlan
from waops.demo.scenarios import cast
from waops.demo.sizes import Size
from waops.demo.tables import TABLES, Table
from waops.demo.writer import Batch

T = TypeVar("T")

BUSINESSES_PER_BATCH = 20
CUSTOMERS_KNOWN = 0.6
"""Share of conversations whose customer has a profile."""

_IN_ORDER_OF: dict[Table, str] = {
    tables.CONVERSATIONS: "started_at",
    tables.MESSAGES: "timestamp",
    tables.INTERACTIONS: "created_at",
    tables.ESCALATIONS: "escalated_at",
}


class Generator:
    """Everything that is drawn depends on ``seed`` and ``now`` (ms since the epoch), and on what the catalog allows."""

    def __init__(self, size: Size, seed: int, now: int, catalog: Catalog) -> None:
        self.size = size
        self.seed = seed
        self.now = now
        self.catalog = catalog

    def _rng(self, part: str) -> Random:
        return Random(f"{self.seed}:{part}")  # noqa: S311 - reproducible, not secret

    def batches(self, plans: list[BusinessPlan]) -> Iterator[Batch]:
        """Batches of some businesses each; rows of the large tables in order of time, as they would have come."""
        for start in range(0, len(plans), BUSINESSES_PER_BATCH):
            batch: Batch = {table: [] for table in TABLES}
            for plan in plans[start : start + BUSINESSES_PER_BATCH]:
                self._add_business(batch, plan)
            for table, column in _IN_ORDER_OF.items():
                batch[table].sort(key=itemgetter(table.columns.index(column)))
            yield batch

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


def ahead(iterator: Iterator[T]) -> Iterator[T]:
    """The same items, each made in another thread while the one before is in use (being written, here)."""
    with ThreadPoolExecutor(1) as pool:
        following = pool.submit(next, iterator, None)
        while (item := following.result()) is not None:
            following = pool.submit(next, iterator, None)
            yield item
