"""The forecast's arithmetic: these are its laws. What follows from it for a business is in test_quota.py."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage.forecast import band, daily_rate

NOW = datetime(2026, 11, 10, 12, tzinfo=UTC)
FAR = datetime.max.replace(tzinfo=UTC)
days = st.lists(st.integers(0, 5_000), max_size=30)


def test_steady_days_are_their_mean() -> None:
    assert daily_rate([30] * 14).mean == pytest.approx(30)


def test_recent_days_weigh_more() -> None:
    rising, falling = daily_rate([60] * 7 + [20] * 7), daily_rate([20] * 7 + [60] * 7)
    assert rising.mean > 40 > falling.mean


@pytest.mark.parametrize("replies", [[], [100], [100, 100], [0, 0, 0, 4], [0] * 14])
def test_too_little_data_has_no_rate(replies) -> None:
    assert daily_rate(replies) is None


@given(replies=days, more=st.integers(1, 100))
def test_more_replies_every_day_are_never_a_lower_rate(replies, more) -> None:
    calm, busy = daily_rate(replies), daily_rate([count + more for count in replies])
    assert calm is None or busy.mean > calm.mean


@given(remaining=st.integers(1, 60_000), replies=days)
def test_the_band_holds_the_mean(remaining, replies) -> None:
    rate = daily_rate(replies)
    if rate is not None and remaining / rate.mean < 3_650:
        earliest, latest = band(remaining, rate, NOW)
        assert NOW <= earliest <= NOW + timedelta(days=remaining / rate.mean) <= (latest or FAR)


@given(remaining=st.integers(1, 60_000), more=st.integers(0, 1_000), replies=days)
def test_with_more_left_the_band_is_never_earlier(remaining, more, replies) -> None:
    if rate := daily_rate(replies):
        for early, late in zip(band(remaining, rate, NOW), band(remaining + more, rate, NOW), strict=True):
            assert (early or FAR) <= (late or FAR)
