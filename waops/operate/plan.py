"""What should be in the database: read from the migrations on disk, so that there is no second list to keep."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from django.core.cache import cache as answers
from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from waops.operate.reading import server_version
from waops.operations import CreateIndex, InstallFunction, RunSQLFile, catalog
from waops.operations.catalog import IndexStatement, WantedIndex
from waops.operations.sql_file import SQLFile

CREATE_TRIGGER = re.compile(
    r"CREATE\s+TRIGGER\s+(?P<name>\w+)\b[^;]*?\bON\s+(?P<table>\w+\.\w+)[^;]*;", re.IGNORECASE | re.DOTALL
)
BODY = re.compile(r"\bAS\s+(?P<quote>\$\w*\$)(?P<body>.*?)(?P=quote)", re.DOTALL)
DEFINITION_SECONDS = 24 * 60 * 60
"""How long a server's own wording of an index is remembered: it changes only with the table's columns."""

MigrationKey = tuple[str, str]


@dataclass(frozen=True)
class PlannedIndex:
    """One index of a migration. `repair` names the command for what stands in the way of a unique one."""

    migration: MigrationKey
    statement: IndexStatement
    repair: str | None

    @property
    def sql(self) -> str:
        return " ".join(self.statement.sql(concurrently=True).split())


@dataclass(frozen=True)
class PlannedFunction:
    migration: MigrationKey
    operation: InstallFunction

    @property
    def file(self) -> SQLFile:
        return SQLFile(self.migration[0], self.operation.name)

    @property
    def identity(self) -> str:
        """As `public.name(uuid, text)`."""
        return self.operation.identity

    @property
    def body(self) -> str | None:
        """As the server keeps it: what its file has between the dollar quotes."""
        match = BODY.search(self.file.forward)
        return match["body"] if match else None

    @property
    def name(self) -> str:
        """As `public.name`."""
        return self.identity.partition("(")[0]


@dataclass(frozen=True)
class PlannedTrigger:
    """One trigger of an SQL file; `table` is schema-qualified, `sql` is its CREATE TRIGGER."""

    migration: MigrationKey
    name: str
    table: str
    sql: str


@dataclass(frozen=True)
class Plan:
    indexes: tuple[PlannedIndex, ...]
    functions: tuple[PlannedFunction, ...]
    triggers: tuple[PlannedTrigger, ...]


@cache
def plan() -> Plan:
    """Everything that the migrations on disk install; of a function installed repeatedly, the last version."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    indexes: list[PlannedIndex] = []
    functions: dict[str, PlannedFunction] = {}
    triggers: list[PlannedTrigger] = []
    for key in _in_order(loader):
        for operation in loader.disk_migrations[key].operations:
            if isinstance(operation, CreateIndex):
                indexes.append(PlannedIndex(key, operation.statement, operation.repair))
            elif isinstance(operation, InstallFunction):
                planned = PlannedFunction(key, operation)
                functions[planned.name] = planned
            elif isinstance(operation, RunSQLFile):
                triggers += _triggers(key, SQLFile(key[0], operation.name).forward)
    return Plan(tuple(indexes), tuple(functions.values()), tuple(triggers))


def _in_order(loader: MigrationLoader) -> list[MigrationKey]:
    ordered: dict[MigrationKey, None] = {}
    for leaf in sorted(loader.graph.leaf_nodes()):
        ordered.update(dict.fromkeys(loader.graph.forwards_plan(leaf)))
    return [key for key in ordered if key in loader.disk_migrations]


def _triggers(key: MigrationKey, sql: str) -> Iterable[PlannedTrigger]:
    for match in CREATE_TRIGGER.finditer(sql):
        yield PlannedTrigger(key, match["name"], match["table"], " ".join(match[0].split()))


def applied(connection: BaseDatabaseWrapper) -> set[MigrationKey]:
    """Migrations that this database has; none where `migrate` never ran."""
    return set(MigrationRecorder(connection).applied_migrations())


def wanted_index(connection: BaseDatabaseWrapper, statement: IndexStatement) -> WantedIndex | None:
    """The index as this server prints it; None where its table cannot have it, or we may not try.

    Remembered, because asking means building it on an empty temporary table.
    """
    parts = (server_version(connection), connection.settings_dict["NAME"], statement.identity)
    key = "waops:wanted-index:" + ":".join(map(str, parts))
    found = answers.get(key)
    if found is None:
        try:
            with transaction.atomic(using=connection.alias):
                found = catalog.describe(connection, statement)
        except DatabaseError:
            return None
        answers.set(key, found, DEFINITION_SECONDS)
    return found if isinstance(found, WantedIndex) else None
