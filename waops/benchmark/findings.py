"""What the figures say: the plan's table beside what was reached, and which goals are met."""

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


@dataclass(frozen=True)
class Goal:
    """`because`: what keeps us from it, said only where it is not reached."""

    what: str
    reached: float
    goal: float
    at_least: bool
    because: str

    @property
    def is_met(self) -> bool:
        return self.reached >= self.goal if self.at_least else self.reached <= self.goal

    @property
    def wanted(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.goal:g}"


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


def goals(result: Result) -> list[Goal]:
    """Those for which something was measured."""
    gain = result["gain"]
    figures, counted, ceiling = gain["figures"], gain["statements"], result["limits"]
    speed = figures["messages_per_second"]
    found = [
        Goal(
            "Messages per second, no delay: times the old path",
            _ratio(speed),
            3,
            True,
            "Without a network both paths do the same writes, and the new one also keeps the plan's indexes, "
            "the unique message ids and the exact count, which the old one does without: what is saved is the "
            "statements' own cost and the commits between them.",
        ),
        Goal(
            "Statements per message: times fewer",
            counted["before"] / counted["after"],
            3.5,
            True,
            "The paths themselves have changed.",
        ),
        Goal(
            "Storing by the function: share of the rate of a bare INSERT",
            ceiling["function"]["median"] / ceiling["insert"]["median"],
            0.7,
            True,
            "The function also updates the conversation, which a bare INSERT leaves to a trigger.",
        ),
    ]
    if "delayed_messages_per_second" in figures:
        found.append(
            Goal(
                "Messages per second, with the delay: times the old path",
                _ratio(figures["delayed_messages_per_second"]),
                3,
                True,
                "The proxy that delays runs on the same processors as the server and its clients.",
            )
        )
    found += _growth_goals(result)
    for crowd in result.get("concurrency", [])[-1:]:
        found += [
            Goal(
                f"{crowd['conversations']:,} conversations at once: errors",
                crowd["errors"],
                0,
                False,
                "A message waited longer for one of the connections than the pool lets it.",
            ),
            Goal(
                f"{crowd['conversations']:,} conversations at once: 95th percentile of database time, ms",
                crowd["database_p95"],
                SERVED_MS,
                False,
                "The simulated customers, the pool and the server share the machine's processors.",
            ),
        ]
    return found


def _growth_goals(result: Result) -> list[Goal]:
    found = []
    if lengths := result.get("lengths"):
        short, long = lengths[0], lengths[-1]
        found = [
            Goal(
                f"Storing in conversations of {long['messages']:,} messages: times the plan's own function",
                long["plan_store"] / long["ours_store"],
                20,
                True,
                "The plan's function counts the whole conversation, here at its cheapest: from the index alone, as "
                "the table was vacuumed just before. Our call waits for the disk like any other commit, which bounds "
                "how many times faster it can be.",
            ),
            Goal(
                f"Storing: time at {long['messages']:,} messages to time at {short['messages']:,}",
                long["ours_store"] / short["ours_store"],
                1.2,
                False,
                "The function does the same at any length; what differs is what of the indexes is in memory, and "
                "other work on the machine.",
            ),
        ]
    if tables := result.get("tables"):
        small, large = tables[0], tables[-1]
        found.append(
            Goal(
                f"Storing: time with {large['rows']:,} rows in the table to time with {small['rows']:,}",
                large["store"] / small["store"],
                1.3,
                False,
                "Larger indexes have more pages to read and to log.",
            )
        )
    return found


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


def _ratio(figure: dict[str, dict[str, float]]) -> float:
    return figure["after"]["median"] / figure["before"]["median"]
