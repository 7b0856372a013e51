"""Until when a snooze is, on days when the clock changes."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from escalations.desk.actions import SnoozeForm, moment
from tests import wording

BEFORE_CLOCK_GOES_BACK = datetime(2026, 10, 29, 20, 30, tzinfo=UTC)
"""Half past eleven in Cairo, where it is eleven again half an hour later."""
SKIPPED = "2027-04-30T00:30"
TWICE = "2026-10-29T23:30"


@pytest.mark.parametrize(("choice", "hours"), [("1h", 1), ("4h", 4)])
def test_hours_are_hours_when_the_clock_goes_back(monkeypatch, choice: str, hours: int) -> None:
    monkeypatch.setattr(timezone, "now", lambda: BEFORE_CLOCK_GOES_BACK)
    assert moment(choice) - BEFORE_CLOCK_GOES_BACK == timedelta(hours=hours)


def test_a_week_ends_at_the_same_time_of_day(monkeypatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: BEFORE_CLOCK_GOES_BACK)
    assert moment("week").astimezone(UTC) - BEFORE_CLOCK_GOES_BACK == timedelta(weeks=1, hours=1)


@pytest.mark.parametrize("written", [SKIPPED, TWICE])
def test_a_time_that_is_skipped_or_comes_twice_is_refused_in_a_sentence(written: str) -> None:
    form = SnoozeForm({"at": written})
    assert form.errors["at"] == [wording.CLOCK_CHANGES]
