"""`resetsOn` in the service's quota answer, the plan's date: the function and the legacy path must agree."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.db import connection

from tests import factories
from usage.legacy import next_reset

pytestmark = pytest.mark.django_db

LIMITS = {"monthly_ai_response_limit": 100, "monthly_ai_responses_used": 0}
CAIRO = timezone(timedelta(hours=2))


def utc(year: int, month: int, day: int, *time: int) -> datetime:
    return datetime(year, month, day, *time, tzinfo=UTC)


CASES = {
    "mid-month": (utc(2025, 3, 15), utc(2025, 3, 20), utc(2025, 4, 1), False),
    "first moment of a month": (utc(2025, 3, 1), utc(2025, 3, 1), utc(2025, 4, 1), False),
    "last moment of a month": (utc(2025, 3, 31, 23, 59, 59), utc(2025, 3, 31, 23, 59, 59), utc(2025, 4, 1), False),
    "31 January": (utc(2025, 1, 31), utc(2025, 1, 31), utc(2025, 2, 1), False),
    "29 February": (utc(2024, 2, 29, 12), utc(2024, 2, 29, 13), utc(2024, 3, 1), False),
    "December": (utc(2025, 12, 5), utc(2025, 12, 31), utc(2026, 1, 1), False),
    "due this moment": (utc(2025, 3, 15), utc(2025, 4, 1), utc(2025, 5, 1), True),
    "a moment before it is due": (utc(2025, 3, 15), utc(2025, 3, 31, 23, 59, 59), utc(2025, 4, 1), False),
    "overdue for a year": (utc(2023, 11, 30), utc(2025, 1, 31), utc(2025, 2, 1), True),
    "overdue in December": (utc(2025, 10, 30), utc(2025, 12, 31), utc(2026, 1, 1), True),
    "never reset": (None, utc(2025, 3, 20), utc(2025, 4, 1), False),
    "another month in Cairo": (datetime(2025, 4, 1, 1, tzinfo=CAIRO), utc(2025, 3, 31, 23, 30), utc(2025, 4, 1), False),
    "reset in the future": (utc(2025, 6, 10), utc(2025, 3, 20), utc(2025, 7, 1), False),
}


@pytest.fixture
def answered():
    """The function's own SQL, at a moment of the test's choice."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef('public.check_and_update_ai_usage(uuid, boolean)'::regprocedure)")
        (definition,) = cursor.fetchone()
        definition = definition.replace(
            "check_and_update_ai_usage(p_user_id", "answer_at(p_now timestamptz, p_user_id", 1
        )
        cursor.execute(definition.replace("pg_catalog.now()", "p_now"))

    def answer(last: datetime | str | None, now: datetime) -> tuple[datetime, bool]:
        shop = factories.business(**LIMITS)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE profiles SET last_responses_reset_date = %s WHERE id = %s", [last, shop.pk])
            cursor.execute(
                "SELECT (answer ->> 'resetsOn')::timestamptz, (answer ->> 'resetOverdue')::boolean"
                " FROM public.answer_at(%s, %s) AS answer",
                [now, shop.pk],
            )
            return cursor.fetchone()

    return answer


@pytest.mark.parametrize("case", CASES)
def test_the_first_of_a_month(answered, case: str):
    last, now, resets_on, overdue = CASES[case]
    assert answered(last, now) == next_reset(last, now) == (resets_on, overdue)


def test_the_callers_time_zone_does_not_matter(answered):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL timezone = 'Pacific/Kiritimati'")
    assert answered(utc(2025, 3, 31, 20), utc(2025, 3, 31, 21))[0] == utc(2025, 4, 1)


@pytest.mark.parametrize(
    ("last", "resets_on", "overdue"),
    [
        ("infinity", utc(2100, 2, 1), False),
        ("294276-12-31 23:00+00", utc(2100, 2, 1), False),
        ("-infinity", utc(2025, 4, 1), True),
        ("4714-11-24 00:00+00 BC", utc(2025, 4, 1), True),
        ("0001-01-01 00:00+00", utc(2025, 4, 1), True),
    ],
)
def test_a_last_reset_that_is_no_real_one(answered, last: str, resets_on: datetime, overdue: bool):
    assert answered(last, utc(2025, 3, 20)) == (resets_on, overdue)
