"""Render the sections of the report in Markdown, each with a table; `images` is the folder of the plots."""

from collections.abc import Iterable, Sequence

from waops.dev.benchmark.drawings import STATES
from waops.dev.benchmark.findings import LABELS, NONE, SERVED_MS, Result, mean_reads, percent, spread
from waops.dev.benchmark.goals import page_growth
from waops.dev.benchmark.plots import number


def limits(result: Result) -> str:
    insert, function = result["limits"]["insert"], result["limits"]["function"]
    rows = [
        ("bare INSERT of one row", number(insert["median"]), "1.00"),
        ("`store_message_with_update`", number(function["median"]), number(function["median"] / insert["median"])),
    ]
    return f"pgbench, {result['options']['clients']} clients, in turns, into the same table.\n\n" + table(
        ("", "per second", "share"), rows
    )


def reads(result: Result) -> str:
    """The section on the reads, without and with the plan's indexes."""
    before, indexed = (result["gain"]["reads"][path] for path in ("before", "indexes"))
    rows: list[tuple[str, ...]] = [
        (
            what,
            number(before[what]["median"]),
            number(indexed[what]["median"]),
            percent(before[what]["median"], indexed[what]["median"]),
        )
        for what in before
    ]
    means = mean_reads(result)
    rows.append(("mean", *map(number, means.values()), percent(means["before"], means["indexes"])))
    return (
        "The reads of a message with its reply, in the two databases, at the same pace: median milliseconds per read. "
        "The databases differ only in the plan's nine indexes.\n\n"
        + table(("", *list(LABELS.values())[:2], "change"), rows)
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
            "One client, median milliseconds per call. "
            + (
                "The plan's functions run in a database with the plan's indexes."
                if "reads" in result["gain"]
                else "The plan's functions ran in a database without the plan's indexes: most of the time to read the "
                "context is due to the missing index."
            ),
            table(("messages", "store, the plan's", "store, ours", "context, the plan's", "context, ours"), lengths),
            f"![Storing]({images}/benchmark-store.svg)",
            f"![Context]({images}/benchmark-context.svg)",
            "In tables of demo data; the same number of customers write in each, those who wrote last.",
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
            f"messages, {result['options']['clients']} clients, one writer per conversation at a time. The plan's own "
            "function counts the conversation at each call. It must look up rows written since the last vacuum in the "
            "table one by one; after a vacuum the index is enough. Autovacuum runs when a fifth of the table is new: "
            "in a table of ten million rows, up to two million are not vacuumed yet. A conversation of this length "
            "takes two machines that answer each other a few days, so all of it is among those rows. The first line "
            "is therefore the state in production, and the goal is judged by it.",
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
            f"Each page is opened as an administrator, through the whole stack, with {int(small):,} messages and with "
            f"{int(large):,}, in turns; medians in milliseconds, small database first. Both have enough businesses and "
            "open escalations to fill a page of a list. The app's caches are emptied before each page.",
            table(("", "queries", "in the database", "in Python", "total", "kB", "growth"), rows),
            f"![Pages]({images}/benchmark-pages.svg)",
        ]
    )


def crowds(result: Result, images: str) -> str:
    rows = [
        (
            f"{row['conversations']:,}",
            LABELS[row["path"]],
            f"{row['answered']:,}",
            f"{row['errors']:,}",
            number(row["database_p50"]),
            number(row["database_p95"]),
            number(row["database_p99"]),
            number(row["wait_p95"]),
            *([number(row["response_p95"])] if "response_p95" in row else []),
            f"{row['harness_cpu']:.0%}",
        )
        for row in result["concurrency"]
    ]
    together = ["total p95"] if "response_p95" in result["concurrency"][0] else []
    head = ("conversations", "", "answered", "errors", "p50", "p95", "p99", "waiting p95", *together, "simulation")
    return "\n\n".join(
        [
            "Over a pool of 10 connections; a customer writes once a minute on average and the AI takes some seconds. "
            "Milliseconds in the database per message and reply, milliseconds waiting for a connection, and the share "
            "of one processor that the simulation used on the same machine.",
            table(head, rows),
            f"![Crowds]({images}/benchmark-crowd.svg)",
        ]
    )


def capacity(result: Result) -> str:
    rows = []
    for path, found in result["capacity"].items():
        most = next((one for one in found["tried"] if one["conversations"] == found["served"]), None)
        rows.append(
            (
                LABELS[path],
                f"{found['served']:,}",
                number(most["response_p95"]) if most else NONE,
                f"{most['harness_cpu']:.0%}" if most else NONE,
                f"{found['failed']:,}" if found["failed"] else NONE,
            )
        )
    head = ("", "served", "total p95", "simulation", "not served")
    return (
        f"The largest number of conversations where 95 % of messages wait at most {SERVED_MS:g} ms for the database "
        "and a connection to it, without errors, and the smallest number that failed; found by bisection.\n\n"
        + table(head, rows)
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
        "What leaving out one index saves, of the writes of a message with its reply "
        f"({number(costs['microseconds'])} microseconds, {number(costs['wal_bytes'])} bytes of write-ahead log), "
        "without waiting for the disk: medians of turns with and without it. An index with a share near zero costs "
        "less than the measurement's noise.\n\n" + table(head, rows)
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
    """A table in Markdown; all columns but the first are numbers."""
    lines = [_row(head), _row(["---", *["---:"] * (len(head) - 1)] if len(head) > 2 else ["---"] * len(head))]
    return "\n".join(lines + [_row(row) for row in rows])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _share(part: float, whole: float) -> str:
    return f"{part / whole:.1%}"
