"""Waiting by the clock: working hours, days off, targets of plans."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.cache import cache
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from escalations import sla
from escalations.models import SLATarget, WorkingDay
from escalations.sla import SLATargets, Urgency, WaitLevel, WorkingHours
from tests import wording

CAIRO = ZoneInfo("Africa/Cairo")
NINE_TO_FIVE = [(day, time(9), time(17)) for day in (6, 0, 1, 2, 3)]
"""Sunday to Thursday."""


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=CAIRO)


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        (at(19, 10), at(19, 12), 2),
        (at(19, 16), at(19, 20), 1),
        (at(19, 16), at(22, 10), 2),  # over Friday and Saturday
        (at(20, 10), at(21, 20), 0),
        (at(19, 5), at(19, 9), 0),
        (at(19, 12), at(19, 12), 0),
        (at(19, 12), at(19, 10), 0),
        (at(1, 0), at(29, 0), 160),
        (at(1, 12), at(29, 13), 161),
    ],
)
def test_only_working_hours_count(start, end, hours) -> None:
    assert WorkingHours(NINE_TO_FIVE, CAIRO).elapsed(start, end) == timedelta(hours=hours)
    assert WorkingHours(NINE_TO_FIVE, CAIRO).elapsed(start.astimezone(UTC), end) == timedelta(hours=hours)


def test_hours_may_be_split_overlap_and_reach_over_midnight() -> None:
    week = WorkingHours([(3, time(10), time(14)), (3, time(13), time(15)), (3, time(20), time(2))], CAIRO)
    assert week.elapsed(at(19, 0), at(21, 0)) == timedelta(hours=11)
    assert week.elapsed(at(20, 1), at(20, 12)) == timedelta(hours=1)


def test_a_day_has_24_hours_also_when_the_clock_changes() -> None:
    always = WorkingHours([(day, time(0), time(0)) for day in range(7)], CAIRO)
    change = datetime(2026, 10, 29, 12, tzinfo=CAIRO)
    assert always.elapsed(change, change + timedelta(days=2)) == timedelta(days=2, hours=1)


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1)),  # noqa: DTZ001 the zone follows
    st.timedeltas(timedelta(), timedelta(days=40)),
    st.timedeltas(timedelta(), timedelta(days=40)),
)
def test_parts_add_up_to_the_whole(start, first, second) -> None:
    week = WorkingHours(NINE_TO_FIVE, UTC)
    start = start.replace(tzinfo=UTC)
    middle, end = start + first, start + first + second
    assert week.elapsed(start, middle) + week.elapsed(middle, end) == week.elapsed(start, end)


def test_without_hours_no_time_counts() -> None:
    assert WorkingHours([], CAIRO).elapsed(at(1, 0), at(29, 0)) == timedelta()


@pytest.fixture
def targets(db) -> None:
    SLATarget.objects.all().delete()
    SLATarget.objects.create(plan_type="", warn_minutes=60, breach_minutes=120)
    SLATarget.objects.create(plan_type="Growth", warn_minutes=10, breach_minutes=20, clock="always")


@pytest.mark.parametrize(
    ("plan", "since", "level"),
    [
        ("Launch", at(19, 16, 30), WaitLevel.SHORT),
        ("Launch", at(19, 16), WaitLevel.LONG),
        (None, at(19, 15), WaitLevel.TOO_LONG),
        ("Growth", at(21, 23, 55), WaitLevel.SHORT),
        ("Growth", at(21, 23, 45), WaitLevel.LONG),
        ("Growth", at(21, 23), WaitLevel.TOO_LONG),
        ("Growth", None, WaitLevel.UNKNOWN),
    ],
)
def test_a_wait_is_judged_by_the_clock_of_its_plan(targets, plan, since, level) -> None:
    now = at(22, 0)
    assert SLATargets.load().judge(plan, since, now).level is level


def test_a_clock_that_is_behind_is_no_wait(targets) -> None:
    wait = SLATargets.load().judge("Growth", at(22, 1), at(22, 0))
    assert (wait.level, wait.elapsed) == (WaitLevel.SHORT, timedelta())


def test_targets_are_read_once_and_changes_show_at_once(targets, django_assert_num_queries) -> None:
    with django_assert_num_queries(2):
        SLATargets.load()
    with django_assert_num_queries(0):
        assert SLATargets.load().target("Growth").long == timedelta(minutes=10)
    growth = SLATarget.objects.get(plan_type="Growth")
    growth.warn_minutes = 15
    growth.save()
    assert SLATargets.load().target("Growth").long == timedelta(minutes=15)


def test_without_targets_or_hours_there_still_is_a_measure(targets) -> None:
    SLATarget.objects.all().delete()
    WorkingDay.objects.all().delete()
    assert SLATargets.load().judge("Launch", at(20, 10), at(21, 10)).level is WaitLevel.TOO_LONG
    SLATarget.objects.create(plan_type="", warn_minutes=60, breach_minutes=120)
    assert SLATargets.load().judge("Launch", at(20, 10), at(21, 10)).level is WaitLevel.TOO_LONG


NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("duration", "words"),
    [
        (timedelta(seconds=59), wording.UNDER_A_MINUTE),
        (timedelta(seconds=-5), wording.UNDER_A_MINUTE),
        (timedelta(minutes=1), "1 min"),
        (timedelta(minutes=59, seconds=59), "59 min"),
        (timedelta(hours=3, minutes=12), "3 h 12 min"),
        (timedelta(hours=5), "5 h"),
        (timedelta(days=2, hours=4, minutes=9), "2 d 4 h"),
        (timedelta(days=400), "400 d"),
        (timedelta(days=1, minutes=5), "1 d"),
    ],
)
def test_a_duration_is_its_two_largest_units(duration, words) -> None:
    with translation.override("en"):
        assert sla.in_words(duration) == words


@pytest.mark.parametrize(
    ("since", "kind", "word"),
    [
        (NOW - timedelta(minutes=59), "open", "In time"),
        (NOW + timedelta(minutes=1), "open", "In time"),
        (NOW - timedelta(hours=1), "waiting", "Over 1 h"),
        (NOW - timedelta(hours=4), "late", "Over 4 h"),
        (None, "unknown", wording.UNKNOWN_WAIT),
    ],
)
def test_urgency_has_a_shape_and_a_word(db, since, kind, word) -> None:
    SLATarget.objects.update(clock=SLATarget.Clock.ALWAYS)
    cache.clear()
    with translation.override("en"):
        assert sla.urgency(since, "", NOW) == Urgency(kind, word)


def test_outside_working_hours_the_clock_stands_still(db) -> None:
    saturday = datetime(2026, 11, 21, 12, tzinfo=UTC)
    with translation.override("en"):
        assert sla.urgency(saturday - timedelta(days=1), "", saturday).kind == "open"
        assert sla.urgency(saturday - timedelta(days=3), "", saturday) == Urgency("late", "Over 4 h work time")
