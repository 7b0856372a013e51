"""What the pages need beside the procedures: a preview of an action, and a sum of its results."""

from collections import Counter
from collections.abc import Callable, Iterable

from django.db import transaction

from escalations.procedures import Outcome, Result

MOST = 500
"""Cases of one action: their rows are locked until all are done."""


def preview(action: Callable[[], list[Result]]) -> list[Result]:
    """What an action, such as `lambda: claim(ids, user)`, would do to each case at this moment.

    It is done and undone, so nothing can differ but what happens until it is done in earnest.
    """
    with transaction.atomic():
        results = action()
        transaction.set_rollback(True)
    return results


def counted(results: Iterable[Result]) -> dict[Outcome, int]:
    """How many cases had each outcome, in the order of Outcome, without those that none had."""
    counts = Counter(result.outcome for result in results)
    return {outcome: counts[outcome] for outcome in Outcome if outcome in counts}
