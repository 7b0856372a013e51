"""Writing rows by COPY, with the messages table's triggers paused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from operator import itemgetter

from psycopg import sql

from waops.demo.catalog import Catalog, Connection
from waops.demo.tables import MESSAGES, TABLES, Row, Table, Value

Batch = dict[Table, list[Row]]

ROWS_PER_WRITE = 500


def encode(value: Value) -> str:
    """A value in COPY's text format."""
    if value is None:
        return "\\N"
    if isinstance(value, str):
        if "\\" in value:
            value = value.replace("\\", "\\\\")
        if "\n" in value:
            value = value.replace("\n", "\\n")
        if "\t" in value:
            value = value.replace("\t", "\\t")
        return value
    return str(value)


def _lines(rows: Sequence[Row]) -> Iterator[str]:
    for start in range(0, len(rows), ROWS_PER_WRITE):
        chunk = rows[start : start + ROWS_PER_WRITE]
        yield "".join(["\t".join(map(encode, row)) + "\n" for row in chunk])


def _identifier(table: Table) -> sql.Identifier:
    return sql.Identifier(table.schema, table.name)


def copy_rows(connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """COPY ``rows`` into ``table``, only those values whose column is in ``columns``."""
    if len(columns) < len(table.columns):
        pick = itemgetter(*(table.columns.index(column) for column in columns))
        rows = [pick(row) for row in rows]
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        _identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for block in _lines(rows):
            copy.write(block)


def write(connection: Connection, catalog: Catalog, batch: Batch) -> None:
    """Write one batch: every table of it that exists, referenced tables first."""
    for table in TABLES:
        rows = batch.get(table)
        columns = catalog.columns.get(table)
        if rows and columns:
            copy_rows(connection, table, columns, rows)


def _switch_triggers(connection: Connection, names: Iterable[str], action: str) -> None:
    for name in names:
        connection.execute(
            sql.SQL("ALTER TABLE {} {} TRIGGER {}").format(_identifier(MESSAGES), sql.SQL(action), sql.Identifier(name))  # type: ignore[arg-type]
        )


@contextmanager
def paused_triggers(connection: Connection, names: Sequence[str]) -> Iterator[None]:
    """Disable these triggers of the messages table meanwhile. Use inside a transaction, which ends both ways.

    One of them sets a conversation's last activity to now(), for every message: slow, and wrong for the past.
    """
    _switch_triggers(connection, names, "DISABLE")
    yield
    _switch_triggers(connection, names, "ENABLE")


def analyze(connection: Connection, catalog: Catalog) -> None:
    """Refresh the planner's statistics, which the list pages' estimated counts read too."""
    for table in catalog.columns:
        if table.schema == "public":
            connection.execute(sql.SQL("ANALYZE {}").format(_identifier(table)))
