"""Find impossible values in the service's tables: times out of range, NaN, negative counts, megabytes of
text.

Small tables are read in full. For large ones only the ends of indexes are read, because nothing here may scan them.
"""

from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext as _

from waops.database.fetch import fetch
from waops.database.live_schema import ForeignTable
from waops.dbops.doctor.section import Section
from waops.dbops.findings import Finding, Severity

SMALL = 32 * 1024 * 1024
"""Largest table, in bytes, that is read in full."""
LARGE_VALUE = 1_000_000
"""Bytes that a value takes in its table, compressed."""

TIME = "{0} NOT BETWEEN '2000-01-01' AND '2100-01-01'"
CONDITIONS = {
    "timestamptz": TIME,
    "timestamp": TIME,
    "date": TIME,
    "int2": "{0} < 0",
    "int4": "{0} < 0",
    "int8": "{0} < 0",
    "numeric": "{0} IN ('NaN', 'Infinity', '-Infinity')",
    "float4": "{0} IN ('NaN', 'Infinity', '-Infinity')",
    "float8": "{0} IN ('NaN', 'Infinity', '-Infinity')",
    **dict.fromkeys(("text", "varchar", "json", "jsonb", "_text"), f"pg_catalog.pg_column_size({{0}}) > {LARGE_VALUE}"),
}
"""By type, the condition for an impossible value."""

COLUMNS = """
    SELECT
        relation.relname::text, pg_catalog.quote_ident(attribute.attname), kind.typname::text,
        pg_catalog.pg_relation_size(relation.oid) <= %(small)s,
        EXISTS (
            SELECT FROM pg_catalog.pg_index AS index
            JOIN pg_catalog.pg_class AS index_class ON index_class.oid = index.indexrelid
            JOIN pg_catalog.pg_am AS method ON method.oid = index_class.relam
            WHERE index.indrelid = relation.oid AND index.indkey[0] = attribute.attnum
              AND method.amname = 'btree' AND index.indisvalid AND index.indpred IS NULL
        )
    FROM pg_catalog.pg_class AS relation
    JOIN pg_catalog.pg_attribute AS attribute ON attribute.attrelid = relation.oid
    JOIN pg_catalog.pg_type AS kind ON kind.oid = attribute.atttypid
    WHERE relation.relnamespace = 'public'::regnamespace AND relation.relkind IN ('r', 'p')
      AND relation.relname = ANY (%(tables)s) AND kind.typname = ANY (%(types)s)
      AND attribute.attnum > 0 AND NOT attribute.attisdropped
      AND pg_catalog.has_column_privilege(relation.oid, attribute.attnum, 'SELECT')
    ORDER BY relation.relname, attribute.attnum
"""


@dataclass(frozen=True)
class Column:
    table: str
    name: str
    kind: str
    is_small: bool
    is_indexed: bool

    @property
    def condition(self) -> str:
        return CONDITIONS[self.kind].format(self.name)

    @property
    def count(self) -> str:
        """SQL for the number of such rows or, for a large table, whether either end of the index has one."""
        if self.is_small:
            return f"pg_catalog.count(*) FILTER (WHERE {self.condition})"
        ends = [CONDITIONS[self.kind].format(f"pg_catalog.{end}({self.name})") for end in ("min", "max")]
        return " + ".join(f"coalesce(({end})::integer, 0)" for end in ends)


def examine(connection: BaseDatabaseWrapper) -> Section:
    """Check each table with one query. A column gets one finding, with a statement that shows its rows."""
    section = Section()
    tables: dict[str, list[Column]] = {}
    for column in _columns(connection):
        tables.setdefault(column.table, []).append(column)
    for table, columns in tables.items():
        query = f'SELECT {", ".join(column.count for column in columns)} FROM public."{table}"'  # noqa: S608
        for counts in fetch(connection, lambda *values: values, query):
            section.findings += [
                _finding(column, count) for column, count in zip(columns, counts, strict=True) if count
            ]
    return section


def _columns(connection: BaseDatabaseWrapper) -> list[Column]:
    names = [model._meta.db_table for model in apps.get_models() if issubclass(model, ForeignTable)]
    values: dict[str, Any] = {"small": SMALL, "tables": names, "types": list(CONDITIONS)}
    with connection.cursor() as cursor:
        cursor.execute(COLUMNS, values)
        columns = [Column(*row) for row in cursor.fetchall()]
    return [one for one in columns if one.is_small or (one.is_indexed and CONDITIONS[one.kind] == TIME)]


def _finding(column: Column, count: int) -> Finding:
    subject = f"public.{column.table}.{column.name}"
    what = (
        _("impossible values: %(count)s") % {"count": count}
        if column.is_small
        else _("impossible values at the ends of the index")
    )
    return Finding(
        "data.hostile_value",
        Severity.WARNING,
        subject,
        what,
        _("Pages show them unchanged and exclude them from waiting times, durations and forecasts."),
        (f'SELECT id, {column.name} FROM public."{column.table}" WHERE {column.condition} LIMIT 20;',),  # noqa: S608
    )
