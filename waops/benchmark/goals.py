"""What was to be reached, beside what was."""

from dataclasses import dataclass

from waops.benchmark.findings import SERVED_MS, Result


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
    found += _page_goals(result)
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
    found = [
        Goal(
            f"Storing in conversations of {state['messages']:,} messages, as they are while they are written to: times "
            "the plan's own function",
            state["ours"]["median"] / state["plan"]["median"],
            20,
            True,
            "Our call waits for the disk like any other commit, which bounds how many times faster it can be; the "
            "plan's counts the whole conversation, on as many processors as there are.",
        )
        for state in result.get("states", [])
        if state["state"] == "written"
    ]
    if lengths := result.get("lengths"):
        short, long = lengths[0], lengths[-1]
        if not found:  # a result of before the two states were told apart
            found.append(
                Goal(
                    f"Storing in conversations of {long['messages']:,} messages, freshly vacuumed, one client: times "
                    "the plan's own function",
                    long["plan_store"] / long["ours_store"],
                    20,
                    True,
                    "The plan's function counts the whole conversation, here at its cheapest: from the index alone.",
                )
            )
        found.append(
            Goal(
                f"Storing: time at {long['messages']:,} messages to time at {short['messages']:,}",
                long["ours_store"] / short["ours_store"],
                1.2,
                False,
                "The function does the same at any length; what differs is what of the indexes is in memory, and "
                "other work on the machine.",
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
                "Larger indexes have more pages to read, and more of them to log in whole after each checkpoint.",
            )
        )
    return found


MOST_GROWTH = 1.5
GROWING = {
    "Needs attention": "looks at every open case, of which there are as many times more",
    "AI quota": "compares all businesses, and counts whom each silent one of the page left without an answer",
    "The desk's numbers": "reads every case that was opened or resolved in the 30 days that it sums up",
}
"""Pages whose work is what there is, and why."""


def _page_goals(result: Result) -> list[Goal]:
    if not (pages := result.get("pages")):
        return []
    worst = max(pages, key=page_growth)
    small, large = sorted(map(int, worst["sizes"]))
    growing = sorted((page for page in pages if page_growth(page) > MOST_GROWTH), key=page_growth, reverse=True)
    within = [page_growth(page) for page in pages if page not in growing]
    because = "; ".join(
        f"“{page['page']}”, {page_growth(page):.2g} times, "
        + GROWING.get(page["page"], "has more to show, or to choose from")
        for page in growing
    )
    if within:
        because += f". The other {len(within)} pages grow at most {max(within):.2f} times"
    return [
        Goal(
            f"Pages at {large:,} messages: time to that at {small:,}, of the page that grows most ({worst['page']})",
            page_growth(worst),
            MOST_GROWTH,
            False,
            f"{because}.",
        )
    ]


def page_growth(page: Result) -> float:
    """Times as long at the larger size."""
    small, large = sorted(page["sizes"], key=int)
    return float(page["sizes"][large]["total_ms"] / page["sizes"][small]["total_ms"])


def _ratio(figure: dict[str, dict[str, float]]) -> float:
    return figure["after"]["median"] / figure["before"]["median"]
