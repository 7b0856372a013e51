"""Compute chart geometry: numbers become points in an SVG's view box. Templates draw it with a table below.

In right-to-left languages time runs from right to left, like the page. Points are text with decimal points in every
language; templates print them inside `{% localize off %}`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

WIDTH, HEIGHT = 720, 240
TOP, BOTTOM = 16, 28
"""Space above and below the plot, for marks and labels."""
START, END = 52, 16
"""Space before and after it in reading direction, for the labels of the scale and half a day label."""
SPARK_WIDTH, SPARK_HEIGHT = 96, 28


@dataclass(frozen=True)
class Mark:
    """A label at a position. `is_minor`: left out on narrow screens."""

    x: str
    y: str
    value: int
    day: date | None = None
    is_minor: bool = False


@dataclass(frozen=True)
class Bar:
    """`target`: the full height above the day, which is easier to click than a low bar."""

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
class SeriesBar:
    x: str
    y: str
    width: str
    height: str
    series: int


@dataclass(frozen=True)
class Label:
    """`is_minor`: left out on narrow screens."""

    x: str
    text: str
    is_minor: bool


@dataclass(frozen=True)
class SeriesChart:
    bars: list[SeriesBar]
    labels: list[Label]
    scale: list[Mark]
    width: int = WIDTH
    height: int = HEIGHT


class Plot:
    """Maps times between `first` and `last`, and values between 0 and `highest`, to positions."""

    def __init__(self, first: float, last: float, highest: float, *, rtl: bool) -> None:
        self.first, self.span = first, max(last - first, 1e-9)
        self.highest, self.rtl = max(highest, 1e-9), rtl

    def x(self, value: float) -> float:
        place = START + (WIDTH - START - END) * (value - self.first) / self.span
        return WIDTH - place if self.rtl else place

    def y(self, value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / self.highest

    def point(self, x: float, y: float) -> str:
        return f"{text(self.x(x))},{text(self.y(y))}"

    def scale(self) -> list[Mark]:
        x = text(WIDTH - START + 8 if self.rtl else START - 8)
        return [Mark(x, text(self.y(value)), value) for value in _round_steps(self.highest)]


def bars(values: Sequence[tuple[date | int, int]], *, rtl: bool) -> BarChart:
    """The bars of a chart: one per day, or per hour of the day."""
    plot = Plot(0, len(values), max((count for _, count in values), default=0), rtl=rtl)
    width = (WIDTH - START - END) / max(len(values), 1)
    drawn, marks = [], []
    step = max(1, len(values) // 8)
    for number, (key, count) in enumerate(values):
        middle, top = plot.x(number + 0.5), plot.y(count)
        day, hour = (key, None) if isinstance(key, date) else (None, key)
        drawn.append(
            Bar(
                text(middle - width * 0.4),
                text(top),
                text(width * 0.8),
                text(HEIGHT - BOTTOM - top),
                day,
                hour,
                count,
                text(middle - width / 2),
                text(width),
            )
        )
        if number % step == 0:
            marks.append(Mark(text(middle), "", hour or 0, day, is_minor=number % (3 * step) != 0))
    return BarChart(drawn, marks, plot.scale())


def series_bars(labels: Sequence[str], *series: Sequence[int], label_every: int = 1, rtl: bool) -> SeriesChart:
    """Bars of one or more series next to each other. All sequences are as long as `labels`."""
    plot = Plot(0, len(labels), max((value for values in series for value in values), default=0), rtl=rtl)
    width = 0.75 / len(series)
    drawn = []
    for number, values in enumerate(series):
        for column, value in enumerate(values):
            begin = column + 0.125 + width * number
            left, right = sorted((plot.x(begin), plot.x(begin + width)))
            if value:
                top = plot.y(value)
                drawn.append(SeriesBar(text(left), text(top), text(right - left), text(HEIGHT - BOTTOM - top), number))
    named = [
        Label(text(plot.x(column + 0.5)), label, is_minor=bool(column % (2 * label_every)))
        for column, label in enumerate(labels)
        if column % label_every == 0
    ]
    return SeriesChart(drawn, named, plot.scale())


def sparkline(values: Sequence[int], *, rtl: bool) -> str:
    """Points of a line in a box of SPARK_WIDTH by SPARK_HEIGHT."""
    highest, last = max(values, default=0) or 1, max(len(values) - 1, 1)
    return " ".join(
        f"{text((last - number if rtl else number) * SPARK_WIDTH / last)},"
        f"{text(SPARK_HEIGHT - 2 - (SPARK_HEIGHT - 4) * value / highest)}"
        for number, value in enumerate(values)
    )


def _round_steps(highest: float) -> list[int]:
    """0, and up to four multiples of 1, 2 or 5 times a power of ten."""
    power = 1
    while True:
        for step in (power, 2 * power, 5 * power):
            if highest / step <= 4:
                return list(range(0, int(highest) + 1, step))
        power *= 10


def text(number: float) -> str:
    """A number in the format of coordinates."""
    return f"{number:.1f}"
