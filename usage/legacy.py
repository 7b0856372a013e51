"""The legacy path of the quota function: separate queries for when the function is switched off or broken."""

from datetime import UTC, datetime
from uuid import UUID

from django.db import connection, transaction

from usage.answers import AIUsage
from usage.rollup import SANE_RESET
from waops.database import incidents
from waops.database.calls import as_uuid

READ = f"""
    SELECT profile.monthly_ai_response_limit, profile.monthly_ai_responses_used, {SANE_RESET}, now()
    FROM public.profiles AS profile WHERE profile.id = %s
"""  # noqa: S608
READ_AND_LOCK = READ + "FOR NO KEY UPDATE"
COUNT = "UPDATE public.profiles SET monthly_ai_responses_used = monthly_ai_responses_used + 1 WHERE id = %s"


def check_and_update_ai_usage(user_id: UUID | None, increment: bool = False) -> AIUsage:
    user_id = user_id and as_uuid(user_id)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(READ_AND_LOCK if increment else READ, [user_id])
        profile = cursor.fetchone()
        if profile is None:
            return _unknown_business(user_id)
        limit, used, last_reset, now = profile
        allowed = used < limit
        if increment and allowed:
            cursor.execute(COUNT, [user_id])
            used += 1
    resets_on, overdue = next_reset(last_reset, now)
    return AIUsage(allowed, limit, used, resets_on, None, overdue)


def next_reset(last: datetime | None, now: datetime) -> tuple[datetime, bool]:
    """`resetsOn` and `resetOverdue` as the function answers them: the plan's date, not that of `resets.RESETS_ON`."""
    due = _first_of_next_month(last or now)
    if due <= now:
        return _first_of_next_month(now), True
    return due, False


def _first_of_next_month(moment: datetime) -> datetime:
    """Midnight UTC."""
    moment = moment.astimezone(UTC)
    months = moment.year * 12 + moment.month
    return datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC)


def _unknown_business(user_id: UUID | None) -> AIUsage:
    incidents.record("check_and_update_ai_usage", incidents.Incident.Kind.UNKNOWN_BUSINESS, str(user_id or ""))
    error = "User ID is required" if user_id is None else f"No profile has id {user_id}"
    return AIUsage(True, 0, 0, None, error, False)
