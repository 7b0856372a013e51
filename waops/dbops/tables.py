"""Table sizes, maintenance and use."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.apps import apps
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from waops.database.live_schema import ForeignTable
from waops.dbops.bloat import LARGEST, read_widths, table_bloat
from waops.dbops.figures import Column, Figures, Kind
from waops.dbops.findings import Finding, Severity
from waops.dbops.relations import TableFacts, read_index_sizes, read_tables

ROWS = 200
DEAD_SHARE, DEAD_ROWS = 0.2, 10_000
"""With more dead rows than this, vacuum does not keep up."""


@dataclass(frozen=True)
class TableRow:
    """Sizes in bytes; shares between 0 and 1."""

    name: str
    rows: int
    size: int
    index_size: int
    dead_rows: int
    bloat: float | None
    from_memory: float | None
    by_index: float | None
    last_vacuum: datetime | None
    last_analyze: datetime | None


COLUMNS = (
    Column("name", gettext_lazy("table"), Kind.NAME),
    Column("rows", gettext_lazy("rows, estimated"), Kind.COUNT),
    Column("size", gettext_lazy("size"), Kind.BYTES),
    Column("index_size", gettext_lazy("indexes"), Kind.BYTES),
    Column("dead_rows", gettext_lazy("dead rows"), Kind.COUNT),
    Column("bloat", gettext_lazy("bloat, estimated"), Kind.PERCENT),
    Column("from_memory", gettext_lazy("from memory"), Kind.PERCENT),
    Column("by_index", gettext_lazy("read by index"), Kind.PERCENT),
    Column("last_vacuum", gettext_lazy("last vacuum"), Kind.TIME),
    Column("last_analyze", gettext_lazy("last analyze"), Kind.TIME),
)


@dataclass(frozen=True)
class TableReport:
    findings: list[Finding]
    figures: Figures


def service_tables() -> list[str]:
    """Qualified names of the service's tables that this app knows."""
    return sorted(f"public.{model._meta.db_table}" for model in apps.get_models() if issubclass(model, ForeignTable))


def report_tables(connection: BaseDatabaseWrapper, tables: Sequence[str] | None = None) -> TableReport:
    """Figures and findings about the largest tables. `tables`: qualified names to check; all if None."""
    facts = read_tables(connection, tables)
    index_sizes = read_index_sizes(connection, tables)
    widths = read_widths(connection, [(fact.schema, fact.name) for fact in facts[:LARGEST]])
    rows = [
        TableRow(
            name=fact.qualified,
            rows=fact.rows,
            size=fact.size,
            index_size=index_sizes.get(fact.qualified, 0),
            dead_rows=fact.dead_rows,
            bloat=table_bloat(fact.rows, fact.pages, widths.get(fact.qualified)),
            from_memory=_share(fact.blocks_hit, fact.blocks_read),
            by_index=_share(fact.index_scans, fact.sequential_scans),
            last_vacuum=fact.last_vacuum,
            last_analyze=fact.last_analyze,
        )
        for fact in facts[:ROWS]
    ]
    note = ""
    if len(facts) > ROWS:
        note = _("The largest %(shown)s of %(all)s.") % {"shown": ROWS, "all": len(facts)}
    figures = Figures("tables", gettext_lazy("Tables"), COLUMNS, rows, note)
    return TableReport([finding for fact in facts for finding in _judge(fact)], figures)


def _judge(fact: TableFacts) -> list[Finding]:
    findings = []
    name = f'"{fact.schema}"."{fact.name}"'
    if fact.dead_rows > DEAD_ROWS and fact.dead_rows > DEAD_SHARE * (fact.rows + fact.dead_rows):
        what = _("%(dead)s dead rows for %(rows)s live ones") % {"dead": fact.dead_rows, "rows": fact.rows}
        why = _("Queries have to skip them. An open transaction keeps vacuum from removing them.")
        findings.append(
            Finding("table.dead_rows", Severity.WARNING, fact.qualified, what, why, (f"VACUUM (ANALYZE) {name};",))
        )
    if fact.last_analyze is None and fact.inserted > DEAD_ROWS:
        what = _("never analyzed")
        why = _("The planner has to guess row counts and may choose a slow plan.")
        findings.append(
            Finding("table.never_analyzed", Severity.WARNING, fact.qualified, what, why, (f"ANALYZE {name};",))
        )
    return findings


def _share(part: int, rest: int) -> float | None:
    return part / (part + rest) if part + rest else None
