"""The report: Markdown and its plots, from the result alone. No figure in it has another source."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from waops.benchmark.findings import Result, goals, plan_table
from waops.benchmark.plots import bars, lines, number

IMAGES = "images"


def write(result: Result, path: Path) -> None:
    """The report at `path`, its plots in `images` beside it."""
    images = path.parent / IMAGES
    images.mkdir(parents=True, exist_ok=True)
    for name, svg in plots(result).items():
        (images / name).write_text(svg, encoding="utf-8")
    path.write_text(markdown(result), encoding="utf-8")


def markdown(result: Result) -> str:
    sections = [
        "# What is gained",
        _introduction(result),
        _table(("", "before", "after", "change", "the plan"), _plan_rows(result)),
        f"![Messages per second]({IMAGES}/benchmark-gain.svg)",
        "## Goals",
        _table(("", "reached", "goal", ""), _goal_rows(result)),
        *(f"**Not reached: {goal.what}.** {goal.because}" for goal in goals(result) if not goal.is_met),
        "## How far from the ceiling",
        _limits(result),
    ]
    if result.get("lengths"):
        sections += ["## Growth", _growth(result)]
    if result.get("concurrency"):
        sections += ["## Many conversations at once", _crowds(result)]
    sections += ["## Measured on", _machine(result)]
    return "\n\n".join(sections) + "\n"


def plots(result: Result) -> dict[str, str]:
    """By file name."""
    figures = result["gain"]["figures"]
    groups = {"no network": "messages_per_second", "with the delay": "delayed_messages_per_second"}
    drawn = {
        "benchmark-gain.svg": bars(
            "Messages, each with its reply, per second",
            "per second",
            {
                label: {path: value["median"] for path, value in figures[name].items()}
                for label, name in groups.items()
                if name in figures
            },
        )
    }
    if rows := result.get("lengths"):
        for call, title in (("store", "Storing a message"), ("context", "Reading the context")):
            drawn[f"benchmark-{call}.svg"] = lines(
                title,
                "messages of the conversation",
                "ms",
                {
                    "the plan's": [(row["messages"], row[f"plan_{call}"]) for row in rows],
                    "ours": [(row["messages"], row[f"ours_{call}"]) for row in rows],
                },
            )
    if rows := result.get("tables"):
        drawn["benchmark-tables.svg"] = lines(
            "One call as the table grows",
            "rows",
            "ms",
            {
                name: [(row["rows"], row[call]) for row in rows]
                for name, call in (("store", "store"), ("read", "context"))
            },
        )
    if rows := result.get("concurrency"):
        drawn["benchmark-crowd.svg"] = lines(
            "Database time per message, 95th percentile",
            "conversations at once",
            "ms",
            {
                path: [(row["conversations"], row["database_p95"]) for row in rows if row["path"] == path]
                for path in ("before", "after")
            },
        )
    return drawn


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


def _plan_rows(result: Result) -> list[tuple[str, ...]]:
    return [(line.what, line.before, line.after, line.change, line.promised) for line in plan_table(result)]


def _goal_rows(result: Result) -> list[tuple[str, ...]]:
    return [
        (goal.what, number(goal.reached), goal.wanted, "reached" if goal.is_met else "**not reached**")
        for goal in goals(result)
    ]


def _limits(result: Result) -> str:
    insert, function = result["limits"]["insert"], result["limits"]["function"]
    rows = [
        ("bare INSERT of one row", number(insert["median"]), "1.00"),
        (
            "`store_message_with_update`",
            number(function["median"]),
            number(function["median"] / insert["median"]),
        ),
    ]
    return f"pgbench, {result['options']['clients']} clients, in turns, into the same table.\n\n" + _table(
        ("", "per second", "share"), rows
    )


def _growth(result: Result) -> str:
    lengths = [
        tuple(
            [f"{row['messages']:,}"]
            + [number(row[f"{who}_{call}"]) for call in ("store", "context") for who in ("plan", "ours")]
        )
        for row in result["lengths"]
    ]
    tables = [(f"{row['rows']:,}", number(row["store"]), number(row["context"])) for row in result["tables"]]
    return "\n\n".join(
        [
            "One client, milliseconds of one call, medians.",
            _table(("messages", "store, the plan's", "store, ours", "context, the plan's", "context, ours"), lengths),
            f"![Storing]({IMAGES}/benchmark-store.svg)",
            f"![Context]({IMAGES}/benchmark-context.svg)",
            _table(("rows in the table", "store, ours", "context, ours"), tables),
            f"![Tables]({IMAGES}/benchmark-tables.svg)",
        ]
    )


def _crowds(result: Result) -> str:
    rows = [
        (
            f"{row['conversations']:,}",
            row["path"],
            f"{row['answered']:,}",
            f"{row['errors']:,}",
            number(row["database_p50"]),
            number(row["database_p95"]),
            number(row["database_p99"]),
            number(row["wait_p95"]),
            f"{row['harness_cpu']:.0%}",
        )
        for row in result["concurrency"]
    ]
    head = ("conversations", "", "answered", "errors", "p50", "p95", "p99", "waiting p95", "simulation")
    return "\n\n".join(
        [
            "Over a pool of 10 connections; a customer writes once a minute on average and the AI thinks some seconds. "
            "Milliseconds in the database per message and reply; waiting for a connection; and how much of one "
            "processor the simulation itself took, beside the server on the same machine.",
            _table(head, rows),
            f"![Crowds]({IMAGES}/benchmark-crowd.svg)",
        ]
    )


def _machine(result: Result) -> str:
    machine, options = result["machine"], result["options"]
    rows = [
        ("when", machine["at"]),
        ("processor", f"{machine['processors']} × {machine['processor']}"),
        ("memory", f"{machine['memory_bytes'] / 2**30:.0f} GB"),
        ("load before", number(machine["load_average"])),
        ("system", machine["system"]),
        (
            "versions",
            f"{machine['postgres']}, Python {machine['python']}, Django {machine['django']}, "
            f"psycopg {machine['psycopg']}",
        ),
        ("server", ", ".join(f"{name} {value}" for name, value in machine["settings"].items())),
        ("benchmark", ", ".join(f"{name} {value}" for name, value in options.items())),
        (
            "data",
            "; ".join(f"{kind['conversations']:,} × {kind['messages']:,} messages" for kind in result["kinds"]),
        ),
    ]
    return _table(("", ""), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [_row(head), _row(["---", *["---:"] * (len(head) - 1)] if len(head) > 2 else ["---"] * len(head))]
    return "\n".join(lines + [_row(row) for row in rows])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
