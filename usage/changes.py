"""Changes of limits: conditional, with a reason, kept for ever.

Every change locks the profile's row, so changes of one business happen one after the other. Businesses are locked in
the order of their ids and a few hundred at a time, so that neither people nor the service's own counting wait
noticeably.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import islice
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.db.models import F
from django.db.models.expressions import RawSQL
from django.utils import timezone

from usage.models import Profile, QuotaChange, TopUp
from waops.models import User

BATCH = 250
"""Businesses that are locked and changed in one transaction."""
HIGHEST_LIMIT = 10_000_000
BY_ITSELF = "waops"
"""Name in the history of what no person did."""


class Outcome(StrEnum):
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    MOVED = "moved"
    """Somebody else was faster: the value is not the one that the change was decided on."""
    DISABLED = "disabled"
    GONE = "gone"


@dataclass(frozen=True)
class Result:
    """What became of one business's change: the values now, changed or not."""

    business: Profile | None
    outcome: Outcome
    limit: int
    used: int


@dataclass
class Locked:
    """A locked business, what the history says of it, and the entries that are being added."""

    profile: Profile
    actor: User | None
    top_ups: list[TopUp] = field(default_factory=list)
    limit_is_ours: bool = False
    entries: list[QuotaChange] = field(default_factory=list)

    def record(self, kind: QuotaChange.Kind, reason: str, *, limit: int | None = None) -> QuotaChange:
        """Add an entry and, if given, set the limit."""
        profile = self.profile
        old = profile.monthly_ai_response_limit
        profile.monthly_ai_response_limit = old if limit is None else limit
        entry = QuotaChange(
            business=profile,
            kind=kind,
            at=timezone.now(),
            actor=self.actor,
            actor_name=actor_name(self.actor),
            reason=reason,
            old_limit=old,
            new_limit=profile.monthly_ai_response_limit,
            old_used=profile.monthly_ai_responses_used,
            new_used=profile.monthly_ai_responses_used,
            old_reset=profile.last_responses_reset_date,
            new_reset=profile.last_responses_reset_date,
        )
        self.entries.append(entry)
        return entry

    def supersede_top_ups(self) -> None:
        """From now on the limit is what somebody set later; what top-ups added to it before is no longer known."""
        for top_up in self.top_ups:
            top_up.outcome, top_up.ended_at = TopUp.Outcome.SUPERSEDED, timezone.now()
            self.record(QuotaChange.Kind.TOP_UP_SUPERSEDED, top_up.reason)

    def result(self, outcome: Outcome) -> Result:
        profile = self.profile
        return Result(profile, outcome, profile.monthly_ai_response_limit, profile.monthly_ai_responses_used)


def set_limits(limits: Mapping[UUID, tuple[int, int]], actor: User, reason: str) -> list[Result]:
    """Set limits, each `(expected, wanted)`: only where the limit still is the expected one.

    Raises PermissionDenied without `usage.change_quota`, ValueError for an empty reason or an impossible limit.
    """
    _check(actor, "usage.change_quota", reason)
    if not all(0 <= wanted <= HIGHEST_LIMIT for _, wanted in limits.values()):
        raise ValueError(f"A limit is between 0 and {HIGHEST_LIMIT}.")

    def change(locked: Locked) -> Outcome:
        expected, wanted = limits[locked.profile.pk]
        if locked.profile.monthly_ai_response_limit != expected:
            return Outcome.MOVED
        if expected == wanted:
            return Outcome.UNCHANGED
        locked.supersede_top_ups()
        locked.record(QuotaChange.Kind.LIMIT, reason, limit=wanted)
        return Outcome.CHANGED

    return _change(limits, actor, change)


def top_up(limits: Mapping[UUID, int], amount: int, expires_at: datetime, actor: User, reason: str) -> list[Result]:
    """Add answers until a moment, where the limit still is the expected one. A disabled business stays disabled.

    Raises PermissionDenied without `usage.change_quota`, ValueError for an empty reason, amount or span.
    """
    _check(actor, "usage.change_quota", reason)
    if not 0 < amount <= HIGHEST_LIMIT or expires_at <= timezone.now():
        raise ValueError("A top-up adds something, and ends in the future.")

    def change(locked: Locked) -> Outcome:
        expected = limits[locked.profile.pk]
        if locked.profile.monthly_ai_response_limit != expected:
            return Outcome.MOVED
        if expected <= 0:
            return Outcome.DISABLED
        if not locked.limit_is_ours:
            locked.supersede_top_ups()
        entry = locked.record(QuotaChange.Kind.TOP_UP, reason, limit=expected + amount)
        locked.top_ups.append(
            TopUp(
                business=locked.profile,
                granted_by=entry,
                amount=amount,
                granted_at=timezone.now(),
                expires_at=expires_at,
                reason=reason,
            )
        )
        return Outcome.CHANGED

    return _change(limits, actor, change)


def end_top_ups(now: datetime | None = None) -> list[Result]:
    """Take back what ended top-ups added; where anybody has changed the limit since, leave it. Repeatable."""
    now = now or timezone.now()

    def change(locked: Locked) -> Outcome:
        due = [one for one in locked.top_ups if one.expires_at <= now]
        if not due:
            return Outcome.UNCHANGED
        if not locked.limit_is_ours:
            locked.supersede_top_ups()
            return Outcome.MOVED
        for one in due:
            one.outcome, one.ended_at = TopUp.Outcome.TAKEN_BACK, timezone.now()
            left = locked.profile.monthly_ai_response_limit - one.amount
            locked.record(QuotaChange.Kind.TOP_UP_ENDED, one.reason, limit=max(left, 0))
        return Outcome.CHANGED

    due = TopUp.objects.filter(outcome=TopUp.Outcome.ACTIVE, expires_at__lte=now)
    results = _change(due.values_list("business_id", flat=True).distinct(), None, change)
    return [result for result in results if result.outcome is not Outcome.UNCHANGED]


def actor_name(actor: User | None) -> str:
    return (actor.get_full_name() or actor.get_username()) if actor else BY_ITSELF


@contextmanager
def locked_profiles(ids: Iterable[UUID]) -> Iterator[list[Profile]]:
    """These businesses, locked until the end of the block, which is a transaction. Its changes are recorded by itself:
    the trigger that records other people's leaves them out.

    Locked as they lie in the table, which is how the deployed job's one UPDATE of them all goes through it: in another
    order the two could each wait for the other.
    """
    with transaction.atomic():
        _announce("recorded")
        rows = Profile.objects.filter(pk__in=list(ids)).order_by(RawSQL("profiles.ctid", []))
        yield sorted(rows.select_for_update(no_key=True), key=lambda profile: profile.pk)
        _announce("")


def batches(ids: Iterable[UUID]) -> Iterator[list[UUID]]:
    """In the order of the ids, `BATCH` at a time."""
    ordered = iter(sorted(ids))
    while batch := list(islice(ordered, BATCH)):
        yield batch


def _change(ids: Iterable[UUID], actor: User | None, change: Callable[[Locked], Outcome]) -> list[Result]:
    results = []
    for batch in batches(ids):
        with locked_profiles(batch) as profiles:
            businesses = _with_history(profiles, actor)
            results += [one.result(change(one)) for one in businesses]
            _save(businesses)
        found = {profile.pk for profile in profiles}
        results += [Result(None, Outcome.GONE, 0, 0) for pk in batch if pk not in found]
    return results


def _with_history(profiles: list[Profile], actor: User | None) -> list[Locked]:
    """With their active top-ups, and whether anybody but a top-up has moved the limit since the first of them."""
    businesses = {profile.pk: Locked(profile, actor) for profile in profiles}
    active = TopUp.objects.filter(business__in=list(businesses), outcome=TopUp.Outcome.ACTIVE)
    for one in active.order_by("expires_at", "pk"):
        businesses[one.business_id].top_ups.append(one)
    topped_up = [pk for pk, locked in businesses.items() if locked.top_ups]
    if topped_up:
        changes = QuotaChange.objects.filter(business__in=topped_up).order_by("business_id", "-pk")
        last = {change.business_id: change.new_limit for change in changes.distinct("business_id")}
        moved = changes.filter(kind=QuotaChange.Kind.OUTSIDE).exclude(old_limit=F("new_limit"))
        last_moved = dict(moved.distinct("business_id").values_list("business_id", "pk"))
        for pk in topped_up:
            locked = businesses[pk]
            first_grant = min(one.granted_by_id for one in locked.top_ups)
            locked.limit_is_ours = (
                last[pk] == locked.profile.monthly_ai_response_limit and last_moved.get(pk, 0) < first_grant
            )
    return list(businesses.values())


def _save(businesses: list[Locked]) -> None:
    changed = [one for one in businesses if one.entries]
    QuotaChange.objects.bulk_create(entry for one in changed for entry in one.entries)
    Profile.objects.bulk_update([one.profile for one in changed], ["monthly_ai_response_limit"])
    top_ups = [top_up for one in changed for top_up in one.top_ups]
    TopUp.objects.bulk_create(one for one in top_ups if one.pk is None)
    TopUp.objects.bulk_update([one for one in top_ups if one.ended_at], ["outcome", "ended_at"])


def _check(actor: User, permission: str, reason: str) -> None:
    if not actor.has_perm(permission):
        raise PermissionDenied
    if not reason.strip():
        raise ValueError("A change has a reason.")


def _announce(state: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_catalog.set_config('waops.quota_change', %s, true)", [state])
