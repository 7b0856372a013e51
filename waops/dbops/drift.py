"""Compare the live tables with those this app was written for; the doctor checks our own objects.

The service's tables are never changed because of drift. An operator who knows that a difference is right accepts it
once, and it is no longer reported. A later difference is.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext as _

from waops.database.fetch import fetch, fetch_value
from waops.database.live_schema import ForeignTable
from waops.dbops.findings import Finding, Severity
from waops.dbops.models import AcceptedDrift

COLUMNS = """
    SELECT relation.relname::text, attribute.attname::text,
           pg_catalog.format_type(attribute.atttypid, attribute.atttypmod), attribute.attnotnull
    FROM pg_catalog.pg_class AS relation
    JOIN pg_catalog.pg_attribute AS attribute ON attribute.attrelid = relation.oid
    WHERE relation.relnamespace = pg_catalog.to_regnamespace('public') AND relation.relname = ANY (%s)
      AND attribute.attnum > 0 AND NOT attribute.attisdropped
    ORDER BY 1, attribute.attnum
"""
ENUMS = """
    SELECT type.typname::text, ARRAY(
        SELECT enumlabel::text FROM pg_catalog.pg_enum WHERE enumtypid = type.oid ORDER BY enumsortorder
    )
    FROM pg_catalog.pg_type AS type
    WHERE type.typnamespace = pg_catalog.to_regnamespace('public') AND type.typtype = 'e' AND type.typname = ANY (%s)
"""
CHECKS = """
    SELECT relation.relname::text || '.' || attribute.attname,
           pg_catalog.pg_get_constraintdef(constraint_.oid)
    FROM pg_catalog.pg_constraint AS constraint_
    JOIN pg_catalog.pg_class AS relation ON relation.oid = constraint_.conrelid
    JOIN pg_catalog.pg_attribute AS attribute
        ON attribute.attrelid = relation.oid AND attribute.attnum = constraint_.conkey[1]
    WHERE constraint_.contype = 'c' AND pg_catalog.cardinality(constraint_.conkey) = 1
      AND relation.relnamespace = pg_catalog.to_regnamespace('public')
      AND relation.relname::text || '.' || attribute.attname = ANY (%s)
"""


@dataclass(frozen=True)
class LiveColumn:
    table: str
    name: str
    type: str
    not_null: bool

    @property
    def definition(self) -> str:
        return f"{self.type} NOT NULL" if self.not_null else self.type


@dataclass(frozen=True)
class Difference:
    """`key` contains the difference and what was found, so another difference in the same column has another key."""

    key: str
    code: str
    severity: Severity
    subject: str
    what: str
    why: str

    def to_finding(self) -> Finding:
        fix = (f'manage.py doctor drift --accept "{self.key}"',)
        return Finding(self.code, self.severity, self.subject, self.what, self.why, fix, self.key)


@cache
def deployed() -> dict[str, Any]:
    """What was deployed when this version was written.

    `tables`: by name, `optional`, `columns` (name: "type [NOT NULL]") and `varying` (columns of some deployments only);
    `enums`: labels in order; `values`: by "table.column", the lists of values that a CHECK may allow.
    """
    text = Path(__file__).with_name("deployed_schema.json").read_text(encoding="utf-8")
    result: dict[str, Any] = json.loads(text)
    return result


def find_drift(connection: BaseDatabaseWrapper) -> list[Finding]:
    """Differences that no one has accepted. Reads only the catalog."""
    accepted = _accepted(connection)
    return [difference.to_finding() for difference in differences(connection) if difference.key not in accepted]


def differences(connection: BaseDatabaseWrapper) -> list[Difference]:
    """All differences, accepted or not."""
    return [*_tables(connection), *_enums(connection), *_checks(connection)]


def accept(connection: BaseDatabaseWrapper, key: str, by_name: str) -> AcceptedDrift:
    """Accept a difference. Raises LookupError for a key that is not a current difference."""
    if key not in {difference.key for difference in differences(connection)}:
        raise LookupError(key)
    accepted, _ = AcceptedDrift.objects.using(connection.alias).get_or_create(key=key, defaults={"by_name": by_name})
    return accepted


def _accepted(connection: BaseDatabaseWrapper) -> set[str]:
    table = AcceptedDrift._meta.db_table
    if not fetch_value(connection, "SELECT pg_catalog.to_regclass(%s) IS NOT NULL", [f"waops.{table}"]):
        return set()
    return set(AcceptedDrift.objects.using(connection.alias).values_list("key", flat=True))


def _tables(connection: BaseDatabaseWrapper) -> Iterator[Difference]:
    known = deployed()["tables"]
    live: dict[str, dict[str, LiveColumn]] = {}
    for column in fetch(connection, LiveColumn, COLUMNS, [list(known)]):
        live.setdefault(column.table, {})[column.name] = column
    mapped = _mapped_columns()
    for table, expected in known.items():
        if table in live:
            yield from _columns(table, expected, live[table], mapped.get(table, set()))
        elif not expected["optional"]:
            yield Difference(
                f"table.missing:{table}",
                "table.missing",
                Severity.ERROR,
                f"public.{table}",
                _("the table is missing"),
                _("Pages that show it are empty."),
            )


def _columns(
    table: str, expected: dict[str, Any], live: dict[str, LiveColumn], mapped: set[str]
) -> Iterator[Difference]:
    known: dict[str, str] = expected["columns"]
    for name, definition in known.items():
        if name not in live:
            is_shown = name in mapped
            yield Difference(
                f"column.missing:{table}.{name}",
                "column.missing",
                Severity.WARNING if is_shown else Severity.NOTE,
                f"public.{table}.{name}",
                _("the column is missing"),
                _("Pages do not show it, and functions that use it fail.")
                if is_shown
                else _("This app does not use it."),
            )
        elif (found := live[name].definition) != definition:
            yield _changed(table, name, definition, found)
    for name in live.keys() - known.keys() - expected.get("varying", {}).keys():
        yield Difference(
            f"column.extra:{table}.{name}",
            "column.extra",
            Severity.WARNING if live[name].not_null else Severity.NOTE,
            f"public.{table}.{name}",
            _("unknown column: %(definition)s") % {"definition": live[name].definition},
            _("This app neither shows nor writes it; without a default, inserts fail.")
            if live[name].not_null
            else _("This app does not show it."),
        )


def _changed(table: str, name: str, definition: str, found: str) -> Difference:
    same_type = definition.removesuffix(" NOT NULL") == found.removesuffix(" NOT NULL")
    code = "column.nullability" if same_type else "column.type"
    return Difference(
        f"{code}:{table}.{name}:{found}",
        code,
        Severity.WARNING,
        f"public.{table}.{name}",
        _("the column is %(found)s, expected %(expected)s") % {"found": found, "expected": definition},
        _("It may be empty unexpectedly, or inserts may fail.")
        if same_type
        else _("Values may be displayed wrongly, and functions that use it may fail."),
    )


def _enums(connection: BaseDatabaseWrapper) -> Iterator[Difference]:
    known: dict[str, list[str]] = deployed()["enums"]
    with connection.cursor() as cursor:
        cursor.execute(ENUMS, [list(known)])
        live = dict(cursor.fetchall())
    for name, labels in live.items():
        if labels != known[name]:
            yield _other_values("enum.values", f"public.{name}", name, labels, [known[name]])


def _checks(connection: BaseDatabaseWrapper) -> Iterator[Difference]:
    known: dict[str, list[list[str]]] = deployed()["values"]
    with connection.cursor() as cursor:
        cursor.execute(CHECKS, [list(known)])
        found = cursor.fetchall()
    for column, definition in found:
        values = sorted(re.findall(r"'([^']*)'", definition))
        if values and values not in known[column]:
            yield _other_values("check.values", f"public.{column}", column, values, known[column])
    tables = sorted({column.partition(".")[0] for column in known})
    present = {f"{column.table}.{column.name}" for column in fetch(connection, LiveColumn, COLUMNS, [tables])}
    for column in sorted(present & known.keys() - {column for column, _definition in found}):
        expected = " / ".join(", ".join(values) for values in known[column])
        yield Difference(
            f"check.missing:{column}",
            "check.missing",
            Severity.NOTE,
            f"public.{column}",
            _("no CHECK limits its values, expected %(expected)s") % {"expected": expected},
            _("It may contain values that this app has no label for."),
        )


def _other_values(
    code: str, subject: str, name: str, found: Iterable[str], expected: Iterable[Iterable[str]]
) -> Difference:
    return Difference(
        f"{code}:{name}:{','.join(found)}",
        code,
        Severity.WARNING,
        subject,
        _("allows %(found)s, expected %(expected)s")
        % {"found": ", ".join(found), "expected": " / ".join(", ".join(values) for values in expected)},
        _("New values have no filter or label, and writing an old one may be refused."),
    )


def _mapped_columns() -> dict[str, set[str]]:
    """Column names by table, as in the models."""
    return {
        model._meta.db_table: {str(field.column) for field in model._meta.concrete_fields}
        for model in apps.get_models()
        if issubclass(model, ForeignTable)
    }
