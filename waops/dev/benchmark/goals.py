"""Compare what was reached with the goals."""

from dataclasses import dataclass

from waops.dev.benchmark.findings import SERVED_MS, Result, served


@dataclass(frozen=True)
class Goal:
    """A goal and what was reached; `because` explains a miss and is shown only then."""

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


def goals(result: Result) -> list[Goal]:
    """The goals for which something was measured."""
    gain = result["gain"]
    figures, counted, ceiling = gain["figures"], gain["statements"], result["limits"]
    speed = figures["messages_per_second"]
    found = [
        _saved("Response time of a message: share saved", figures["message_ms"]),
        Goal(
            "Messages per second, no delay: times the legacy path",
            _ratio(speed),
            3,
            True,
            "Without a network both paths do the same writes. The functions also maintain the plan's indexes, the "
            "unique message ids and the exact count, so they save only the overhead of statements and commits.",
        ),
        Goal(
            "Statements per message: times fewer",
            counted["before"] / counted["after"],
            3.5,
            True,
            "The number of statements of one of the paths has changed.",
        ),
        Goal(
            "Storing by the function: share of the rate of a bare INSERT",
            ceiling["function"]["median"] / ceiling["insert"]["median"],
            0.7,
            True,
            "The function also updates the conversation; a bare INSERT leaves that to a trigger.",
        ),
    ]
    if "delayed_messages_per_second" in figures:
        found += [
            _saved("Response time of a message, with the delay: share saved", figures["delayed_message_ms"]),
            Goal(
                "Messages per second, with the delay: times the legacy path",
                _ratio(figures["delayed_messages_per_second"]),
                3,
                True,
                "The delaying proxy shares the processors with the server and its clients.",
            ),
        ]
    if "capacity" in result:
        found.append(
            Goal(
                "Concurrent conversations served: times the legacy path",
                served(result, "after") / (served(result, "before") or result["capacity"]["before"]["failed"]),
                3,
                True,
                "The simulated customers, the pool and the server share the machine's processors.",
            )
        )
    found += _growth_goals(result)
    found += _page_goals(result)
    for crowd in result.get("concurrency", [])[-1:]:
        found += [
            Goal(
                f"{crowd['conversations']:,} conversations at once: errors",
                crowd["errors"],
                0,
                False,
                "A message waited longer for a connection than the pool allows.",
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
    found = [
        Goal(
            f"Storing in conversations of {state['messages']:,} messages that are being written to: times the plan's "
            "own function",
            state["ours"]["median"] / state["plan"]["median"],
            20,
            True,
            "Our call waits for the disk like any commit, which limits how much faster it can be; the plan's function "
            "counts the whole conversation, in parallel on all processors.",
        )
        for state in result.get("states", [])
        if state["state"] == "written"
    ]
    if lengths := result.get("lengths"):
        short, long = lengths[0], lengths[-1]
        if not found:  # a result from before the two states were distinguished
            found.append(
                Goal(
                    f"Storing in conversations of {long['messages']:,} messages, freshly vacuumed, one client: times "
                    "the plan's own function",
                    long["plan_store"] / long["ours_store"],
                    20,
                    True,
                    "The plan's function counts the whole conversation, here in the cheapest way, from the index.",
                )
            )
        found.append(
            Goal(
                f"Storing: time at {long['messages']:,} messages to time at {short['messages']:,}",
                long["ours_store"] / short["ours_store"],
                1.2,
                False,
                "The function does the same work at any length; what differs is how much of the indexes is in memory, "
                "and other load on the machine.",
            )
        )
    if tables := result.get("tables"):
        small, large = tables[0], tables[-1]
        found.append(
            Goal(
                f"Storing: time with {large['rows']:,} rows in the table to time with {small['rows']:,}",
                large["store"] / small["store"],
                1.3,
                False,
                "Larger indexes have more pages to read, and more full pages to log after each checkpoint.",
            )
        )
    return found


MOST_GROWTH = 1.5
GROWING = {
    "Needs attention": "reads every open escalation, and their number grows by the same factor",
    "AI quota": "compares all businesses, and counts the unanswered customers of each silent business on the page",
    "Reports": "reads every escalation that was opened or resolved in its 30 days",
}
"""Pages that are expected to grow, and why."""


def _page_goals(result: Result) -> list[Goal]:
    if not (pages := result.get("pages")):
        return []
    worst = max(pages, key=page_growth)
    small, large = sorted(map(int, worst["sizes"]))
    growing = sorted((page for page in pages if page_growth(page) > MOST_GROWTH), key=page_growth, reverse=True)
    within = [page_growth(page) for page in pages if page not in growing]
    because = "; ".join(
        f"“{page['page']}”, {page_growth(page):.2g} times, "
        + GROWING.get(page["page"], "has more to show or to select from")
        for page in growing
    )
    if within:
        because += f". The other {len(within)} pages grow at most {max(within):.2f} times"
    return [
        Goal(
            f"Pages: time at {large:,} messages to time at {small:,}, for the page that grows most ({worst['page']})",
            page_growth(worst),
            MOST_GROWTH,
            False,
            f"{because}.",
        )
    ]


def page_growth(page: Result) -> float:
    """Time at the larger size divided by the time at the smaller."""
    small, large = sorted(page["sizes"], key=int)
    return float(page["sizes"][large]["total_ms"] / page["sizes"][small]["total_ms"])


def _saved(what: str, figure: dict[str, dict[str, float]]) -> Goal:
    """The plan's closing promise."""
    return Goal(
        what,
        1 - figure["after"]["median"] / figure["before"]["median"],
        0.8,
        True,
        "A message and its reply are two commits, each of which waits for the disk.",
    )


def _ratio(figure: dict[str, dict[str, float]]) -> float:
    return figure["after"]["median"] / figure["before"]["median"]
