"""Find unused, redundant and invalid indexes."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from waops.dbops.bloat import LARGEST, btree_bloat, read_widths
from waops.dbops.figures import Column, Figures, Kind
from waops.dbops.findings import Finding, Severity
from waops.dbops.plan import plan
from waops.dbops.relations import IndexFacts, read_definitions, read_indexes

UNUSED_BYTES = 1_000_000
"""Smaller indexes cost next to nothing."""
ROWS = 200


@dataclass(frozen=True)
class IndexRow:
    """`size` in bytes, `bloat` between 0 and 1."""

    name: str
    table: str
    size: int
    scans: int
    last_scan: datetime | None
    role: str
    bloat: float | None
    advice: str
    definition: str | None


COLUMNS = (
    Column("name", gettext_lazy("index"), Kind.NAME),
    Column("table", gettext_lazy("table"), Kind.NAME),
    Column("size", gettext_lazy("size"), Kind.BYTES),
    Column("scans", gettext_lazy("scans"), Kind.COUNT),
    Column("last_scan", gettext_lazy("last used"), Kind.TIME),
    Column("bloat", gettext_lazy("bloat, estimated"), Kind.PERCENT),
    Column("role", gettext_lazy("role")),
    Column("advice", gettext_lazy("advice")),
    Column("definition", gettext_lazy("definition"), Kind.SQL, wide=True),
)


@dataclass(frozen=True)
class IndexReport:
    findings: list[Finding]
    figures: Figures


def report_indexes(connection: BaseDatabaseWrapper, tables: Sequence[str] | None = None) -> IndexReport:
    """Figures and findings about indexes: the largest, and all with advice.

    `tables`: qualified names of those whose indexes are checked; all if None.
    """
    facts = read_indexes(connection, tables)
    findings = list(judge_indexes(facts))
    advice: dict[str, str] = {}
    for finding in findings:
        advice.setdefault(finding.subject, finding.what)
    largest = list(dict.fromkeys((fact.schema, fact.table) for fact in facts))[:LARGEST]
    widths = read_widths(connection, largest)
    shown = [fact for number, fact in enumerate(facts) if number < ROWS or fact.qualified in advice][: 2 * ROWS]
    definitions = read_definitions(connection, [fact.qualified for fact in shown])
    rows = [
        IndexRow(
            name=fact.qualified,
            table=fact.table,
            size=fact.size,
            scans=fact.scans,
            last_scan=fact.last_scan,
            role=_role(fact),
            bloat=btree_bloat(fact.rows, fact.pages, fact.key_columns, widths.get(fact.qualified_table))
            if fact.method == "btree"
            else None,
            advice=advice.get(fact.qualified, ""),
            definition=definitions.get(fact.qualified),
        )
        for fact in shown
    ]
    note = ""
    if len(facts) > len(rows):
        note = _("The largest %(shown)s of %(all)s.") % {"shown": len(rows), "all": len(facts)}
    return IndexReport(findings, Figures("indexes", gettext_lazy("Indexes"), COLUMNS, rows, note))


def judge_indexes(facts: Sequence[IndexFacts]) -> Iterator[Finding]:
    """Invalid, duplicate, overlapping and unused indexes; an index that backs a constraint is always kept."""
    by_table: dict[str, list[IndexFacts]] = defaultdict(list)
    for fact in facts:
        if fact.is_valid:
            by_table[fact.qualified_table].append(fact)
        else:
            yield Finding(
                "index.invalid",
                Severity.ERROR,
                fact.qualified,
                _("invalid: its build was interrupted"),
                _("Every write maintains it but no query uses it."),
                ("manage.py repair invalid_indexes --apply",),
            )
    planned = {index.statement.identity for index in plan().indexes}
    redundant: set[str] = set()
    for indexes in by_table.values():
        for finding in _redundant(indexes, planned):
            redundant.add(finding.subject)
            yield finding
    for fact in facts:
        if _is_unused(fact) and fact.qualified not in redundant and fact.qualified not in planned:
            what = _("never used since the statistics were reset")
            why = _("Every write maintains it. Before you drop it, check the replicas and wait for the end of a month.")
            yield Finding("index.unused", Severity.NOTE, fact.qualified, what, why, _drop(fact))


def _redundant(indexes: list[IndexFacts], planned: set[str]) -> Iterator[Finding]:
    """Of two redundant indexes, keep the one that backs a constraint, then the unique one, then the plan's,
    then the more used one.

    An index of the service that one of the plan makes redundant is not reported, because the service's own migrations
    know it.
    """
    ranked = sorted(
        indexes,
        key=lambda fact: (fact.constraint is None, not fact.is_unique, fact.qualified not in planned, -fact.scans),
    )
    gone: set[str] = set()
    for place, fact in enumerate(ranked):
        if fact.constraint is not None or fact.is_unique:
            continue
        twin = next((other for other in ranked[:place] if _same(fact, other) and other.qualified not in gone), None)
        if twin is not None and twin.qualified in planned and fact.qualified not in planned:
            continue
        if twin is not None:
            gone.add(fact.qualified)
            what = _("duplicates %(other)s") % {"other": twin.name}
            why = _("Every write maintains both, but queries use only one.")
            yield Finding("index.duplicate", Severity.WARNING, fact.qualified, what, why, _drop(fact))
            continue
        wider = next((other for other in ranked if _covers(other, fact) and other.qualified not in gone), None)
        if wider is not None and not {wider.qualified, fact.qualified} & planned:
            gone.add(fact.qualified)
            what = _("is a prefix of %(other)s, which can replace it") % {"other": wider.name}
            why = _("Every write maintains both. The narrower one is smaller and may be faster: measure first.")
            yield Finding("index.overlapping", Severity.NOTE, fact.qualified, what, why, _drop(fact))


def _same(one: IndexFacts, other: IndexFacts) -> bool:
    return one.shape == other.shape


def _covers(wider: IndexFacts, narrower: IndexFacts) -> bool:
    """Whether the wider B-tree begins with the narrower one's columns, over the same rows."""
    return (
        wider.method == narrower.method == "btree"
        and not (wider.expressions or narrower.expressions)
        and wider.predicate == narrower.predicate
        and len(wider.keys) > len(narrower.keys)
        and wider.keys[: len(narrower.keys)] == narrower.keys
    )


def _is_unused(fact: IndexFacts) -> bool:
    return (
        fact.is_valid
        and not fact.scans
        and not fact.is_unique
        and fact.constraint is None
        and fact.size >= UNUSED_BYTES
    )


def _drop(fact: IndexFacts) -> tuple[str, ...]:
    return (f'DROP INDEX CONCURRENTLY "{fact.schema}"."{fact.name}";',)


def _role(fact: IndexFacts) -> str:
    if fact.constraint is not None:
        return _("backs a constraint: keep")
    return _("unique") if fact.is_unique else _("used by queries")
