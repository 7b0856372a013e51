"""Lock and change businesses a few at a time.

Every change locks the profile's row, so changes of one business happen one after another. Businesses are locked a few
at a time, so that the service's own counting never waits noticeably, and without waiting: locked ones are skipped and
retried after the others. A transaction that never waits cannot be part of a deadlock.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from time import monotonic, sleep
from typing import Self
from uuid import UUID

from django.db import DatabaseError, connection, transaction

from usage.models import Profile
from waops.admin.once import use, used

BATCH = 20
"""Businesses locked and changed in one transaction, which takes a few hundredths of a second."""
PATIENCE = 3.0
"""Seconds for which locked businesses are retried."""
PAUSE = 0.05
"""Seconds between two tries."""


class Outcome(StrEnum):
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    ALREADY = "already"
    """Already done by an earlier submission of the same form."""
    MOVED = "moved"
    """Someone else changed it first: the value is not the one the change was based on."""
    DISABLED = "disabled"
    TOO_HIGH = "too_high"
    BUSY = "busy"
    """Another transaction held the lock all the time."""
    GONE = "gone"


@dataclass(frozen=True)
class Result:
    """The result of changing one business: its values now, changed or not."""

    business: Profile | None
    outcome: Outcome
    limit: int
    used: int

    @classmethod
    def of(cls, profile: Profile, outcome: Outcome) -> Self:
        return cls(profile, outcome, profile.monthly_ai_response_limit, profile.monthly_ai_responses_used)


class InterruptedChangeError(Exception):
    """The database failed during the change: `done` are the results before the failure, `left` counts the
    businesses after.

    The cause is the database's error. The failed batch is counted as left, although it may have been saved.
    """

    def __init__(self, done: list[Result], left: int) -> None:
        super().__init__(f"{len(done)} done, {left} left")
        self.done, self.left = done, left


@contextmanager
def locked_profiles(ids: Iterable[UUID]) -> Iterator[list[Profile]]:
    """Those of these businesses that no other transaction has locked, locked until the end of the block's
    transaction.

    Its changes write their own history: the trigger that records other changes skips them.
    """
    with transaction.atomic():
        _announce("recorded")
        rows = Profile.objects.filter(pk__in=list(ids)).order_by("pk")
        yield list(rows.select_for_update(no_key=True, skip_locked=True))
        _announce("")


def batches(ids: Iterable[UUID]) -> Iterator[list[UUID]]:
    """Batches of `BATCH` businesses, in the order of their ids."""
    ordered = iter(sorted(ids))
    while batch := list(islice(ordered, BATCH)):
        yield batch


def change_each(
    ids: Iterable[UUID], work: Callable[[list[Profile]], list[Result]], key: UUID | None = None
) -> list[Result]:
    """Run `work` on batches of locked businesses, each batch in its own transaction. Returns the results.

    Locked businesses are retried for PATIENCE seconds, then they are BUSY. With a key, a change is made only once:
    later calls return ALREADY. Raises InterruptedChangeError if the database fails after something was done.
    """
    results: list[Result] = []
    waiting, give_up_at = list(ids), monotonic() + PATIENCE
    total = len(waiting)
    try:
        while waiting:
            for batch in batches(waiting):
                results += _batch(batch, key, work)
            done = {one.business.pk for one in results if one.business}
            skipped = [pk for pk in waiting if pk not in done]
            held = {profile.pk: profile for profile in Profile.objects.filter(pk__in=skipped)}
            results += [Result(None, Outcome.GONE, 0, 0) for pk in skipped if pk not in held]
            if held and monotonic() > give_up_at:
                return results + [Result.of(profile, Outcome.BUSY) for profile in held.values()]
            waiting = list(held)
            if waiting:
                sleep(PAUSE)
    except DatabaseError as error:
        if not results:
            raise
        raise InterruptedChangeError(results, total - len(results)) from error
    return results


def _batch(batch: list[UUID], key: UUID | None, work: Callable[[list[Profile]], list[Result]]) -> list[Result]:
    with locked_profiles(batch) as profiles:
        before = used(key, map(str, batch)) if key else set()
        results = work([profile for profile in profiles if str(profile.pk) not in before])
        if key:
            use(key, [str(one.business.pk) for one in results if one.business and one.outcome is Outcome.CHANGED])
    return results + [Result.of(profile, Outcome.ALREADY) for profile in profiles if str(profile.pk) in before]


def _announce(state: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_catalog.set_config('waops.quota_change', %s, true)", [state])
