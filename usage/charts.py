"""A business's burn-down chart: replies left and the forecast."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils import timezone

from usage.forecast import Verdict, expected_replies
from usage.quota import Business
from waops.admin.charts import BOTTOM, HEIGHT, TOP, WIDTH, Mark, Plot, text
from waops.database.moments import midnight

ROOM_FOR_NAME = 90
"""Least distance of two lines that are both labelled above the plot."""
SAMPLES = 24
"""Points of a curve."""
AHEAD = timedelta(days=14)
"""What the chart shows of the future if the time of the reset is unknown."""
LONGEST = timedelta(days=366)
"""Longest time before now that a chart of a period, and its list of days, shows."""


@dataclass(frozen=True)
class BurnDown:
    """Remaining replies: `actual` until now, `expected` from there within `band`, and the position of the
    reset.

    `pace`: the straight line that ends at the reset; both are "" if none is planned. `names_now`: there is space to
    label the current time.
    """

    actual: str
    expected: str
    band: str
    pace: str
    reset_x: str
    now_x: str
    names_now: bool
    exhausted: Mark | None
    days: list[Mark]
    scale: list[Mark]
    width: int = WIDTH
    height: int = HEIGHT
    baseline: int = HEIGHT - BOTTOM
    top: int = TOP


def burn_down(business: Business, replies: Iterable[tuple[date, int]], now: datetime, *, rtl: bool) -> BurnDown | None:
    """The period's chart from its replies per day, cumulative; None for a business without a limit.

    The line ends at the counter: if that differs from the replies, all days are scaled by the same factor.
    """
    if business.limit <= 0:
        return None
    per_day = list(replies)
    first_day = per_day[0][0] if per_day else timezone.localdate(now)
    begin = midnight(first_day) if business.last_reset is None else business.last_reset
    begin = min(max(begin, now - LONGEST), now)
    counted = sum(count for _, count in per_day)
    factor = business.used / counted if counted else 0.0
    reset = business.resets_on
    end = reset if reset and reset > now else now + AHEAD
    plot = Plot(begin.timestamp(), end.timestamp(), business.limit, rtl=rtl)

    first_day, today = timezone.localdate(begin), timezone.localdate(now)
    used = factor * sum(count for day, count in per_day if day < first_day)
    actual = [(begin, used)]
    for day, count in per_day:
        if first_day <= day <= today:
            used += count * factor
            actual.append((min(max(midnight(day + timedelta(days=1)), begin), now), used))
    actual.append((now, float(business.used)))
    now_x = plot.x(now.timestamp())
    reset_x = plot.x(reset.timestamp()) if reset and reset >= begin else None
    names = [plot.x(begin.timestamp()), *([] if reset_x is None else [reset_x])]
    return BurnDown(
        actual=" ".join(plot.point(at.timestamp(), max(business.limit - value, 0)) for at, value in actual),
        expected=_expected(plot, business, now, end),
        band=_band(plot, business, now, end),
        pace=f"{plot.point(begin.timestamp(), business.limit)} {plot.point(reset.timestamp(), 0)}"
        if reset and reset_x is not None
        else "",
        reset_x="" if reset_x is None else text(reset_x),
        now_x=text(now_x),
        names_now=all(abs(now_x - name) > ROOM_FOR_NAME for name in names),
        exhausted=_exhausted(plot, business),
        days=_day_marks(plot, begin, end),
        scale=plot.scale(),
    )


def _edge(business: Business, now: datetime, end: datetime, side: int) -> list[tuple[float, float]]:
    """Times and remaining replies, along the mean or an edge of the band."""
    rate = business.forecast.rate
    if rate is None or business.forecast.verdict not in (Verdict.BEFORE_RESET, Verdict.LASTS):
        return []
    remaining, days = business.limit - business.used, (end - now) / timedelta(days=1)
    moments = [days * number / SAMPLES for number in range(SAMPLES + 1)]
    return [
        (now.timestamp() + 86_400 * ahead, max(remaining - expected_replies(rate, ahead, side), 0.0))
        for ahead in moments
    ]


def _expected(plot: Plot, business: Business, now: datetime, end: datetime) -> str:
    return " ".join(plot.point(*place) for place in _edge(business, now, end, 0))


def _band(plot: Plot, business: Business, now: datetime, end: datetime) -> str:
    places = _edge(business, now, end, -1) + _edge(business, now, end, 1)[::-1]
    return " ".join(plot.point(*place) for place in places)


def _exhausted(plot: Plot, business: Business) -> Mark | None:
    at = business.forecast.exhausted_at
    if business.forecast.verdict is not Verdict.BEFORE_RESET or at is None:
        return None
    return Mark(text(plot.x(at.timestamp())), text(plot.y(0)), 0, timezone.localdate(at))


def _day_marks(plot: Plot, begin: datetime, end: datetime) -> list[Mark]:
    first, last = timezone.localdate(begin) + timedelta(days=1), timezone.localdate(end)
    step = max(1, (last - first).days // 8)
    days = [first + timedelta(days=age) for age in range(0, (last - first).days + 1, step)]
    return [
        Mark(text(plot.x(midnight(day).timestamp())), "", 0, day, is_minor=number % 3 != 0)
        for number, day in enumerate(days)
        if begin <= midnight(day) <= end
    ]
