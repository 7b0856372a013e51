"""Choose the plots for a result."""

from waops.dev.benchmark.findings import LABELS, Result
from waops.dev.benchmark.plots import bars, lines, rows_of_bars

STATES = {"written": "while written to", "vacuumed": "freshly vacuumed"}


def plots(result: Result) -> dict[str, str]:
    """The plots of a result, by file name."""
    figures = result["gain"]["figures"]
    groups = {"no network": "messages_per_second", "with the delay": "delayed_messages_per_second"}
    drawn = {
        "benchmark-gain.svg": bars(
            "Messages, each with its reply, per second",
            "per second",
            {
                label: {LABELS[path]: value["median"] for path, value in figures[name].items()}
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
    if rows := result.get("states"):
        drawn["benchmark-states.svg"] = bars(
            f"Storing in conversations of {rows[0]['messages']:,} messages",
            "per second",
            {
                STATES[row["state"]]: {"the plan's": row["plan"]["median"], "ours": row["ours"]["median"]}
                for row in rows
            },
        )
    if rows := result.get("pages"):
        drawn["benchmark-pages.svg"] = rows_of_bars(
            "A page of the admin",
            "ms",
            {
                row["page"]: {f"{int(size):,} messages": figures["total_ms"] for size, figures in row["sizes"].items()}
                for row in rows
            },
        )
    if rows := result.get("concurrency"):
        drawn["benchmark-crowd.svg"] = lines(
            "Database time per message, 95th percentile",
            "conversations at once",
            "ms",
            {
                label: points
                for path, label in LABELS.items()
                if (points := [(row["conversations"], row["database_p95"]) for row in rows if row["path"] == path])
            },
        )
    return drawn
