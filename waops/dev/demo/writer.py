"""Write rows with COPY, with the triggers on the messages table paused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from operator import itemgetter
from typing import NamedTuple

from psycopg import sql

from waops.dev.demo.catalog import Catalog, Connection
from waops.dev.demo.tables import MESSAGES, Row, Table, Value

Batch = dict[Table, list[Row]]


class EncodedRows(NamedTuple):
    """Some rows of one table in COPY's text format, in UTF-8."""

    number: int
    text: bytes


EncodedBatch = dict[Table, EncodedRows]


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


def encode_rows(table: Table, columns: Sequence[str], rows: Sequence[Row]) -> EncodedRows:
    """Only those values whose column is in `columns`."""
    if len(columns) < len(table.columns):
        pick = itemgetter(*(table.columns.index(column) for column in columns))
        rows = [pick(row) for row in rows]
    return EncodedRows(len(rows), "".join(["\t".join(map(encode, row)) + "\n" for row in rows]).encode())


def encode_batch(catalog: Catalog, batch: Batch) -> EncodedBatch:
    """The part of a batch for which this database has tables and columns."""
    return {table: encode_rows(table, columns, batch[table]) for table, columns in catalog.columns.items()}


def _identifier(table: Table) -> sql.Identifier:
    return sql.Identifier(table.schema, table.name)


def write(connection: Connection, catalog: Catalog, batch: EncodedBatch) -> None:
    """COPY one batch, referenced tables first."""
    for table, rows in batch.items():
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
            _identifier(table), sql.SQL(", ").join(map(sql.Identifier, catalog.columns[table]))
        )
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            copy.write(rows.text)


def _switch_triggers(connection: Connection, names: Iterable[str], action: str) -> None:
    for name in names:
        connection.execute(
            sql.SQL("ALTER TABLE {} {} TRIGGER {}").format(_identifier(MESSAGES), sql.SQL(action), sql.Identifier(name))
        )


@contextmanager
def paused_triggers(connection: Connection, names: Sequence[str]) -> Iterator[None]:
    """Disable these triggers on the messages table for the duration of the block. Use it inside a transaction.

    One of them sets a conversation's last activity to now() for every message, which is slow, and wrong for past
    messages.
    """
    _switch_triggers(connection, names, "DISABLE")
    yield
    _switch_triggers(connection, names, "ENABLE")


def analyze(connection: Connection, catalog: Catalog) -> None:
    """Update the planner's statistics, from which list pages also estimate row counts."""
    for table in catalog.columns:
        if table.schema == "public":
            connection.execute(sql.SQL("ANALYZE {}").format(_identifier(table)))
