"""Compare two snapshots and the activity in the periods that led up to them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from waops.dbops.figures import Column, Figures, Kind
from waops.dbops.models import Snapshot

ROWS = 100
UNCHANGED = gettext_lazy("None: the sizes are the same.")


@dataclass(frozen=True)
class Activity:
    """What happened up to a snapshot: since the previous one or, if there is none or a counter went back
    (statistics were reset in between), since the reset. `seconds` is None if the start is unknown.
    """

    snapshot: Snapshot
    seconds: float | None
    statements: dict[str, dict[str, Any]]
    database: dict[str, Any]
    inserted: dict[str, int]
    """Rows by table."""


@dataclass(frozen=True)
class StatementChange:
    """Mean times in milliseconds; `change` is the relative difference: -0.8 is five times faster."""

    query: str
    mean_before: float | None
    mean_after: float | None
    change: float | None
    calls_before: int | None
    calls_after: int | None


@dataclass(frozen=True)
class SizeChange:
    name: str
    before: int | None
    after: int | None
    growth: int | None


@dataclass(frozen=True)
class IndexChange:
    name: str
    size_before: int | None
    size_after: int | None
    scans: int | None


@dataclass(frozen=True)
class Metric:
    """`before` and `after` are formatted, because units differ from row to row."""

    what: str
    before: str
    after: str


STATEMENT_COLUMNS = (
    Column("query", gettext_lazy("statement"), Kind.SQL),
    Column("mean_before", gettext_lazy("mean before, ms"), Kind.MILLISECONDS),
    Column("mean_after", gettext_lazy("mean after, ms"), Kind.MILLISECONDS),
    Column("change", gettext_lazy("change"), Kind.PERCENT),
    Column("calls_before", gettext_lazy("calls before"), Kind.COUNT),
    Column("calls_after", gettext_lazy("calls after"), Kind.COUNT),
)
SIZE_COLUMNS = (
    Column("name", gettext_lazy("table"), Kind.NAME),
    Column("before", gettext_lazy("before"), Kind.BYTES),
    Column("after", gettext_lazy("after"), Kind.BYTES),
    Column("growth", gettext_lazy("growth"), Kind.BYTES),
)
INDEX_COLUMNS = (
    Column("name", gettext_lazy("index"), Kind.NAME),
    Column("size_before", gettext_lazy("before"), Kind.BYTES),
    Column("size_after", gettext_lazy("after"), Kind.BYTES),
    Column("scans", gettext_lazy("scans between the two"), Kind.COUNT),
)
METRIC_COLUMNS = (
    Column("what", gettext_lazy("figure")),
    Column("before", gettext_lazy("before"), Kind.FIGURE),
    Column("after", gettext_lazy("after"), Kind.FIGURE),
)


def activity(snapshot: Snapshot) -> Activity:
    """The activity up to a snapshot. Reads the previous snapshot, if there is one."""
    previous = Snapshot.objects.filter(taken_at__lt=snapshot.taken_at).first()
    figures, earlier = snapshot.figures, previous.figures if previous else None
    if previous is None or earlier is None or _was_reset(earlier["database"], figures["database"]):
        begin = figures["database"]["reset_at"]
        seconds = snapshot.taken_at.timestamp() - begin if begin else None
        inserted = {name: row["inserted"] for name, row in figures["tables"].items()}
        return Activity(snapshot, seconds, figures["statements"], figures["database"], inserted)
    return Activity(
        snapshot,
        (snapshot.taken_at - previous.taken_at).total_seconds(),
        {
            key: _difference(row, earlier["statements"].get(key), ("calls", "total_ms", "rows"))
            for key, row in figures["statements"].items()
        },
        _difference(figures["database"], earlier["database"], COUNTERS),
        {
            name: max(0, row["inserted"] - earlier["tables"].get(name, {"inserted": 0})["inserted"])
            for name, row in figures["tables"].items()
        },
    )


COUNTERS = (
    "commits",
    "rollbacks",
    "blocks_hit",
    "blocks_read",
    "inserted",
    "updated",
    "deleted",
    "temp_bytes",
    "deadlocks",
    "wal_bytes",
    "checkpoints",
    "writes",
    "write_ms",
)


def compare(before: Snapshot, after: Snapshot) -> list[Figures]:
    """Statements by mean time, the database as a whole, tables and indexes by size."""
    first, second = activity(before), activity(after)
    return [
        Figures("database", gettext_lazy("The database"), METRIC_COLUMNS, _metrics(first, second)),
        Figures(
            "statements",
            gettext_lazy("Statements"),
            STATEMENT_COLUMNS,
            _statements(first, second),
            empty=gettext_lazy("None: pg_stat_statements counted nothing or could not be read."),
        ),
        Figures("tables", gettext_lazy("Tables that changed"), SIZE_COLUMNS, _tables(before, after), empty=UNCHANGED),
        Figures(
            "indexes",
            gettext_lazy("Indexes that changed or were used"),
            INDEX_COLUMNS,
            _indexes(before, after),
            empty=UNCHANGED,
        ),
    ]


def _was_reset(earlier: dict[str, Any], later: dict[str, Any]) -> bool:
    return bool(earlier["reset_at"] != later["reset_at"] or later["commits"] < earlier["commits"])


def _difference(later: dict[str, Any], earlier: dict[str, Any] | None, counters: tuple[str, ...]) -> dict[str, Any]:
    """`later` minus the counters of `earlier`; unchanged where a counter went back."""
    if earlier is None or any(_less(later.get(name), earlier.get(name)) for name in counters):
        return later
    return later | {
        name: later[name] - earlier[name]
        for name in counters
        if later.get(name) is not None and earlier.get(name) is not None
    }


def _less(one: float | None, other: float | None) -> bool:
    return one is not None and other is not None and one < other


def _statements(before: Activity, after: Activity) -> list[StatementChange]:
    rows = []
    for key in after.statements.keys() | before.statements.keys():
        old, new = before.statements.get(key), after.statements.get(key)
        mean_before, mean_after = _mean(old), _mean(new)
        if mean_before is None and mean_after is None:
            continue
        rows.append(
            StatementChange(
                (new or old or {})["query"],
                mean_before,
                mean_after,
                mean_after / mean_before - 1 if mean_before and mean_after is not None else None,
                old["calls"] if old else None,
                new["calls"] if new else None,
            )
        )
    rows.sort(key=lambda row: -max(_cost(row.mean_before, row.calls_before), _cost(row.mean_after, row.calls_after)))
    return rows[:ROWS]


def _mean(row: dict[str, Any] | None) -> float | None:
    return row["total_ms"] / row["calls"] if row and row["calls"] else None


def _cost(mean: float | None, calls: int | None) -> float:
    return (mean or 0) * (calls or 0)


def _metrics(before: Activity, after: Activity) -> list[Metric]:
    def row(what: str, figure: Callable[[Activity], str]) -> Metric:
        return Metric(what, figure(before), figure(after))

    return [
        row(_("commits per second"), lambda one: _rate(one, "commits")),
        row(_("rows written per second"), lambda one: _rate(one, "inserted", "updated", "deleted")),
        row(_("write-ahead log, KB per second"), lambda one: _rate(one, "wal_bytes", unit=1024)),
        row(_("one commit, ms"), lambda one: _number(one.snapshot.commit_ms)),
        row(_("one write to disk, ms"), lambda one: _ratio(one.database["write_ms"], one.database["writes"])),
        row(
            _("blocks read from memory"), lambda one: _percent(one.database["blocks_hit"], one.database["blocks_read"])
        ),
        row(_("temporary files, MB"), lambda one: _number(one.database["temp_bytes"] / 1024**2)),
        row(_("deadlocks"), lambda one: str(one.database["deadlocks"])),
        row(_("connections"), lambda one: str(one.database["connections"])),
        row(_("size, MB"), lambda one: _number(one.database["size"] / 1024**2)),
    ]


def _rate(one: Activity, *counters: str, unit: int = 1) -> str:
    values = [one.database[name] for name in counters]
    if not one.seconds or None in values:
        return "—"
    return _number(sum(values) / unit / one.seconds)


def _ratio(part: float | None, whole: int | None) -> str:
    return _number(part / whole) if part and whole else "—"


def _percent(part: int, rest: int) -> str:
    return f"{100 * part / (part + rest):.1f} %" if part + rest else "—"


def _number(value: float | None) -> str:
    return "—" if value is None else f"{value:,.2f}"


def _tables(before: Snapshot, after: Snapshot) -> list[SizeChange]:
    old, new = before.figures["tables"], after.figures["tables"]
    rows = []
    for name in old.keys() | new.keys():
        first, second = old.get(name, {}).get("size"), new.get(name, {}).get("size")
        if first != second:
            rows.append(SizeChange(name, first, second, (second or 0) - (first or 0)))
    return sorted(rows, key=lambda row: (-(row.after or 0), row.name))[:ROWS]


def _indexes(before: Snapshot, after: Snapshot) -> list[IndexChange]:
    old, new = before.figures["indexes"], after.figures["indexes"]
    rows = []
    for name in old.keys() | new.keys():
        first, second = old.get(name), new.get(name)
        scans = second["scans"] - (first["scans"] if first else 0) if second else None
        sizes = first and first["size"], second and second["size"]
        if scans or sizes[0] != sizes[1]:
            rows.append(IndexChange(name, *sizes, scans))
    return sorted(rows, key=lambda row: (-(row.size_after or 0), row.name))[:ROWS]
