"""The report: Markdown and its plots, from the result alone. No figure in it has another source."""

import json
import re
from pathlib import Path

from waops.benchmark.drawings import plots
from waops.benchmark.findings import Result, plan_table
from waops.benchmark.goals import goals
from waops.benchmark.plots import number
from waops.benchmark.sections import crowds, growth, index_costs, limits, machine, pages, states, table

IMAGES = "images"
LABEL = re.compile('aria-label="([^"]*)"')


def write(result: Result, path: Path) -> None:
    """The report at `path`, the result itself beside it, its plots in `images`."""
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
        f"![Messages per second]({IMAGES}/benchmark-gain.svg)",
        "## Goals",
        _goal_table(result),
        *(f"**Not reached: {goal.what}.** {goal.because}" for goal in goals(result) if not goal.is_met),
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
    if result.get("indexes"):
        sections += ["## What each index costs", index_costs(result)]
    sections += ["## Measured on", machine(result)]
    return "\n\n".join(sections) + "\n"


def summary(result: Result, images: str) -> str:
    """For the README: the plan's table, the goals, and the plots, which lie in the folder `images`."""
    drawn = [f"![{LABEL.findall(svg)[0]}]({images}/{name})" for name, svg in plots(result).items()]
    when = f"Measured {result['machine']['at'][:10]} on {result['machine']['processors']} processors."
    return "\n\n".join([_plan_table(result), _goal_table(result), "\n".join(drawn), when])


def _introduction(result: Result) -> str:
    gain, options = result["gain"], result["options"]
    return (
        "Written by `manage.py benchmark`; run it to have these figures of your own machine. A message is a customer's "
        f"message with its reply, in a conversation of {gain['kind']} messages. *Before* is the deployed path at its "
        "cheapest: its single queries, one after the other, each its own transaction, in tables without the plan. "
        "*After* is one call when the message arrives and one when its reply is ready, in tables with the plan and "
        "everything else this app installs. Both on the same data, by the same clients, in turns: medians of "
        f"{options['rounds']} rounds of {options['seconds']} seconds, and the least and the most in parentheses. "
        f"Times, load, CPU and write-ahead log are taken at the same pace, {number(gain['calm_rate'])} messages per "
        "second, half of what the old path can do; statements are counted by the server."
    )


def _plan_table(result: Result) -> str:
    rows = [(line.what, line.before, line.after, line.change, line.promised) for line in plan_table(result)]
    return table(("", "before", "after", "change", "the plan"), rows)


def _goal_table(result: Result) -> str:
    rows = [
        (goal.what, number(goal.reached), goal.wanted, "reached" if goal.is_met else "**not reached**")
        for goal in goals(result)
    ]
    return table(("", "reached", "goal", ""), rows)
