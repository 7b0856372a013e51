"""The report's sections, each in Markdown with a table; `images` is the folder of the plots."""

from collections.abc import Iterable, Sequence

from waops.benchmark.drawings import STATES
from waops.benchmark.findings import Result, spread
from waops.benchmark.goals import page_growth
from waops.benchmark.plots import number


def limits(result: Result) -> str:
    insert, function = result["limits"]["insert"], result["limits"]["function"]
    rows = [
        ("bare INSERT of one row", number(insert["median"]), "1.00"),
        ("`store_message_with_update`", number(function["median"]), number(function["median"] / insert["median"])),
    ]
    return f"pgbench, {result['options']['clients']} clients, in turns, into the same table.\n\n" + table(
        ("", "per second", "share"), rows
    )


def growth(result: Result, images: str) -> str:
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
            table(("messages", "store, the plan's", "store, ours", "context, the plan's", "context, ours"), lengths),
            f"![Storing]({images}/benchmark-store.svg)",
            f"![Context]({images}/benchmark-context.svg)",
            "In tables of demo data; as many customers write in each, those who wrote last.",
            table(("rows in the table", "store, ours", "context, ours"), tables),
            f"![Tables]({images}/benchmark-tables.svg)",
        ]
    )


def states(result: Result, images: str) -> str:
    rows = [
        (
            STATES[row["state"]],
            spread(row["plan"]),
            spread(row["ours"]),
            f"{row['ours']['median'] / row['plan']['median']:.1f}×",
        )
        for row in result["states"]
    ]
    return "\n\n".join(
        [
            f"Calls of `store_message_with_update` per second in conversations of {result['states'][0]['messages']:,} "
            f"messages, {result['options']['clients']} clients, each conversation written to by one at a time. The "
            "plan's own function counts the conversation at each call. Rows written since the last vacuum it must look "
            "up in the table one by one; after a vacuum the index alone answers. Autovacuum comes when a fifth of the "
            "table is new: in a table of ten million rows, up to two million are not vacuumed yet. Only machines that "
            "answer each other write a conversation of this length, in days, and all of it is then among those. So "
            "the first line is production's, and the goal is judged by it.",
            table(("", "the plan's", "ours", "times"), rows),
            f"![Long conversations]({images}/benchmark-states.svg)",
        ]
    )


def pages(result: Result, images: str) -> str:
    small, large = sorted(result["pages"][0]["sizes"], key=int)
    rows = []
    for page in result["pages"]:
        a, b = page["sizes"][small], page["sizes"][large]
        rows.append(
            (
                page["page"],
                f"{a['queries']:.0f} / {b['queries']:.0f}",
                f"{number(a['database_ms'])} / {number(b['database_ms'])}",
                f"{number(a['render_ms'])} / {number(b['render_ms'])}",
                f"{number(a['total_ms'])} / {number(b['total_ms'])}",
                f"{a['bytes'] / 1000:,.0f} / {b['bytes'] / 1000:,.0f}",
                f"{page_growth(page):.2f}×",
            )
        )
    return "\n\n".join(
        [
            f"Each opened as an administrator, through the whole stack, with {int(small):,} messages and with "
            f"{int(large):,}, in turns; medians. Both have as many businesses and open cases as fill a page of a list. "
            "Nothing that the app keeps for a while is kept from one to the next. Milliseconds; the first number is "
            "that of the small database.",
            table(("", "queries", "at the database", "in Python", "together", "kB", "growth"), rows),
            f"![Pages]({images}/benchmark-pages.svg)",
        ]
    )


def crowds(result: Result, images: str) -> str:
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
            table(head, rows),
            f"![Crowds]({images}/benchmark-crowd.svg)",
        ]
    )


def index_costs(result: Result) -> str:
    costs = result["indexes"]
    ordered = sorted(costs["indexes"], key=lambda index: -index["microseconds"])
    rows = [
        (
            f"`{index['name']}`",
            "this app's" if index["installed_here"] else "the service's",
            number(index["microseconds"]),
            _share(index["microseconds"], costs["microseconds"]),
            number(index["wal_bytes"]),
            _share(index["wal_bytes"], costs["wal_bytes"]),
            f"{index['size_bytes'] / 1e6:,.1f}",
        )
        for index in ordered
    ]
    head = ("", "", "microseconds", "share", "bytes of log", "share", "MB")
    return (
        "What is saved when one index is left out, of the writes of a message with its reply "
        f"({number(costs['microseconds'])} microseconds, {number(costs['wal_bytes'])} bytes of write-ahead log), "
        "without waiting for the disk: medians of turns with it and without. An index whose share is near zero costs "
        "less than the measurement's own noise.\n\n" + table(head, rows)
    )


def machine(result: Result) -> str:
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
    if "seconds" in result:
        rows.append(("took", f"{result['seconds'] / 60:.0f} minutes"))
    return table(("", ""), rows)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """In Markdown; all columns but the first are numbers."""
    lines = [_row(head), _row(["---", *["---:"] * (len(head) - 1)] if len(head) > 2 else ["---"] * len(head))]
    return "\n".join(lines + [_row(row) for row in rows])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _share(part: float, whole: float) -> str:
    return f"{part / whole:.1%}"
