"""Counter against answers, period by period, and what a difference means."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from usage import overview, reads
from usage.overview import Business, disagree

ENDED_DAYS = 92
"""Periods that ended within so many days are compared; a business's page has all of them."""

# The counter at a period's end is what the reset that ended it found.
ENDED = """
    SELECT change.business_id, change.old_reset AS start, change.new_reset AS end, change.old_used AS counter,
           coalesce(sum(counted.replies), 0)::bigint AS replies
    FROM waops.usage_quotachange AS change
    LEFT JOIN public.whatsapp_instances AS instance ON instance.user_id = change.business_id
    LEFT JOIN waops.usage_usagebyperiod AS counted
        ON counted.instance_id = instance.id AND counted.period = coalesce(change.old_reset, to_timestamp(0))
    WHERE change.new_reset IS DISTINCT FROM change.old_reset AND change.new_reset >= %(since)s
    GROUP BY change.id
"""


@dataclass(frozen=True)
class Reconciliation:
    """One period of one business. `start` None: from before the first reset; `end` None: it runs."""

    business: Business
    start: datetime | None
    end: datetime | None
    counter: int
    replies: int
    explanation: str

    @property
    def difference(self) -> int:
        """Counter minus answers."""
        return self.counter - self.replies

    @property
    def is_within_tolerance(self) -> bool:
        return not disagree(self.counter, self.replies)


def reconcile() -> list[Reconciliation]:
    """Every business whose counter and answers differ in its running period, largest difference first."""
    rows = (
        Reconciliation(one, one.last_reset, None, one.used, one.replies, explain(one.difference, one.is_enabled))
        for one in overview.load()
    )
    return _sorted(rows)


def reconcile_ended(now: datetime | None = None) -> list[Reconciliation]:
    """The same of periods that have ended lately and whose last count is known, which is since this app came."""
    businesses = {one.id: one for one in overview.load()}
    rows = reads.read(ENDED, since=(now or timezone.now()) - timedelta(days=ENDED_DAYS))
    return _sorted(
        Reconciliation(
            businesses[row["business_id"]],
            row["start"],
            row["end"],
            row["counter"],
            row["replies"],
            explain(row["counter"] - row["replies"]),
        )
        for row in rows
        if row["business_id"] in businesses
    )


def explain(difference: int, is_enabled: bool = True) -> str:
    if difference == 0:
        return _("They agree.")
    if difference > 0:
        return _("Counted without a recorded answer: sends that failed, or answers that were not recorded.")
    if not is_enabled:
        return _("Recorded and no longer counted: disabling the business set its counter to 0.")
    return _("Recorded without being counted: by a way that does not count, or the counter was reset without its date.")


def _sorted(rows: Iterable[Reconciliation]) -> list[Reconciliation]:
    differing = [row for row in rows if row.difference]
    return sorted(differing, key=lambda row: (row.is_within_tolerance, -abs(row.difference), row.business.name))
