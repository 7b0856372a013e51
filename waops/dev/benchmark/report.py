"""Write the report: Markdown and plots. Every figure comes from the measured result."""

import json
from pathlib import Path

from waops.dev.benchmark.drawings import plots
from waops.dev.benchmark.findings import LABELS, Result, footnote, plan_table
from waops.dev.benchmark.goals import goals
from waops.dev.benchmark.plots import number
from waops.dev.benchmark.sections import (
    capacity,
    crowds,
    growth,
    index_costs,
    limits,
    machine,
    pages,
    reads,
    states,
    table,
)

IMAGES = "images"


def write(result: Result, path: Path) -> None:
    """Write the report to `path`, the result next to it, and the plots to `images`."""
    images = path.parent / IMAGES
    images.mkdir(parents=True, exist_ok=True)
    for name, svg in plots(result).items():
        (images / name).write_text(svg, encoding="utf-8")
    path.write_text(markdown(result), encoding="utf-8")
    path.with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def markdown(result: Result) -> str:
    sections = [
        "# What is gained",
        _introduction(result),
        _plan_table(result),
        footnote(result),
        f"![Messages per second]({IMAGES}/benchmark-gain.svg)",
        "## Goals",
        _goal_table(result),
        *(f"**Not reached: {goal.what}.** {goal.because}" for goal in goals(result) if not goal.is_met),
        *(["## The same reads", reads(result)] if "reads" in result["gain"] else []),
        "## How far from the ceiling",
        limits(result),
    ]
    if result.get("lengths"):
        sections += ["## Growth", growth(result, IMAGES)]
    if result.get("states"):
        sections += ["## Long conversations", states(result, IMAGES)]
    if result.get("pages"):
        sections += ["## Pages of the admin", pages(result, IMAGES)]
    if result.get("concurrency"):
        sections += ["## Many conversations at once", crowds(result, IMAGES)]
    if result.get("capacity"):
        sections += ["## Capacity", capacity(result)]
    if result.get("indexes"):
        sections += ["## What each index costs", index_costs(result)]
    sections += ["## Measured on", machine(result)]
    return "\n\n".join(sections) + "\n"


def _introduction(result: Result) -> str:
    gain, options = result["gain"], result["options"]
    return (
        "After this page you know what the database functions gain, and under which load. Run `manage.py benchmark` to "
        "get these figures for your own machine. A message is a customer's message with its reply, in a conversation "
        f"of {gain['kind']} messages. *Before* is the deployed path at its cheapest: separate queries, each in its own "
        "transaction, in tables without the plan's indexes. *With the plan's indexes* is the same path in tables with "
        "the plan's nine indexes and nothing else. *With the functions* is one call when the message arrives and one "
        "when its reply is ready, in tables with everything this app installs. All run in turns on the same data with "
        f"the same clients: medians of {options['rounds']} rounds of {options['seconds']} seconds, with the lowest and "
        "highest in parentheses. Times, load, CPU and write-ahead log are measured at the same pace, "
        f"{number(gain['calm_rate'])} messages per second, half of the legacy path's maximum; the server counts the "
        "statements."
    )


def _plan_table(result: Result) -> str:
    rows = [
        (line.what, line.before, line.indexes, line.after, line.change, line.promised) for line in plan_table(result)
    ]
    return table(("", *LABELS.values(), "change", "the plan"), rows)


def _goal_table(result: Result) -> str:
    rows = [
        (goal.what, number(goal.reached), goal.wanted, "reached" if goal.is_met else "**not reached**")
        for goal in goals(result)
    ]
    return table(("", "reached", "goal", ""), rows)
