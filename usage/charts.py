"""Geometry of the drawings: numbers to points of an SVG's view box. Templates draw them and put a table under each.

In right-to-left languages time runs from right to left, as the page does. Points are text with decimal points whatever
the language; templates print them inside `{% localize off %}`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils import timezone

from usage.forecast import Verdict, expected_answers
from usage.overview import Business

WIDTH, HEIGHT = 720, 240
TOP, BOTTOM = 16, 28
"""Room above and below the plot, for marks and labels."""
START, END = 52, 16
"""Room before and after it in reading direction: the labels of the scale, and half a label of a day."""
SPARK_WIDTH, SPARK_HEIGHT = 96, 28
ROOM_FOR_NAME = 90
"""Between two lines that are both named above the plot."""
SAMPLES = 24
"""Points of a curve."""


@dataclass(frozen=True)
class Mark:
    """A label at a place. `is_minor`: left out on narrow screens."""

    x: str
    y: str
    value: int
    day: date | None = None
    is_minor: bool = False


@dataclass(frozen=True)
class Bar:
    """`target`: the whole height above the day, which is easier to hit than a low bar."""

    x: str
    y: str
    width: str
    height: str
    day: date | None
    hour: int | None
    value: int
    target_x: str
    target_width: str


@dataclass(frozen=True)
class BarChart:
    bars: list[Bar]
    days: list[Mark]
    scale: list[Mark]
    width: int = WIDTH
    height: int = HEIGHT
    baseline: int = HEIGHT - BOTTOM
    top: int = TOP
    tall: int = HEIGHT - TOP - BOTTOM


@dataclass(frozen=True)
class BurnDown:
    """Answers that are left: `actual` until now, `expected` from there within `band`, and where the reset is.

    `pace`: the straight line that ends at the reset. `names_now`: there is room to name the line of this moment.
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


class Plot:
    """Places between `first` and `last`, and 0 and `highest`."""

    def __init__(self, first: float, last: float, highest: float, *, rtl: bool) -> None:
        self.first, self.span = first, max(last - first, 1e-9)
        self.highest, self.rtl = max(highest, 1e-9), rtl

    def x(self, value: float) -> float:
        place = START + (WIDTH - START - END) * (value - self.first) / self.span
        return WIDTH - place if self.rtl else place

    def y(self, value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / self.highest

    def point(self, x: float, y: float) -> str:
        return f"{_text(self.x(x))},{_text(self.y(y))}"

    def scale(self) -> list[Mark]:
        x = _text(WIDTH - START + 8 if self.rtl else START - 8)
        return [Mark(x, _text(self.y(value)), value) for value in _round_steps(self.highest)]


def burn_down(business: Business, replies: Iterable[tuple[date, int]], now: datetime, *, rtl: bool) -> BurnDown | None:
    """The period's chart from its replies per day, rising; None for a business without a limit.

    The line ends at what the counter says: where that differs from the replies, days are raised or lowered alike.
    """
    if business.limit <= 0:
        return None
    per_day = list(replies)
    first_day = per_day[0][0] if per_day else timezone.localdate(now)
    begin = business.last_reset or _midnight(first_day)
    begin = min(begin, now)
    counted = sum(count for _, count in per_day)
    factor = business.used / counted if counted else 0.0
    end = max(business.resets_on, now)
    plot = Plot(begin.timestamp(), end.timestamp(), business.limit, rtl=rtl)

    actual, used = [(begin, 0.0)], 0.0
    for day, count in per_day:
        used += count * factor
        actual.append((min(max(_midnight(day + timedelta(days=1)), begin), now), used))
    actual.append((now, float(business.used)))
    now_x, reset_x = plot.x(now.timestamp()), plot.x(business.resets_on.timestamp())
    return BurnDown(
        actual=" ".join(plot.point(at.timestamp(), max(business.limit - value, 0)) for at, value in actual),
        expected=_expected(plot, business, now, end),
        band=_band(plot, business, now, end),
        pace=f"{plot.point(begin.timestamp(), business.limit)} {plot.point(business.resets_on.timestamp(), 0)}",
        reset_x=_text(reset_x),
        now_x=_text(now_x),
        names_now=min(abs(now_x - reset_x), abs(now_x - plot.x(begin.timestamp()))) > ROOM_FOR_NAME,
        exhausted=_exhausted(plot, business),
        days=_day_marks(plot, begin, end),
        scale=plot.scale(),
    )


def bars(values: Sequence[tuple[date | int, int]], *, rtl: bool) -> BarChart:
    """A bar per day, or per hour of the day."""
    plot = Plot(0, len(values), max((count for _, count in values), default=0), rtl=rtl)
    width = (WIDTH - START - END) / max(len(values), 1)
    drawn, marks = [], []
    step = max(1, len(values) // 8)
    for number, (key, count) in enumerate(values):
        middle, top = plot.x(number + 0.5), plot.y(count)
        day, hour = (key, None) if isinstance(key, date) else (None, key)
        drawn.append(
            Bar(
                _text(middle - width * 0.4),
                _text(top),
                _text(width * 0.8),
                _text(HEIGHT - BOTTOM - top),
                day,
                hour,
                count,
                _text(middle - width / 2),
                _text(width),
            )
        )
        if number % step == 0:
            marks.append(Mark(_text(middle), "", hour or 0, day, is_minor=number % (3 * step) != 0))
    return BarChart(drawn, marks, plot.scale())


def sparkline(values: Sequence[int], *, rtl: bool) -> str:
    """Points of a line in a box of SPARK_WIDTH by SPARK_HEIGHT."""
    highest, last = max(values, default=0) or 1, max(len(values) - 1, 1)
    return " ".join(
        f"{_text((last - number if rtl else number) * SPARK_WIDTH / last)},"
        f"{_text(SPARK_HEIGHT - 2 - (SPARK_HEIGHT - 4) * value / highest)}"
        for number, value in enumerate(values)
    )


def _edge(business: Business, now: datetime, end: datetime, side: int) -> list[tuple[float, float]]:
    """Moments and answers left, along the mean or an edge of the band."""
    rate = business.forecast.rate
    if rate is None or business.forecast.verdict not in (Verdict.BEFORE_RESET, Verdict.LASTS):
        return []
    remaining, days = business.limit - business.used, (end - now) / timedelta(days=1)
    moments = [days * number / SAMPLES for number in range(SAMPLES + 1)]
    return [
        (now.timestamp() + 86_400 * ahead, max(remaining - expected_answers(rate, ahead, side), 0.0))
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
    return Mark(_text(plot.x(at.timestamp())), _text(plot.y(0)), 0, timezone.localdate(at))


def _day_marks(plot: Plot, begin: datetime, end: datetime) -> list[Mark]:
    first, last = timezone.localdate(begin) + timedelta(days=1), timezone.localdate(end)
    step = max(1, (last - first).days // 8)
    days = [first + timedelta(days=age) for age in range(0, (last - first).days + 1, step)]
    return [
        Mark(_text(plot.x(_midnight(day).timestamp())), "", 0, day, is_minor=number % 3 != 0)
        for number, day in enumerate(days)
        if begin <= _midnight(day) <= end
    ]


def _round_steps(highest: float) -> list[int]:
    """0, and up to four multiples of 1, 2 or 5 times a power of ten."""
    power = 1
    while True:
        for step in (power, 2 * power, 5 * power):
            if highest / step <= 4:
                return list(range(0, int(highest) + 1, step))
        power *= 10


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=timezone.get_default_timezone())


def _text(number: float) -> str:
    return f"{number:.1f}"
