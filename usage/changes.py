"""Change limits: conditionally, with a reason that is kept permanently. `batches` locks the businesses."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import Exists, F, OuterRef
from django.utils import timezone

from usage.batches import Outcome, Result, change_each
from usage.models import Profile, QuotaChange, TopUp
from waops.access.people import User

HIGHEST_LIMIT = 10_000_000
BY_ITSELF = "waops"
"""Name in the history for changes that no person made."""


@dataclass
class Locked:
    """A locked business, what the history says about it, and the entries being added."""

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
        """End top-ups because someone set the limit later: what they added to it is no longer known."""
        for top_up in self.top_ups:
            top_up.outcome, top_up.ended_at = TopUp.Outcome.SUPERSEDED, timezone.now()
            self.record(QuotaChange.Kind.TOP_UP_SUPERSEDED, top_up.reason)


def set_limits(
    limits: Mapping[UUID, tuple[int, int]], actor: User, reason: str, key: UUID | None = None
) -> list[Result]:
    """Set limits, each given as `(expected, wanted)`, only if the limit is still the expected one.

    Raises PermissionDenied without `usage.change_quota`, ValueError for an empty reason or an impossible limit,
    InterruptedChangeError.
    """
    _check(actor, "usage.change_quota", reason)
    if not all(0 <= wanted <= HIGHEST_LIMIT for _, wanted in limits.values()):
        raise ValueError(f"A limit must be between 0 and {HIGHEST_LIMIT}.")

    def change(locked: Locked) -> Outcome:
        expected, wanted = limits[locked.profile.pk]
        if locked.profile.monthly_ai_response_limit != expected:
            return Outcome.MOVED
        if expected == wanted:
            return Outcome.UNCHANGED
        locked.supersede_top_ups()
        locked.record(QuotaChange.Kind.LIMIT, reason, limit=wanted)
        return Outcome.CHANGED

    return _change(limits, actor, change, key)


def top_up(
    limits: Mapping[UUID, int],
    amount: int,
    expires_at: datetime,
    actor: User,
    reason: str,
    key: UUID | None = None,
) -> list[Result]:
    """Add replies until a time, if the limit is still the expected one. A disabled business stays disabled.

    Raises PermissionDenied without `usage.change_quota`, ValueError for an empty reason, amount or duration,
    InterruptedChangeError.
    """
    _check(actor, "usage.change_quota", reason)
    if not 0 < amount <= HIGHEST_LIMIT or expires_at <= timezone.now():
        raise ValueError("A top-up must add replies and end in the future.")

    def change(locked: Locked) -> Outcome:
        expected = limits[locked.profile.pk]
        if locked.profile.monthly_ai_response_limit != expected:
            return Outcome.MOVED
        if expected <= 0:
            return Outcome.DISABLED
        if expected + amount > HIGHEST_LIMIT:
            return Outcome.TOO_HIGH
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

    return _change(limits, actor, change, key)


def end_top_ups(now: datetime | None = None) -> list[Result]:
    """Remove what ended top-ups added, unless the limit was changed since. Repeatable."""
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
    deleted = due.filter(~Exists(Profile.objects.filter(pk=OuterRef("business_id"))))
    deleted.update(outcome=TopUp.Outcome.SUPERSEDED, ended_at=timezone.now())
    results = _change(due.values_list("business_id", flat=True).distinct(), None, change)
    return [result for result in results if result.outcome not in (Outcome.UNCHANGED, Outcome.BUSY)]


def actor_name(actor: User | None) -> str:
    return actor.name if actor else BY_ITSELF


def _change(
    ids: Iterable[UUID], actor: User | None, change: Callable[[Locked], Outcome], key: UUID | None = None
) -> list[Result]:
    def work(profiles: list[Profile]) -> list[Result]:
        businesses = _with_history(profiles, actor)
        results = [Result.of(one.profile, change(one)) for one in businesses]
        _save(businesses)
        return results

    return change_each(ids, work, key)


def _with_history(profiles: list[Profile], actor: User | None) -> list[Locked]:
    """With their active top-ups, and whether the limit was changed otherwise since the first of them."""
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
        raise ValueError("A change needs a reason.")
