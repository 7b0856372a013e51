"""How much of a table or a B-tree is air: an estimate from the planner's statistics, which reads no data.

The arithmetic is that of the storage layout: a row has a header of 23 bytes (24 aligned) and a line pointer of 4, an
index entry a header of 8 and a pointer of 4; pages of 8 KB, of which a B-tree fills 90 percent when it is built. Rows
that TOAST stores elsewhere make a table look fuller than it is. Good to some ten percent, and only after ANALYZE.
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
"""Below a megabyte an estimate says nothing."""
LARGEST = 50
"""Tables that are estimated; statistics of thousands would take their time."""

WIDTHS = """
    SELECT schemaname || '.' || tablename, attribute.attnum, (1 - null_frac) * avg_width
    FROM pg_catalog.pg_stats
    JOIN pg_catalog.pg_attribute AS attribute
        ON attribute.attrelid = pg_catalog.to_regclass(pg_catalog.format('%%I.%%I', schemaname, tablename))
        AND attribute.attname = pg_stats.attname
    WHERE NOT inherited AND (schemaname, tablename) IN (
        SELECT * FROM ROWS FROM (pg_catalog.unnest(%s::name[]), pg_catalog.unnest(%s::name[])) AS wanted (schema, name)
    )
"""

Widths = dict[str, dict[int, float]]


def read_widths(connection: BaseDatabaseWrapper, tables: Sequence[tuple[str, str]]) -> Widths:
    """Mean bytes of a value, by qualified table and column number; of tables (schema, name) that were analyzed."""
    widths: Widths = defaultdict(dict)
    with connection.cursor() as cursor:
        cursor.execute(WIDTHS, [[schema for schema, _name in tables], [name for _schema, name in tables]])
        for table, column, width in cursor.fetchall():
            widths[table][column] = float(width)
    return widths


def table_bloat(rows: int, pages: int, widths: dict[int, float] | None) -> float | None:
    """Share between 0 and 1; None where the statistics do not tell."""
    if not widths or pages < LARGE_PAGES or not rows:
        return None
    row = ROW_OVERHEAD + _aligned(sum(widths.values()))
    return _share(rows * row / (PAGE - PAGE_HEADER), pages)


def btree_bloat(rows: int, pages: int, columns: Sequence[int], widths: dict[int, float] | None) -> float | None:
    """As `table_bloat`; `columns` are the numbers of the index's columns, of which an expression has none (0)."""
    if not widths or pages < LARGE_PAGES or not rows or not all(column in widths for column in columns):
        return None
    entry = ENTRY_OVERHEAD + _aligned(sum(widths[column] for column in columns))
    return _share(rows * entry / ((PAGE - PAGE_HEADER) * BTREE_FILL), pages)


def _aligned(width: float) -> int:
    return 8 * math.ceil(width / 8)


def _share(needed_pages: float, pages: int) -> float:
    return max(0.0, 1 - needed_pages / pages)
