"""Draw SVG plots: lines over a logarithmic axis, and grouped bars."""

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 640, 320
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 40, 44
COLOURS = ("#b45309", "#0f766e", "#4338ca")
STYLE = """
    text { font: 12px system-ui, sans-serif; fill: #374151 }
    .small { font-size: 10px }
    .title { font-weight: 600; font-size: 14px }
    .axis { stroke: #9ca3af } .grid { stroke: #e5e7eb }
    .paper { fill: #ffffff }
    @media (prefers-color-scheme: dark) {
        text { fill: #d1d5db } .paper { fill: #111827 } .grid { stroke: #374151 }
    }
"""

Points = Sequence[tuple[float, float]]


def lines(title: str, across: str, up: str, series: Mapping[str, Points]) -> str:
    """One line per series, both axes logarithmic."""
    points = [point for values in series.values() for point in values if point[1] > 0]
    horizontal = _Scale([x for x, _ in points], LEFT, WIDTH - RIGHT)
    vertical = _Scale([y for _, y in points], HEIGHT - BOTTOM, TOP + 24)
    parts = [_frame(title, across, up)]
    parts += [_grid(vertical.place(value), number(value)) for value in vertical.ticks()]
    for value in dict.fromkeys(x for x, _ in points):
        x = horizontal.place(value)
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{number(value)}</text>')
    parts += _legends(list(series))
    for place, values in enumerate(series.values()):
        colour = COLOURS[place % len(COLOURS)]
        placed = [(horizontal.place(x), vertical.place(y)) for x, y in values if y > 0]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in placed]
    return _document(title, parts)


def bars(title: str, up: str, groups: Mapping[str, Mapping[str, float]]) -> str:
    """Groups of bars, one bar per name, from zero."""
    most = max(value for group in groups.values() for value in group.values()) or 1
    height = HEIGHT - BOTTOM - TOP - 40
    parts = [_frame(title, "", up)]
    room = (WIDTH - LEFT - RIGHT) / len(groups)
    names = list(dict.fromkeys(name for group in groups.values() for name in group))
    width = room * 0.7 / len(names)
    for index, (label, group) in enumerate(groups.items()):
        begin = LEFT + room * (index + 0.15)
        for place, (name, value) in enumerate(group.items()):
            tall, x = value / most * height, begin + width * place
            y = HEIGHT - BOTTOM - tall
            colour = COLOURS[names.index(name) % len(COLOURS)]
            parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width - 4:.1f}" height="{tall:.1f}" fill="{colour}"/>')
            parts.append(
                f'<text x="{x + width / 2 - 2:.1f}" y="{y - 5:.1f}" text-anchor="middle">{number(value)}</text>'
            )
        middle = begin + room * 0.35
        parts.append(f'<text x="{middle:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{escape(label)}</text>')
    parts += _legends(names)
    return _document(title, parts)


def rows_of_bars(title: str, along: str, groups: Mapping[str, Mapping[str, float]]) -> str:
    """Horizontal bars for many groups with long names; each group a row, one bar per name, from zero."""
    most = max(value for group in groups.values() for value in group.values()) or 1
    names = list(dict.fromkeys(name for group in groups.values() for name in group))
    thick = 9
    row = thick * len(names) + 8
    height = TOP + 24 + row * len(groups) + 12
    left, room = 190, WIDTH - 190 - 70
    parts = [_frame(title, "", along, height)]
    for index, (label, group) in enumerate(groups.items()):
        top = TOP + 20 + row * index
        parts.append(f'<text x="{left - 8}" y="{top + row / 2:.1f}" text-anchor="end">{escape(label)}</text>')
        for place, (name, value) in enumerate(group.items()):
            y, wide = top + thick * place, value / most * room
            colour = COLOURS[names.index(name) % len(COLOURS)]
            parts.append(f'<rect x="{left}" y="{y}" width="{wide:.1f}" height="{thick - 1}" fill="{colour}"/>')
            parts.append(f'<text class="small" x="{left + wide + 4:.1f}" y="{y + 8}">{number(value)}</text>')
    parts += _legends(names)
    return _document(title, parts, height)


def number(value: float) -> str:
    """Three significant digits."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


class _Scale:
    """Logarithmic, from pixel `begin` to pixel `end`."""

    def __init__(self, values: Iterable[float], begin: float, end: float) -> None:
        values = list(values)
        self.low, self.high = math.log10(min(values)), math.log10(max(values))
        if self.high - self.low < 1:  # a flat line is centred, not magnified
            middle = (self.high + self.low) / 2
            self.low, self.high = middle - 0.5, middle + 0.5
        self.begin, self.end = begin, end

    def place(self, value: float) -> float:
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return self.begin + (self.end - self.begin) * (0.05 + 0.9 * share)

    def ticks(self) -> list[float]:
        powers = range(math.floor(self.low), math.ceil(self.high) + 1)
        return [
            factor * 10.0**power
            for power in powers
            for factor in (1, 3)
            if self.low <= math.log10(factor * 10.0**power) <= self.high
        ]


def _frame(title: str, across: str, up: str, height: int | None = None) -> str:
    """With an axis below, unless a height says that the plot has none."""
    axis = f'<line class="axis" x1="{LEFT}" y1="{HEIGHT - BOTTOM}" x2="{WIDTH - RIGHT}" y2="{HEIGHT - BOTTOM}"/>'
    return (
        f'<rect class="paper" width="{WIDTH}" height="{height or HEIGHT}"/>'
        f'<text class="title" x="16" y="22">{escape(title)}</text>'
        f'<text x="16" y="{TOP + 2}">{escape(up)}</text>'
        f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 8}" text-anchor="end">{escape(across)}</text>'
    ) + ("" if height else axis)


def _grid(y: float, label: str) -> str:
    return (
        f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"/>'
        f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'
    )


def _legends(names: Sequence[str]) -> list[str]:
    """In a row that ends at the right edge."""
    parts: list[str] = []
    x = WIDTH - RIGHT
    for place, name in reversed(list(enumerate(names))):
        x -= 30 + 7 * len(name)
        parts.append(
            f'<rect x="{x}" y="{TOP - 8}" width="10" height="10" fill="{COLOURS[place % len(COLOURS)]}"/>'
            f'<text x="{x + 15}" y="{TOP + 2}">{escape(name)}</text>'
        )
    return parts


def _document(title: str, parts: list[str], height: int = HEIGHT) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
        f' role="img" aria-label="{escape(title)}">\n<style>{STYLE}</style>\n' + "\n".join(parts) + "\n</svg>\n"
    )
