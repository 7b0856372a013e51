"""What the figures say: the plan's table beside what was reached."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from waops.benchmark.plots import number

Result = dict[str, Any]

SERVED_MS = 50.0
"""A crowd is served if nothing fails and 95 of 100 messages take no longer in the database."""


@dataclass(frozen=True)
class Line:
    """One of the plan's table, as shown."""

    what: str
    before: str
    after: str
    change: str
    promised: str


def plan_table(result: Result) -> list[Line]:
    """The plan's rows, then what it does not promise."""
    gain = result["gain"]
    figures, counted = gain["figures"], gain["statements"]
    lines = [
        _measured("Mean time of a query, ms", figures["statement_ms"], "−80 %"),
        Line(
            "Queries per message",
            number(counted["before"]),
            number(counted["after"]),
            percent(counted["before"], counted["after"]),
            "−60 %",
        ),
        _measured("Connections busy at the same load", figures["busy"], "−64 %"),
        _measured("Messages per second", figures["messages_per_second"], "3×", times=True),
    ]
    if "cpu_ms" in figures:
        lines.append(_measured("Database CPU per message, ms", figures["cpu_ms"], "−62 %"))
    if result.get("concurrency"):
        before, after = served(result, "before"), served(result, "after")
        lines.append(
            Line(
                f"Concurrent conversations within {SERVED_MS:g} ms (95 %), of those tried",
                f"{before:,}",
                f"{after:,}",
                ratio(before, after),
                "3×",
            )
        )
    lines += [
        _measured("Time of a message in the database, ms", figures["message_ms"], "—"),
        _measured("Write-ahead log per message, bytes", figures["wal_bytes"], "—"),
    ]
    if "delayed_message_ms" in figures:
        delay = f"with round trips of {number(figures['round_trip_ms']['after']['median'])} ms"
        lines += [
            _measured(f"Messages per second, {delay}", figures["delayed_messages_per_second"], "3×", times=True),
            _measured(f"Mean time of a query, {delay}, ms", figures["delayed_statement_ms"], "−80 %"),
            _measured(f"Time of a message, {delay}, ms", figures["delayed_message_ms"], "—"),
        ]
    return lines


def served(result: Result, path: str) -> int:
    """The largest crowd served, 0 if none."""
    sizes = [
        crowd["conversations"]
        for crowd in result["concurrency"]
        if crowd["path"] == path and crowd["answered"] and not crowd["errors"] and crowd["database_p95"] <= SERVED_MS
    ]
    return max(sizes, default=0)


def percent(before: float, after: float) -> str:
    if not before:
        return "—"
    change = round(100 * (after / before - 1))
    return f"{'−' if change < 0 else '+'}{abs(change)} %"


def ratio(before: float, after: float) -> str:
    return f"{after / before:.1f}×" if before else "—"


def spread(figure: dict[str, float]) -> str:
    """Median, and least to most."""
    return f"{number(figure['median'])} ({number(figure['least'])}–{number(figure['most'])})"


def _measured(what: str, figure: dict[str, dict[str, float]], promised: str, *, times: bool = False) -> Line:
    change: Callable[[float, float], str] = ratio if times else percent
    before, after = figure["before"], figure["after"]
    return Line(what, spread(before), spread(after), change(before["median"], after["median"]), promised)
