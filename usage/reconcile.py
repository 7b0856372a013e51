"""Compare counters with recorded replies, period by period, and explain differences."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from usage import quota, reads
from usage.quota import DISAGREE, Business
from usage.rollup import PERIOD

ENDED_DAYS = 92
"""Periods that ended within so many days are compared; a business's page has all of them."""

# The counter at a period's end is what the reset that ended it found.
ENDED = f"""
    SELECT change.business_id, change.old_reset AS start, change.new_reset AS end, change.old_used AS counter,
           coalesce(sum(counted.replies), 0)::bigint AS replies,
           {DISAGREE.format("change.old_used", "coalesce(sum(counted.replies), 0)")} AS disagrees
    FROM waops.usage_quotachange AS change
    LEFT JOIN public.whatsapp_instances AS instance ON instance.user_id = change.business_id
    LEFT JOIN waops.usage_usagebyperiod AS counted
        ON counted.instance_id = instance.id AND counted.period = {PERIOD.format("change.old_reset")}
    WHERE change.new_reset IS DISTINCT FROM change.old_reset AND change.new_reset >= %(since)s
    GROUP BY change.id
"""  # noqa: S608


@dataclass(frozen=True)
class Reconciliation:
    """One period of one business. `start` None: before the first reset; `end` None: still running."""

    business: Business
    start: datetime | None
    end: datetime | None
    counter: int
    replies: int
    is_within_tolerance: bool
    explanation: str

    @property
    def difference(self) -> int:
        """Counter minus replies."""
        return self.counter - self.replies


def reconcile() -> list[Reconciliation]:
    """Every business whose counter and replies differ in its current period, largest difference first."""
    rows = (
        Reconciliation(
            one,
            one.last_reset,
            None,
            one.used,
            one.replies,
            not one.disagrees,
            explain(one.difference, one.is_enabled),
        )
        for one in quota.load()
    )
    return _sorted(rows)


def reconcile_ended(now: datetime | None = None) -> list[Reconciliation]:
    """As `reconcile`, for recently ended periods. Final counts are known since this app was installed."""
    businesses = {one.id: one for one in quota.load()}
    rows = reads.read(ENDED, since=(now or timezone.now()) - timedelta(days=ENDED_DAYS))
    return _sorted(
        Reconciliation(
            businesses[row["business_id"]],
            row["start"],
            row["end"],
            row["counter"],
            row["replies"],
            not row["disagrees"],
            explain(row["counter"] - row["replies"]),
        )
        for row in rows
        if row["business_id"] in businesses
    )


def explain(difference: int, is_enabled: bool = True) -> str:
    if difference == 0:
        return _("They match.")
    if difference > 0:
        return _("Counted without a recorded reply: the send failed, or the reply was not recorded.")
    if not is_enabled:
        return _("Recorded but no longer counted: disabling the business set its counter to 0.")
    return _(
        "Recorded but not counted: the reply came from a caller that does not count, or the counter was reset "
        "without its date."
    )


def _sorted(rows: Iterable[Reconciliation]) -> list[Reconciliation]:
    differing = [row for row in rows if row.difference]
    return sorted(differing, key=lambda row: (row.is_within_tolerance, -abs(row.difference), row.business.name))
