"""The forecast is arithmetic: these are its laws."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage.forecast import Verdict, daily_rate, forecast

NOW = datetime(2026, 11, 10, 12, tzinfo=UTC)
RESET = datetime(2026, 12, 1, tzinfo=UTC)
FAR = datetime.max.replace(tzinfo=UTC)
days = st.lists(st.integers(0, 5_000), max_size=30)
limits = st.integers(-1, 60_000)


def of(limit: int, used: int, replies: list[int], **values):
    given_values = {"is_enabled": True, "now": NOW, "resets_on": RESET, "rate": daily_rate(replies)}
    return forecast(limit=limit, used=used, **(given_values | values))


def test_steady_days_run_out_when_division_says() -> None:
    result = of(1_000, 700, [30] * 14)
    assert result.verdict is Verdict.BEFORE_RESET
    assert result.exhausted_at == NOW + timedelta(days=10)
    assert result.margin == timedelta(days=-10.5)


def test_enough_for_the_month_lasts() -> None:
    assert of(1_000, 100, [30] * 14).verdict is Verdict.LASTS


def test_recent_days_weigh_more() -> None:
    rising, falling = daily_rate([60] * 7 + [20] * 7), daily_rate([20] * 7 + [60] * 7)
    assert rising.mean > 40 > falling.mean


@pytest.mark.parametrize("replies", [[], [100], [100, 100], [0, 0, 0, 4], [0] * 14])
def test_too_little_data_is_an_answer(replies) -> None:
    result = of(1_000, 10, replies)
    assert (result.verdict, result.exhausted_at) == (Verdict.TOO_LITTLE_DATA, None)


@pytest.mark.parametrize(("limit", "enabled"), [(0, True), (-1, True), (100, False)])
def test_disabled_is_not_out(limit, enabled) -> None:
    assert of(limit, 500, [30] * 14, is_enabled=enabled).verdict is Verdict.DISABLED


def test_out_needs_no_data() -> None:
    result = of(100, 100, [])
    assert (result.verdict, result.exhausted_at) == (Verdict.OUT, NOW)


def test_what_the_counter_counts_beyond_the_rows_hastens_the_end() -> None:
    assert daily_rate([30] * 14).times(1.5).mean == pytest.approx(45)
    assert daily_rate([30] * 14).times(0.5).mean == pytest.approx(30)


@given(limit=limits, used=st.integers(0, 60_000), more=st.integers(0, 1_000), replies=days)
def test_it_is_monotonic_in_usage(limit, used, more, replies) -> None:
    before, after = of(limit, used, replies), of(limit, used + more, replies)
    if before.exhausted_at is not None:
        assert after.exhausted_at is not None
    assert (after.exhausted_at or FAR) <= (before.exhausted_at or FAR)
    assert (after.latest or FAR) <= (before.latest or FAR)


@given(limit=st.integers(1, 60_000), more=st.integers(0, 1_000), used=st.integers(0, 60_000), replies=days)
def test_a_higher_limit_is_never_out_earlier(limit, more, used, replies) -> None:
    assert (of(limit + more, used, replies).exhausted_at or FAR) >= (of(limit, used, replies).exhausted_at or FAR)


@given(limit=limits, used=st.integers(0, 60_000), replies=days, more=st.integers(1, 100))
def test_more_answers_every_day_are_never_out_later(limit, used, replies, more) -> None:
    calm, busy = of(limit, used, replies), of(limit, used, [count + more for count in replies])
    if calm.verdict is not Verdict.TOO_LITTLE_DATA:
        assert (busy.exhausted_at or FAR) <= (calm.exhausted_at or FAR)


@given(limit=limits, used=st.integers(0, 60_000), replies=days)
def test_the_band_holds_the_forecast(limit, used, replies) -> None:
    result = of(limit, used, replies)
    if result.exhausted_at is None:
        assert result.latest is None
    else:
        assert NOW <= result.earliest <= result.exhausted_at <= (result.latest or FAR)
        assert (result.margin < timedelta()) == (result.exhausted_at < RESET)
