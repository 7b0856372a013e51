"""What must be in our schema, read from the models of the finished migrations and their SQL files."""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from waops.dbops.plan import MigrationKey, all_migrations, plan
from waops.schema.statements import split

CREATE_TABLE = re.compile(
    rf"CREATE\s+TABLE\s+({settings.APP_SCHEMA}\.\w+)\s*\((.*)\)[^()]*(?:\([^()]*\))?", re.IGNORECASE | re.DOTALL
)
CREATE_SEQUENCE = re.compile(rf"CREATE\s+SEQUENCE\s+({settings.APP_SCHEMA}\.\w+)", re.IGNORECASE)
GRANT = re.compile(
    rf"\bGRANT\s+(?P<privileges>[\w\s,]+?)\s+ON\s+(?:(?P<kind>SCHEMA|SEQUENCE|TABLE)\s+)?"
    rf"(?P<identity>{settings.APP_SCHEMA}(?:\.\w+)?)\s+TO\s+(?P<role>\w+)",
    re.IGNORECASE,
)
LIST_OF_COLUMNS = re.compile(r"(?:PRIMARY\s+KEY|UNIQUE)\s*\(([^()]*)\)", re.IGNORECASE)
NO_COLUMN = ("CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "EXCLUDE", "FOREIGN", "LIKE")
TOP_LEVEL_COMMA = re.compile(r",(?![^()]*\))")


@dataclass(frozen=True)
class ExpectedTable:
    """`columns`: whether each may be NULL. `uniques`: sets of columns whose values must be unique. `names`:
    of further constraints and indexes. For a table without a model, `create` is its CREATE TABLE.
    """

    name: str
    columns: dict[str, bool]
    uniques: frozenset[frozenset[str]]
    names: frozenset[str] = frozenset()
    references: frozenset[str] = frozenset()
    """Columns with a foreign key."""
    model: type[models.Model] | None = None
    create: str = ""


@dataclass(frozen=True)
class ExpectedGrant:
    """`kind` is schema, table or sequence."""

    kind: str
    identity: str
    privilege: str
    role: str

    @property
    def sql(self) -> str:
        return f"GRANT {self.privilege} ON {self.kind.upper()} {self.identity} TO {self.role};"


@dataclass(frozen=True)
class Inventory:
    tables: dict[str, ExpectedTable]
    sequences: dict[str, str] = field(default_factory=dict)
    """CREATE SEQUENCE by name."""
    grants: tuple[ExpectedGrant, ...] = ()


@lru_cache(maxsize=4)
def inventory(done: frozenset[MigrationKey]) -> Inventory:
    """The inventory of a database in which these migrations have run."""
    tables = {table.name: table for table in map(_of_model, _models(done))}
    sequences: dict[str, str] = {}
    grants: dict[ExpectedGrant, None] = {}
    for key, operation in plan().files:
        if key not in done:
            continue
        for statement in split(operation.sql):
            if table := CREATE_TABLE.fullmatch(statement):
                tables[table[1]] = _of_statement(table[1], table[2], statement)
            elif sequence := CREATE_SEQUENCE.match(statement):
                sequences[sequence[1]] = statement
            grants.update(dict.fromkeys(_grants(statement)))
    known = {settings.APP_SCHEMA, *tables, *sequences}
    return Inventory(tables, sequences, tuple(grant for grant in grants if grant.identity in known))


def _models(done: frozenset[MigrationKey]) -> list[type[models.Model]]:
    registry: Any = apps
    if not done >= all_migrations():
        loader = MigrationLoader(None, ignore_no_migrations=True)
        registry = loader.project_state([key for key in done if key in loader.disk_migrations]).apps
    found = [
        model
        for model in registry.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy and not model._meta.swapped
    ]
    return [MigrationRecorder.Migration, *found]


def _of_model(model: type[models.Model]) -> ExpectedTable:
    options: Any = model._meta
    fields = [f for f in options.local_concrete_fields if f.db_type(connection) is not None]
    uniques = {frozenset([f.column]) for f in fields if f.unique}
    for names in options.unique_together:
        uniques.add(frozenset(options.get_field(name).column for name in names))
    return ExpectedTable(
        name=f"{settings.APP_SCHEMA}.{options.db_table}",
        columns={f.column: f.null for f in fields},
        uniques=frozenset(uniques),
        names=frozenset(part.name for part in (*options.constraints, *options.indexes) if part.name),
        references=frozenset(f.column for f in fields if f.remote_field and getattr(f, "db_constraint", False)),
        model=model,
    )


def _of_statement(name: str, body: str, statement: str) -> ExpectedTable:
    columns: dict[str, bool] = {}
    uniques = set()
    for entry in (part.strip() for part in TOP_LEVEL_COMMA.split(body)):
        word = entry.split()[0]
        if word.upper() in NO_COLUMN:
            uniques |= {frozenset(map(str.strip, found.split(","))) for found in LIST_OF_COLUMNS.findall(entry)}
            continue
        definition = entry.upper()
        columns[word] = "NOT NULL" not in definition and "PRIMARY KEY" not in definition
        if "PRIMARY KEY" in definition or " UNIQUE" in definition:
            uniques.add(frozenset([word]))
    return ExpectedTable(name, columns, frozenset(uniques), create=statement)


def _grants(statement: str) -> list[ExpectedGrant]:
    return [
        ExpectedGrant(
            (found["kind"] or "table").lower(), found["identity"], privilege.strip().upper(), found["role"].lower()
        )
        for found in GRANT.finditer(statement)
        for privilege in found["privileges"].split(",")
    ]
