"""Find out what the database allows: tables, columns, unique indexes, escalation reasons, plan names."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
from psycopg import sql

from waops.dev.demo.errors import NotTheOwner, TablesMissing
from waops.dev.demo.tables import ESCALATIONS, MESSAGES, TABLES, Table

Connection = psycopg.Connection[tuple[object, ...]]

PLANS = ("Launch", "Scale", "Growth", "Authority")

_COLUMNS = """
    SELECT attribute.attname::text
    FROM pg_catalog.pg_attribute AS attribute
    WHERE attribute.attrelid = to_regclass(%s) AND attribute.attnum > 0 AND NOT attribute.attisdropped
"""
_UNIQUE = """
    SELECT EXISTS (
        SELECT FROM pg_catalog.pg_index AS index
        WHERE index.indrelid = %(table)s::regclass AND index.indisunique
          AND (index.indpred IS NOT NULL) = %(partial)s
          AND ARRAY(
              SELECT attribute.attname::text FROM pg_catalog.pg_attribute AS attribute
              WHERE attribute.attrelid = index.indrelid AND attribute.attnum = ANY (index.indkey)
              ORDER BY attribute.attname
          ) = %(columns)s
    )
"""
_REASON_CHECKS = """
    SELECT pg_get_expr(conbin, conrelid)
    FROM pg_catalog.pg_constraint
    WHERE conrelid = %(table)s::regclass AND contype = 'c' AND conkey = ARRAY[(
        SELECT attnum FROM pg_catalog.pg_attribute WHERE attrelid = %(table)s::regclass AND attname = 'reason'
    )]
"""
_TRIGGERS = """
    SELECT tgname::text FROM pg_catalog.pg_trigger
    WHERE tgrelid = %s::regclass AND NOT tgisinternal AND tgenabled = 'O'
    ORDER BY tgname
"""
_PLANS = """
    SELECT label.enumlabel::text FROM pg_catalog.pg_enum AS label
    JOIN pg_catalog.pg_attribute AS attribute ON attribute.atttypid = label.enumtypid
    WHERE attribute.attrelid = 'public.profiles'::regclass AND attribute.attname = 'plan_type'
    ORDER BY label.enumsortorder
"""


@dataclass(frozen=True, slots=True)
class Catalog:
    """What the database has and allows.

    `columns` maps each existing table to those of its demo columns that exist. `message_triggers` are the enabled
    triggers of the messages table.
    """

    columns: dict[Table, tuple[str, ...]]
    reasons: tuple[str, ...]
    refused_reasons: tuple[str, ...]
    plans: tuple[str, ...]
    duplicate_messages: bool
    two_open_escalations: bool
    message_triggers: tuple[str, ...]


def qualified(table: Table) -> str:
    return f"{table.schema}.{table.name}"


def _strings(connection: Connection, query: str, parameters: object = None) -> tuple[str, ...]:
    return tuple(str(value) for (value,) in connection.execute(query, parameters).fetchall())  # type: ignore[call-overload]


def _has_unique_index(connection: Connection, table: Table, columns: list[str], *, partial: bool) -> bool:
    parameters = {"table": qualified(table), "columns": sorted(columns), "partial": partial}
    row = connection.execute(_UNIQUE, parameters).fetchone()
    return bool(row and row[0])


def _accepted(connection: Connection, reasons: tuple[str, ...]) -> tuple[str, ...]:
    """Those of `reasons` that pass every CHECK on the column, by evaluating the constraints themselves."""
    checks = _strings(connection, _REASON_CHECKS, {"table": qualified(ESCALATIONS)})
    conditions = [sql.SQL("(({}) IS NOT FALSE)").format(sql.SQL(check)) for check in checks]
    query = sql.SQL(
        "SELECT reason FROM unnest(%s::text[]) WITH ORDINALITY AS t (reason, place) {} ORDER BY place"
    ).format(sql.SQL("WHERE {}").format(sql.SQL(" AND ").join(conditions)) if conditions else sql.SQL(""))
    return tuple(str(reason) for (reason,) in connection.execute(query, (list(reasons),)).fetchall())


def _check_owner(connection: Connection, table: Table) -> None:
    query = """
        SELECT current_user::text, pg_has_role(relowner, 'USAGE') FROM pg_catalog.pg_class WHERE oid = %s::regclass
    """
    row = connection.execute(query, (qualified(table),)).fetchone()
    if row is not None and not row[1]:
        raise NotTheOwner(str(row[0]), table.name)


def inspect(connection: Connection, reasons: tuple[str, ...]) -> Catalog:
    """Read the catalog.

    Args:
        connection: to the database that is to be filled.
        reasons: of escalations, that demo data would like to use.

    Raises:
        TablesMissing: a table that is not optional is absent.
        NotTheOwner: the connection's role could not pause the triggers of the messages table.
    """
    live = {table: _strings(connection, _COLUMNS, (qualified(table),)) for table in TABLES}
    missing = [table.name for table, columns in live.items() if not columns and not table.optional]
    if missing:
        raise TablesMissing(missing)
    _check_owner(connection, MESSAGES)
    accepted = _accepted(connection, reasons)
    return Catalog(
        columns={
            table: tuple(column for column in table.columns if column in columns)
            for table, columns in live.items()
            if columns
        },
        reasons=accepted,
        refused_reasons=tuple(reason for reason in reasons if reason not in accepted),
        plans=_strings(connection, _PLANS) or PLANS,
        duplicate_messages=not _has_unique_index(
            connection, MESSAGES, ["conversation_id", "message_id"], partial=False
        ),
        two_open_escalations=not _has_unique_index(
            connection, ESCALATIONS, ["instance_id", "whatsapp_number"], partial=True
        ),
        message_triggers=_strings(connection, _TRIGGERS, (qualified(MESSAGES),)),
    )
