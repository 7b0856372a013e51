"""Reset counters: by a person with a reason, or by the command that stands in for the deployed job.

Both the job and the command reset a counter 30 days after its last reset. So whichever comes first, the other finds
nothing to do. See docs/quota-reset.md.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import connection
from django.utils import timezone

from usage.batches import Outcome, Result, batches, change_each, locked_profiles
from usage.changes import actor_name
from usage.models import Profile, QuotaChange
from usage.rollup import SANE_RESET
from waops.access.people import User
from waops.database.live_schema import live_tables

BETWEEN = "interval '720 hours'"
"""From a reset to the next: the job's 30 days, in any time zone."""
RESETS_ON = f"({SANE_RESET} + {BETWEEN})"
"""When a counter is due to be reset. NULL: never, because the job does not reset what has no last reset. The quota
function answers the plan's date instead (`resetsOn`).
"""
OVERDUE = f"coalesce({RESETS_ON} <= %(now)s - interval '1 day', false)"
"""Whether the daily job should have come by now."""

DUE = f"""
    SELECT profile.id
    FROM public.profiles AS profile
    WHERE {RESETS_ON} <= %(now)s
      AND profile.is_active
      AND profile.subscription_end_date >= %(now)s
      AND profile.monthly_ai_response_limit > 0
      AND (%(ids)s::uuid[] IS NULL OR profile.id = ANY (%(ids)s))
    ORDER BY profile.id
"""  # noqa: S608

OVERDUE_REASON = "monthly reset"


@dataclass(frozen=True)
class Reset:
    """A counter that was reset or will be, and its old value."""

    business: Profile
    used: int
    last_reset: datetime | None


def due_resets(now: datetime | None = None) -> list[Reset]:
    """Counters that the command would reset now."""
    ids = _due(now or timezone.now())
    return [_reset_of(profile) for profile in Profile.objects.filter(pk__in=ids).order_by("business_name", "pk")]


def reset_due(now: datetime | None = None) -> Iterator[list[Reset]]:
    """Reset every counter that is due, batch by batch. Repeatable; of two concurrent runs, each counter is
    reset by one.

    Businesses locked by another transaction are left to the next run.
    """
    now = now or timezone.now()
    for batch in batches(_due(now)):
        with locked_profiles(batch) as profiles:
            # Checked again in a separate statement, which sees what others committed before we had the locks.
            still_due = set(_due(now, batch))
            due = [profile for profile in profiles if profile.pk in still_due]
            done = [_reset_of(profile) for profile in due]
            _reset(due, None, OVERDUE_REASON, now)
        yield done


def reset_counters(
    expected: Mapping[UUID, datetime | None], actor: User, reason: str, key: UUID | None = None
) -> list[Result]:
    """Reset counters for a person, each only if its last reset is still the expected one.

    Raises PermissionDenied without `usage.reset_quota`, ValueError for an empty reason, InterruptedChangeError.
    """
    if not actor.has_perm("usage.reset_quota"):
        raise PermissionDenied
    if not reason.strip():
        raise ValueError("A reset needs a reason.")

    def work(profiles: list[Profile]) -> list[Result]:
        same = [one for one in profiles if one.last_responses_reset_date == expected[one.pk]]
        _reset(same, actor, reason, timezone.now())
        return [Result.of(one, Outcome.CHANGED if one in same else Outcome.MOVED) for one in profiles]

    return change_each(expected, work, key)


def _due(now: datetime, ids: list[UUID] | None = None) -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(DUE, {"now": now, "ids": ids})
        return [pk for (pk,) in cursor.fetchall()]


def _reset_of(profile: Profile) -> Reset:
    return Reset(profile, profile.monthly_ai_responses_used, profile.last_responses_reset_date)


def _reset(profiles: list[Profile], actor: User | None, reason: str, now: datetime) -> None:
    """For locked businesses: record the counters' values, then do what the deployed job does."""
    ids = [profile.pk for profile in profiles]
    prompts = _prompt_counters(ids)
    QuotaChange.objects.bulk_create(
        QuotaChange(
            business=profile,
            kind=QuotaChange.Kind.RESET,
            at=now,
            actor=actor,
            actor_name=actor_name(actor),
            reason=reason,
            old_limit=profile.monthly_ai_response_limit,
            new_limit=profile.monthly_ai_response_limit,
            old_used=profile.monthly_ai_responses_used,
            new_used=0,
            old_reset=profile.last_responses_reset_date,
            new_reset=now,
            details=prompts.get(profile.pk, {}),
        )
        for profile in profiles
    )
    for profile in profiles:
        profile.monthly_ai_responses_used, profile.last_responses_reset_date = 0, now
    Profile.objects.filter(pk__in=ids).update(monthly_ai_responses_used=0, last_responses_reset_date=now)
    if prompts:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE public.profiles SET monthly_prompt_generations_used = 0,"
                " last_prompt_generations_reset_date = %s WHERE id = ANY (%s)",
                [now, ids],
            )


def _prompt_counters(ids: list[UUID]) -> dict[UUID, dict[str, object]]:
    """The counter of generated prompts, which the job also resets; empty if the table has none."""
    columns = {"monthly_prompt_generations_used", "last_prompt_generations_reset_date"}
    if not ids or not columns <= live_tables().get("profiles", frozenset()):
        return {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, monthly_prompt_generations_used FROM public.profiles WHERE id = ANY (%s)", [ids])
        return {pk: {"prompt_generations_used": used} for pk, used in cursor.fetchall()}
