"""Bar charts as whole coordinates in a drawing of WIDTH × HEIGHT, mirrored where reading goes right to left."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import get_language_bidi

WIDTH, HEIGHT = 720, 180
TOP, BOTTOM, SIDE = 18, 30, 72
"""Around the bars: the highest value's line, the labels below, the values beside."""
GAP = 0.25
"""Share of a place that stays empty."""


@dataclass(frozen=True)
class Bar:
    x: int
    y: int
    width: int
    height: int
    series: int


@dataclass(frozen=True)
class Label:
    """`is_minor` ones are left out where the drawing is small."""

    x: int
    text: str
    is_minor: bool


@dataclass(frozen=True)
class Line:
    """A line across, with its value at `x`."""

    y: int
    x: int
    value: int


@dataclass(frozen=True)
class Chart:
    bars: Sequence[Bar]
    labels: Sequence[Label]
    lines: Sequence[Line]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = 0
    right: int = WIDTH


def bar_chart(labels: Sequence[str], *series: Sequence[int], label_every: int = 1) -> Chart:
    """Bars of one or more series beside each other. All sequences are as long as `labels`."""
    mirrored: bool = get_language_bidi()
    floor, room = HEIGHT - BOTTOM, HEIGHT - BOTTOM - TOP
    top = _round_up(max((value for values in series for value in values), default=0))
    place = (WIDTH - SIDE) / max(len(labels), 1)
    width = max(int(place * (1 - GAP) / len(series)), 1)

    def across(x: float, size: float = 0) -> int:
        """From the start of reading."""
        return round(WIDTH - x - size if mirrored else x)

    bars = [
        Bar(
            x=across(SIDE + place * (column + GAP / 2) + width * number, width),
            y=floor - round(values[column] / top * room),
            width=width,
            height=round(values[column] / top * room),
            series=number,
        )
        for number, values in enumerate(series)
        for column in range(len(labels))
        if values[column]
    ]
    shown = [
        Label(across(SIDE + place * (column + 0.5)), text, is_minor=bool(column % (2 * label_every)))
        for column, text in enumerate(labels)
        if column % label_every == 0
    ]
    lines = [Line(floor - round(value / top * room), across(SIDE - 8), value) for value in sorted({0, top // 2, top})]
    return Chart(bars, shown, lines, left=0 if mirrored else SIDE, right=WIDTH - SIDE if mirrored else WIDTH)


def _round_up(value: int) -> int:
    """The next even 1, 2, 4, 6, 8 or 10 times a power of ten; at least 2."""
    magnitude: int = 10 ** max(len(str(value)) - 1, 0)
    for step in (1, 2, 4, 6, 8, 10):
        if value <= step * magnitude and step * magnitude >= 2:
            return step * magnitude
    raise AssertionError
