"""Estimate how much of a table or B-tree is bloat, from the planner's statistics, without reading data.

The arithmetic follows the storage layout: a row has a header of 23 bytes (24 aligned) and a line pointer of 4, an index
entry a header of 8 and a pointer of 4; pages have 8 KB, of which a new B-tree fills 90 percent. Rows that TOAST stores
elsewhere make a table look fuller than it is. Accurate to about ten percent, and only after ANALYZE.
"""

import math
from collections import defaultdict
from collections.abc import Sequence

from django.db.backends.base.base import BaseDatabaseWrapper

PAGE = 8192
PAGE_HEADER = 24
ROW_OVERHEAD = 28
ENTRY_OVERHEAD = 12
BTREE_FILL = 0.9
LARGE_PAGES = 128
"""Below a megabyte an estimate means nothing."""
LARGEST = 50
"""Most tables estimated; reading the statistics of thousands takes too long."""

# By oid: to_regclass raises if this role may not use the schema, such as pg_cron's.
WIDTHS = """
    SELECT schemaname || '.' || tablename, attribute.attnum, (1 - null_frac) * avg_width
    FROM pg_catalog.pg_stats
    JOIN pg_catalog.pg_namespace AS namespace ON namespace.nspname = pg_stats.schemaname
    JOIN pg_catalog.pg_class AS relation
        ON relation.relnamespace = namespace.oid AND relation.relname = pg_stats.tablename
    JOIN pg_catalog.pg_attribute AS attribute
        ON attribute.attrelid = relation.oid AND attribute.attname = pg_stats.attname
    WHERE NOT inherited AND (schemaname, tablename) IN (
        SELECT * FROM ROWS FROM (pg_catalog.unnest(%s::name[]), pg_catalog.unnest(%s::name[])) AS wanted (schema, name)
    )
"""

Widths = dict[str, dict[int, float]]


def read_widths(connection: BaseDatabaseWrapper, tables: Sequence[tuple[str, str]]) -> Widths:
    """Mean bytes of a value, by qualified table and column number, for analyzed tables (schema, name)."""
    widths: Widths = defaultdict(dict)
    with connection.cursor() as cursor:
        cursor.execute(WIDTHS, [[schema for schema, _name in tables], [name for _schema, name in tables]])
        for table, column, width in cursor.fetchall():
            widths[table][column] = float(width)
    return widths


def table_bloat(rows: int, pages: int, widths: dict[int, float] | None) -> float | None:
    """The share of a table that is bloat, between 0 and 1; None if the statistics do not tell."""
    if not widths or pages < LARGE_PAGES or not rows:
        return None
    row = ROW_OVERHEAD + _aligned(sum(widths.values()))
    return _share(rows * row / (PAGE - PAGE_HEADER), pages)


def btree_bloat(rows: int, pages: int, columns: Sequence[int], widths: dict[int, float] | None) -> float | None:
    """As `table_bloat`; `columns` are the index's column numbers, 0 for an expression."""
    if not widths or pages < LARGE_PAGES or not rows or not all(column in widths for column in columns):
        return None
    entry = ENTRY_OVERHEAD + _aligned(sum(widths[column] for column in columns))
    return _share(rows * entry / ((PAGE - PAGE_HEADER) * BTREE_FILL), pages)


def _aligned(width: float) -> int:
    return 8 * math.ceil(width / 8)


def _share(needed_pages: float, pages: int) -> float:
    return max(0.0, 1 - needed_pages / pages)
