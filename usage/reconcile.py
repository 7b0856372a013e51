"""Counter against answers, period by period, and what a difference means."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from usage import overview
from usage.overview import Business


@dataclass(frozen=True)
class Reconciliation:
    """The running period of one business. `difference`: counter minus answers."""

    business: Business
    difference: int
    is_within_tolerance: bool
    explanation: str


def reconcile() -> list[Reconciliation]:
    """Every business whose counter and answers differ, largest difference first."""
    rows = [
        Reconciliation(one, one.difference, not one.disagrees, explain(one))
        for one in overview.load()
        if one.difference
    ]
    return sorted(rows, key=lambda row: (row.is_within_tolerance, -abs(row.difference), row.business.name))


def explain(one: Business) -> str:
    if one.difference == 0:
        return _("They agree.")
    if one.difference > 0:
        return _("Counted without a recorded answer: sends that failed, or answers that were not recorded.")
    if not one.is_enabled:
        return _("Recorded and no longer counted: disabling the business set its counter to 0.")
    return _("Recorded without being counted: by a way that does not count, or the counter was reset without its date.")
