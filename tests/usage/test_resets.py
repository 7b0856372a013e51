"""Resets: 30 days after the last one, as the pages say, once, and never by both the deployed job and us."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import factories, quick
from tests.usage.test_changes import at_once
from usage import quota, resets
from usage.batches import Outcome
from usage.models import Profile, QuotaChange

ZONES = ("Africa/Cairo", "America/New_York", "Australia/Lord_Howe", "Pacific/Kiritimati", "Asia/Riyadh")
JANUARY = datetime(2027, 1, 1, tzinfo=UTC)
moments = st.integers(0, 9 * 365 * 24 * 60).map(
    lambda minutes: datetime(2023, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


def business(last_reset: datetime | None, **values) -> Profile:
    values = {
        "monthly_ai_responses_used": 77,
        "last_responses_reset_date": last_reset,
        "subscription_end_date": datetime(2040, 1, 1, tzinfo=UTC),
        **values,
    }
    return factories.business(**values)


def reset(now: datetime) -> int:
    return sum(len(batch) for batch in resets.reset_due(now))


def due(last: datetime | str | None, now: datetime = JANUARY) -> tuple[datetime | None, bool]:
    """When the pages say that a counter is due, and whether they call that overdue."""
    shop = business(None)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE profiles SET last_responses_reset_date = %s WHERE id = %s", [last, shop.pk])
    [one] = quota.load(now, [shop.pk])
    return one.resets_on, one.is_overdue


@pytest.fixture
def job(db):
    """The deployed job's own SQL, at a moment of the test's choice."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef('public.manage_subscriptions_and_limits()'::regprocedure)")
        (definition,) = cursor.fetchone()
        definition = definition.replace("manage_subscriptions_and_limits()", "job_at(p_now timestamptz)")
        cursor.execute(definition.replace("now()", "p_now"))

    def run(now: datetime) -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT active_reset FROM public.job_at(%s)", [now])
            return cursor.fetchone()[0]

    return run


def test_what_a_counter_held_is_kept(db) -> None:
    shop = business(datetime(2026, 11, 3, tzinfo=UTC))
    assert reset(JANUARY) == 1
    shop.refresh_from_db()
    assert (shop.monthly_ai_responses_used, shop.last_responses_reset_date) == (0, JANUARY)
    change = QuotaChange.objects.get()
    assert (change.kind, change.old_used, change.new_used) == ("reset", 77, 0)
    assert (change.old_reset, change.new_reset) == (datetime(2026, 11, 3, tzinfo=UTC), JANUARY)
    assert change.details == {"prompt_generations_used": 0}


def test_asked_again_it_does_nothing(db) -> None:
    business(datetime(2026, 11, 3, tzinfo=UTC))
    assert [one.used for one in resets.due_resets(JANUARY)] == [77]
    assert (reset(JANUARY), reset(JANUARY), resets.due_resets(JANUARY)) == (1, 0, [])


@pytest.mark.parametrize(
    "values",
    [
        {"last_reset": None},
        {"last_reset": datetime(2026, 12, 31, 23, 59, tzinfo=UTC)},
        {"last_reset": datetime(2026, 12, 15, tzinfo=UTC)},
        {"last_reset": datetime(2026, 11, 3, tzinfo=UTC), "is_active": False},
        {"last_reset": datetime(2026, 11, 3, tzinfo=UTC), "monthly_ai_response_limit": 0},
        {"last_reset": datetime(2026, 11, 3, tzinfo=UTC), "subscription_end_date": datetime(2026, 12, 1, tzinfo=UTC)},
    ],
)
def test_who_is_left_alone(db, values) -> None:
    business(**values)
    assert reset(JANUARY) == 0


def test_our_own_resets_are_30_days_apart(db) -> None:
    shop, date = business(datetime(2026, 12, 1, 0, 10, tzinfo=UTC)), datetime(2026, 12, 1, 0, 10, tzinfo=UTC)
    for _ in range(3):
        date += timedelta(days=30)
        assert reset(date - timedelta(seconds=1)) == 0
        assert reset(date) == 1
    shop.refresh_from_db()
    assert shop.last_responses_reset_date == date


@given(last=moments, hours=st.integers(0, 60 * 24), zone=st.sampled_from(ZONES))
@settings(max_examples=quick.examples(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pages_and_the_job_agree_on_the_date(job, last, hours, zone) -> None:
    """Over month ends and changes of the clock; the job runs in UTC, the reader may be in any time zone."""
    now = last + timedelta(hours=hours)
    with timezone.override(ZoneInfo(zone)):
        resets_on, overdue = due(last, now)
    assert resets_on == last + timedelta(days=30)
    assert overdue == (now >= resets_on + timedelta(days=1))
    assert job(now) == (now >= resets_on)
    Profile.objects.all().update(is_active=False)


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (None, (None, False)),
        ("infinity", (datetime(2100, 1, 31, tzinfo=UTC), False)),
        ("-infinity", (datetime(2000, 1, 31, tzinfo=UTC), True)),
        ("0001-01-01 00:00+00", (datetime(2000, 1, 31, tzinfo=UTC), True)),
    ],
)
def test_a_last_reset_that_is_no_real_one(db, last, expected) -> None:
    assert due(last) == expected


@given(
    start=moments,
    steps=st.lists(st.tuples(st.sampled_from(["job", "command"]), st.integers(1, 45 * 24)), min_size=2, max_size=20),
)
@settings(max_examples=quick.examples(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_job_and_the_command_never_both_give_quota_away(job, start, steps) -> None:
    shop, now, history = business(start), start, [("", start)]
    for who, hours in steps:
        now += timedelta(hours=hours)
        if (job(now) if who == "job" else reset(now)) != 0:
            history.append((who, now))
    for (first, before), (second, after) in pairwise(history):
        assert after - before >= timedelta(days=30), (first, second)
    Profile.objects.filter(pk=shop.pk).update(is_active=False)


def test_two_commands_at_once_reset_once(committed_database) -> None:
    for _ in range(30):
        business(datetime(2026, 11, 3, tzinfo=UTC))
    assert sum(at_once(lambda _: reset(JANUARY), 4)) == 30
    assert QuotaChange.objects.filter(kind="reset").count() == 30


def test_the_job_and_the_command_at_once_reset_once(committed_database) -> None:
    shops = [business(factories.ago(days=40)) for _ in range(20)]
    assert all(one.is_overdue for one in quota.load(ids=[shop.pk for shop in shops]))

    def run(index: int) -> int:
        if index:
            return reset(factories.ago())
        with connection.cursor() as cursor:
            cursor.execute("SELECT active_reset FROM public.manage_subscriptions_and_limits()")
            return cursor.fetchone()[0]

    assert sum(at_once(run, 2)) == 20
    changes = QuotaChange.objects.filter(old_used=77)
    assert (changes.count(), changes.values("business").distinct().count()) == (20, 20)


def test_a_person_resets_with_a_reason(db) -> None:
    mona = factories.staff("Managers")
    shop = business(factories.ago(days=3))
    [result] = resets.reset_counters({shop.pk: shop.last_responses_reset_date}, mona, "Test messages used it up")
    assert (result.outcome, result.used) == (Outcome.CHANGED, 0)
    change = QuotaChange.objects.get()
    assert (change.old_used, change.actor, change.reason) == (77, mona, "Test messages used it up")
    [again] = resets.reset_counters({shop.pk: shop.last_responses_reset_date}, mona, "Again")
    assert again.outcome is Outcome.MOVED
    with pytest.raises(PermissionDenied):
        resets.reset_counters({shop.pk: None}, factories.staff("Support"), "Please")
    with pytest.raises(ValueError, match="reason"):
        resets.reset_counters({shop.pk: None}, mona, " ")
