"""Resets of counters: by a person with a reason, or by the command that stands in for the deployed job.

The deployed job resets a counter 30 days after its last reset. The command resets on the date that everybody is told
(`waops.next_reset`), and never within 30 days of a reset that was not this app's own. So whichever of the two comes
first, the other finds nothing to do: no counter is reset by both within 30 days. See docs/quota-reset.md.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import connection
from django.utils import timezone

from usage.changes import Outcome, Result, actor_name, batches, locked_profiles
from usage.models import Profile, QuotaChange
from waops.live_schema import live_tables
from waops.models import User

DUE = """
    SELECT profile.id, reset.resets_on
    FROM public.profiles AS profile
    CROSS JOIN LATERAL waops.next_reset(profile.last_responses_reset_date, %(now)s) AS reset
    WHERE reset.overdue
      AND profile.is_active
      AND profile.subscription_end_date >= %(now)s
      AND profile.monthly_ai_response_limit > 0
      AND (
          profile.last_responses_reset_date <= %(now)s - interval '30 days'
          OR EXISTS (
              SELECT FROM waops.usage_quotachange AS change
              WHERE change.business_id = profile.id
                AND change.kind = 'reset'
                AND change.new_reset = profile.last_responses_reset_date
          )
      )
      AND (%(ids)s::uuid[] IS NULL OR profile.id = ANY (%(ids)s))
    ORDER BY profile.id
"""

OVERDUE_REASON = "monthly reset"


@dataclass(frozen=True)
class Reset:
    """A counter that was, or is to be, reset, and what it held before."""

    business: Profile
    used: int
    last_reset: datetime | None


def due_resets(now: datetime | None = None) -> list[Reset]:
    """Counters that the command would reset now."""
    ids = _due(now or timezone.now())
    return [_reset_of(profile) for profile in Profile.objects.filter(pk__in=ids).order_by("business_name", "pk")]


def reset_due(now: datetime | None = None) -> Iterator[list[Reset]]:
    """Reset every counter that is due, batch by batch. Repeatable; of two at once, each counter is reset by one."""
    now = now or timezone.now()
    for batch in batches(_due(now)):
        with locked_profiles(batch) as profiles:
            # Asked again in a statement of its own, which sees what others committed while we waited for the locks.
            still_due = set(_due(now, batch))
            due = [profile for profile in profiles if profile.pk in still_due]
            done = [_reset_of(profile) for profile in due]
            _reset(due, None, OVERDUE_REASON, now)
        yield done


def reset_counters(expected: Mapping[UUID, datetime | None], actor: User, reason: str) -> list[Result]:
    """Reset counters by hand, each only if its last reset still is the expected one.

    Raises PermissionDenied without `usage.reset_quota`, ValueError for an empty reason.
    """
    if not actor.has_perm("usage.reset_quota"):
        raise PermissionDenied
    if not reason.strip():
        raise ValueError("A reset has a reason.")
    results = []
    for batch in batches(expected):
        with locked_profiles(batch) as profiles:
            same = [one for one in profiles if one.last_responses_reset_date == expected[one.pk]]
            _reset(same, actor, reason, timezone.now())
        found = {profile.pk: profile for profile in profiles}
        for pk in batch:
            profile = found.get(pk)
            if profile is None:
                results.append(Result(None, Outcome.GONE, 0, 0))
                continue
            outcome = Outcome.CHANGED if profile in same else Outcome.MOVED
            results.append(
                Result(profile, outcome, profile.monthly_ai_response_limit, profile.monthly_ai_responses_used)
            )
    return results


def _due(now: datetime, ids: list[UUID] | None = None) -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(DUE, {"now": now, "ids": ids})
        return [pk for pk, _ in cursor.fetchall()]


def _reset_of(profile: Profile) -> Reset:
    return Reset(profile, profile.monthly_ai_responses_used, profile.last_responses_reset_date)


def _reset(profiles: list[Profile], actor: User | None, reason: str, now: datetime) -> None:
    """Of locked businesses: keep what the counters hold, then do what the deployed job does."""
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
    """What the counter of generated prompts holds, which the job resets along; empty where the table has none."""
    columns = {"monthly_prompt_generations_used", "last_prompt_generations_reset_date"}
    if not ids or not columns <= live_tables().get("profiles", frozenset()):
        return {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, monthly_prompt_generations_used FROM public.profiles WHERE id = ANY (%s)", [ids])
        return {pk: {"prompt_generations_used": used} for pk, used in cursor.fetchall()}
