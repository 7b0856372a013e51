"""Compare the measured figures with those the plan promises."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from waops.dev.benchmark.paths import BEFORE
from waops.dev.benchmark.plots import number

Result = dict[str, Any]

LABELS = {"before": "before", "indexes": "with the plan's indexes", "after": "with the functions"}
"""The names of the paths. Older results lack the second."""
NONE = "—"
SERVED_MS = 50.0
"""A crowd counts as served if nothing fails and 95 % of messages wait at most this long for the database."""


@dataclass(frozen=True)
class Line:
    """One row of the plan's table, formatted."""

    what: str
    before: str
    indexes: str
    after: str
    change: str
    promised: str


def plan_table(result: Result) -> list[Line]:
    """The closing promise, the plan's rows, then what it does not promise."""
    gain = result["gain"]
    figures, counted = gain["figures"], gain["statements"]
    delayed = "delayed_message_ms" in figures
    delay = f"with round trips of {number(figures['round_trip_ms']['after']['median'])} ms" if delayed else ""
    lines = [_measured("Response time of a message, ms", figures["message_ms"], "−80 %")]
    if delayed:
        lines.append(_measured(f"Response time, {delay}, ms", figures["delayed_message_ms"], "−80 %"))
    if means := mean_reads(result):
        lines.append(
            Line(
                "Mean time of the reads, ms: before and with the plan's indexes",
                number(means["before"]),
                number(means["indexes"]),
                NONE,
                percent(means["before"], means["indexes"]),
                "−80 %",
            )
        )
    lines += [
        Line(
            "Queries per message",
            count(counted["before"]),
            count(counted["indexes"]) if "indexes" in counted else NONE,
            count(counted["after"]),
            percent(counted["before"], counted["after"]),
            "−60 %",
        ),
        _measured("Connections busy at the same load", figures["busy"], "−64 %"),
        _measured("Messages per second", figures["messages_per_second"], "3×", times=True),
    ]
    if delayed:
        lines.append(
            _measured(f"Messages per second, {delay}", figures["delayed_messages_per_second"], "3×", times=True)
        )
    if "cpu_ms" in figures:
        lines.append(_measured("Database CPU per message, ms", figures["cpu_ms"], "−62 %"))
    if result.get("concurrency"):
        sizes = {path: served(result, path) for path in LABELS}
        lines.append(
            Line(
                f"Concurrent conversations within {SERVED_MS:g} ms (95 %), "
                + ("bisected" if "capacity" in result else "the largest of three sizes"),
                _capacity(result, "before"),
                _capacity(result, "indexes"),
                _capacity(result, "after"),
                ratio(sizes["before"], sizes["after"]),
                "3×",
            )
        )
    return [*lines, _measured("Write-ahead log per message, bytes", figures["wal_bytes"], NONE)]


def footnote(result: Result) -> str:
    """The plan's first row taken literally, which compares one long statement with many short ones."""
    figures, counted = result["gain"]["figures"], result["gain"]["statements"]
    means = figures["statement_ms"]
    text = (
        "Response time is the total time a message with its reply waits for the database. The plan promises a *mean "
        f"query time* of 20 ms instead of 100. That mean is {number(means['before']['median'])} ms before and "
        f"{number(means['after']['median'])} ms with the functions, which says little: {count(counted['after'])} "
        f"statements do the work of {count(counted['before'])}."
    )
    if "indexes" not in means:
        text += (
            " This result predates the comparison with the plan's indexes, and its count of "
            f"{count(counted['before'])} statements includes noise: the path sends {len(BEFORE.statements)}."
        )
    return text


def mean_reads(result: Result) -> dict[str, float]:
    """Milliseconds per read of the legacy path, by path; empty if a result lacks them."""
    return {
        path: sum(times["median"] for times in reads.values()) / len(reads)
        for path, reads in result["gain"].get("reads", {}).items()
    }


def is_served(crowd: Result) -> bool:
    return bool(crowd["answered"] and not crowd["errors"] and waited(crowd) <= SERVED_MS)


def waited(crowd: Result) -> float:
    """95 % of messages waited at most this many milliseconds. Older results exclude waiting for a connection."""
    return float(crowd["response_p95"] if "response_p95" in crowd else crowd["database_p95"])


def served(result: Result, path: str) -> int:
    """The largest crowd served, 0 if none."""
    if "capacity" in result:
        return int(result["capacity"][path]["served"])
    sizes = [crowd["conversations"] for crowd in result["concurrency"] if crowd["path"] == path and is_served(crowd)]
    return max(sizes, default=0)


def _capacity(result: Result, path: str) -> str:
    if path == "indexes" and "capacity" not in result:
        return NONE
    if "capacity" in result:
        found = result["capacity"][path]
        if not found["served"]:
            return f"< {found['failed']:,}"
        if found["failed"] is None:
            return f"≥ {found['served']:,}"
    return f"{served(result, path):,}"


def count(number: float) -> str:
    """A number of statements, formatted."""
    return f"{number:.1f}".removesuffix(".0")


def percent(before: float, after: float) -> str:
    if not before:
        return NONE
    change = round(100 * (after / before - 1))
    return f"{'−' if change < 0 else '+'}{abs(change)} %"


def ratio(before: float, after: float) -> str:
    return f"{after / before:.1f}×" if before else NONE


def spread(figure: dict[str, float]) -> str:
    """Median, lowest and highest."""
    return f"{number(figure['median'])} ({number(figure['least'])}–{number(figure['most'])})"


def _measured(what: str, figure: dict[str, dict[str, float]], promised: str, *, times: bool = False) -> Line:
    change: Callable[[float, float], str] = ratio if times else percent
    before, after = figure["before"], figure["after"]
    indexes = spread(figure["indexes"]) if "indexes" in figure else NONE
    return Line(what, spread(before), indexes, spread(after), change(before["median"], after["median"]), promised)
