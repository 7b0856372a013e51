"""Check that each index of the plan exists, is valid and has the planned definition."""

from dataclasses import dataclass
from datetime import datetime

from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from waops.database.fetch import fetch
from waops.dbops.doctor.section import Section
from waops.dbops.figures import Column, Figures, Kind
from waops.dbops.findings import Finding, Severity
from waops.dbops.plan import MigrationKey, PlannedIndex, migrations_done, plan, wanted_index
from waops.schema.catalog import FoundRelation, find_relations, table_exists

# Sizes are read from files, which waits for a session that rebuilds the index, so such indexes are left out.
USE = """
    SELECT name, pg_catalog.pg_relation_size(index.indexrelid), pg_catalog.pg_stat_get_numscans(index.indexrelid),
           (SELECT stats_reset FROM pg_catalog.pg_stat_database WHERE datname = pg_catalog.current_database())
    FROM pg_catalog.unnest(%s::text[]) AS name
    JOIN pg_catalog.pg_index AS index ON index.indexrelid = pg_catalog.to_regclass(name)
    WHERE NOT EXISTS (
        SELECT FROM pg_catalog.pg_locks AS lock
        WHERE lock.relation IN (index.indexrelid, index.indrelid) AND lock.mode = 'AccessExclusiveLock'
    )
"""


@dataclass(frozen=True)
class Use:
    """`size` in bytes; `scans` since `counted_since` (None: never reset)."""

    index: str
    size: int
    scans: int
    counted_since: datetime | None


@dataclass(frozen=True)
class IndexState:
    name: str
    table: str
    state: str
    size: int | None
    scans: int | None
    counted_since: datetime | None
    definition: str | None


COLUMNS = (
    Column("name", gettext_lazy("index"), Kind.NAME),
    Column("table", gettext_lazy("table"), Kind.NAME),
    Column("state", gettext_lazy("state")),
    Column("size", gettext_lazy("size"), Kind.BYTES),
    Column("scans", gettext_lazy("scans"), Kind.COUNT),
    Column("counted_since", gettext_lazy("counted since"), Kind.TIME),
    Column("definition", gettext_lazy("definition"), Kind.SQL, wide=True),
)


def examine(connection: BaseDatabaseWrapper) -> Section:
    section = Section()
    done = migrations_done(connection)
    uses = {
        use.index: use for use in fetch(connection, Use, USE, [[index.statement.identity for index in plan().indexes]])
    }
    there = find_relations(connection, [index.statement.identity for index in plan().indexes])
    rows = []
    for index in plan().indexes:
        found = there.get(index.statement.identity)
        if found is None and not table_exists(connection, index.statement.qualified_table):
            continue  # A deployment without an optional table needs no index on it.
        finding = _judge(connection, index, found, done)
        use = uses.get(index.statement.identity)
        rows.append(
            IndexState(
                name=index.statement.name,
                table=index.statement.table,
                state=finding.what if finding else _("installed"),
                size=use.size if use else None,
                scans=use.scans if use else None,
                counted_since=use.counted_since if use else None,
                definition=found.definition if found else None,
            )
        )
        if finding:
            section.findings.append(finding)
    note = gettext_lazy("Where no time is given, counting began when the server was created.")
    section.figures.append(
        Figures("plan_indexes", gettext_lazy("Indexes of the plan"), COLUMNS, rows, note, folded=True)
    )
    return section


def _judge(
    connection: BaseDatabaseWrapper, index: PlannedIndex, found: FoundRelation | None, done: frozenset[MigrationKey]
) -> Finding | None:
    identity = index.statement.identity
    if found is None:
        return _missing(index, is_applied=index.migration in done)
    if found.table != index.statement.qualified_table:
        what = "INDEX" if found.table else "TABLE"  # works for every kind of relation
        return Finding(
            "index.name_taken",
            Severity.ERROR,
            identity,
            _("another object has this name: %(found)s") % {"found": found.definition},
            _("The plan's index does not exist; something else has its name."),
            (f"ALTER {what} {identity} RENAME TO {index.statement.name}_other;", f"{index.sql};"),
        )
    if not found.valid:
        return Finding(
            "index.invalid",
            Severity.ERROR,
            identity,
            _("invalid: its build was interrupted"),
            _("Every write maintains it but no query uses it."),
            ("manage.py repair invalid_indexes --apply",),
        )
    wanted = wanted_index(connection, index.statement)
    if wanted is not None and not wanted.is_defined_as(found):
        return Finding(
            "index.differs",
            Severity.WARNING,
            identity,
            _("has a different definition: %(found)s") % {"found": found.definition},
            _("The queries it was planned for might not use it."),
            (f"ALTER INDEX {identity} RENAME TO {index.statement.name}_other;", f"{index.sql};"),
        )
    return None


def _missing(index: PlannedIndex, *, is_applied: bool) -> Finding:
    if is_applied:
        what, fix = _("missing, although its migration has run"), (f"{index.sql};",)
    else:
        what, fix = _("not built yet"), (f"manage.py migrate {index.migration[0]}",)
    return Finding(
        "index.missing",
        Severity.WARNING,
        index.statement.identity,
        what,
        _("Queries on the message path read more rows than necessary.")
        if index.repair is None
        else _("Nothing prevents duplicates."),
        fix,
    )
