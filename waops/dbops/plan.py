"""What should be in the database, read from the migrations on disk, so that there is no second list to maintain."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.core.cache import cache as answers
from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from waops.database.kept import kept
from waops.database.live_schema import own_apps
from waops.dbops.reading import server_version
from waops.schema import CreateIndex, InstallFunction, RunSQLFile, catalog
from waops.schema.catalog import IndexStatement, WantedIndex
from waops.schema.sql_file import body_of
from waops.schema.statements import CREATE_TRIGGER

DEFINITION_SECONDS = 24 * 60 * 60
"""How long a server's own text of an index definition is cached: it changes only with the table's columns."""

MigrationKey = tuple[str, str]


@dataclass(frozen=True)
class PlannedIndex:
    migration: MigrationKey
    operation: CreateIndex

    @property
    def statement(self) -> IndexStatement:
        return self.operation.statement

    @property
    def repair(self) -> str | None:
        """The command that repairs what prevents a unique index."""
        return self.operation.repair

    @property
    def sql(self) -> str:
        return " ".join(self.statement.sql(concurrently=True).split())


@dataclass(frozen=True)
class PlannedFunction:
    migration: MigrationKey
    operation: InstallFunction

    @property
    def identity(self) -> str:
        """The function with its argument types, for example `public.name(uuid, text)`."""
        return self.operation.identity

    @property
    def body(self) -> str | None:
        """The function's body as the server stores it: the text between the file's dollar quotes."""
        return body_of(self.operation.sql)

    @property
    def name(self) -> str:
        """The function's qualified name, for example `public.name`."""
        return self.identity.partition("(")[0]


@dataclass(frozen=True)
class PlannedTrigger:
    """One trigger of a file; `table` is schema-qualified, `sql` is its CREATE TRIGGER.

    `always`: it also fires with session_replication_role = replica.
    """

    migration: MigrationKey
    operation: RunSQLFile
    name: str
    table: str
    sql: str
    always: bool = False

    @property
    def enable(self) -> str:
        """The statement that makes the trigger fire as planned."""
        return f"ALTER TABLE {self.table} ENABLE {'ALWAYS ' if self.always else ''}TRIGGER {self.name};"

    @property
    def create(self) -> tuple[str, ...]:
        return (self.sql, self.enable) if self.always else (self.sql,)

    @property
    def calls(self) -> str:
        """The function that the trigger calls, for example `waops.name`."""
        return str(re.findall(r"EXECUTE (?:FUNCTION|PROCEDURE) ([\w.]+)", self.sql, re.IGNORECASE)[0])


@dataclass(frozen=True)
class Plan:
    """`versions`: every version of each function, oldest first. `files`: the SQL files of everything else."""

    indexes: tuple[PlannedIndex, ...]
    functions: tuple[PlannedFunction, ...]
    triggers: tuple[PlannedTrigger, ...]
    versions: Mapping[str, tuple[PlannedFunction, ...]]
    files: tuple[tuple[MigrationKey, RunSQLFile], ...]


@cache
def plan() -> Plan:
    """Everything that the migrations on disk install; for a function installed several times, the last version."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    indexes: list[PlannedIndex] = []
    versions: dict[str, tuple[PlannedFunction, ...]] = {}
    triggers: list[PlannedTrigger] = []
    files: list[tuple[MigrationKey, RunSQLFile]] = []
    for key in _in_order(loader):
        for operation in loader.disk_migrations[key].operations:
            if isinstance(operation, CreateIndex):
                indexes.append(PlannedIndex(key, operation))
            elif isinstance(operation, InstallFunction):
                planned = PlannedFunction(key, operation)
                versions[planned.name] = (*versions.get(planned.name, ()), planned)
            elif isinstance(operation, RunSQLFile):
                files.append((key, operation))
                triggers += _triggers(key, operation)
    functions = tuple(installed[-1] for installed in versions.values())
    return Plan(tuple(indexes), functions, tuple(triggers), versions, tuple(files))


def _in_order(loader: MigrationLoader) -> list[MigrationKey]:
    ordered: dict[MigrationKey, None] = {}
    for leaf in sorted(loader.graph.leaf_nodes()):
        ordered.update(dict.fromkeys(loader.graph.forwards_plan(leaf)))
    return [key for key in ordered if key in loader.disk_migrations]


def _triggers(key: MigrationKey, operation: RunSQLFile) -> Iterable[PlannedTrigger]:
    for match in CREATE_TRIGGER.finditer(operation.sql):
        always = re.search(rf"ENABLE ALWAYS TRIGGER {match['name']}\b", operation.sql) is not None
        yield PlannedTrigger(key, operation, match["name"], match["table"], " ".join(match[0].split()), always)


@cache
def all_migrations() -> frozenset[MigrationKey]:
    """The migrations of this version."""
    return frozenset(MigrationLoader(None, ignore_no_migrations=True).disk_migrations)


def migrations_done(connection: BaseDatabaseWrapper) -> frozenset[MigrationKey]:
    """This version's migrations that are on record; none if `migrate` never ran or the record cannot be read."""
    try:
        with transaction.atomic(using=connection.alias):
            return all_migrations().intersection(MigrationRecorder(connection).applied_migrations())
    except DatabaseError:
        return frozenset()


def other_migrations(connection: BaseDatabaseWrapper) -> list[MigrationKey]:
    """Migrations on record for our apps that this version lacks. Raises DatabaseError if the record cannot be read."""
    ours = {app.label for app in own_apps()}
    return sorted(
        key
        for key in MigrationRecorder(connection).applied_migrations()
        if key[0] in ours and key not in all_migrations()
    )


def wanted_index(connection: BaseDatabaseWrapper, statement: IndexStatement) -> WantedIndex | None:
    """The index as this server prints it; None if its table cannot have it, or we may not try.

    Cached, because asking means building it on an empty temporary table.
    """
    key = f"wanted-indexes:{server_version(connection)}:{connection.alias}"
    known: dict[str, Any] = kept(key, dict, DEFINITION_SECONDS)
    if statement.identity not in known:
        try:
            with transaction.atomic(using=connection.alias):
                known[statement.identity] = catalog.describe(connection, statement)
        except DatabaseError:
            return None
        answers.set(key, known, DEFINITION_SECONDS)
    found = known[statement.identity]
    return found if isinstance(found, WantedIndex) else None
