"""Check that our functions' writes work on this database: try each on an existing row, then roll back."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext_lazy as _

from waops.database.errors import sqlstate
from waops.database.fetch import execute, fetch_one
from waops.schema.errors import MigrationStopped
from waops.schema.timeouts import milliseconds

SEARCH_PATH = "pg_catalog, public, extensions, pg_temp"
"""The search path of our functions in `public`."""
LOCK_SECONDS = 0.25
NOT_TELLING = {"55P03", "57014", "40P01", "25006"}
"""Locked, too slow, deadlocked, read-only: these say nothing about whether the write would work."""
MAY_WRITE = "SELECT pg_catalog.has_table_privilege(pg_catalog.to_regclass(%s)::oid, %s)"
SETTINGS = """
    SELECT pg_catalog.set_config('search_path', %s, true), pg_catalog.set_config('lock_timeout', %s, true)
"""
DEFERRED = "SET CONSTRAINTS ALL IMMEDIATE"


class WritesFail(MigrationStopped):
    """A trigger or constraint of this deployment refuses what our functions write."""

    message = _(
        "Our functions could not write to this database:\n"
        "%(failures)s\n"
        "Nothing was changed. If a trigger's function names a table without its schema, add the schema or run ALTER "
        "FUNCTION … SET search_path = …, then run migrate again."
    )


@dataclass(frozen=True)
class Trial:
    """`sql` is one INSERT or UPDATE of at most one row; it skips locked rows."""

    table: str
    sql: str

    @property
    def verb(self) -> str:
        return self.sql.split(maxsplit=1)[0]

    def __str__(self) -> str:
        return f"{self.verb} {self.table}"


TRIALS: list[Trial] = []
"""Apps add theirs in `AppConfig.ready`."""
CONDITIONS: list[Callable[[BaseDatabaseWrapper], None]] = []
"""Further conditions for `migrate`; each raises MigrationStopped if it is not met."""


def failing_writes(connection: BaseDatabaseWrapper) -> Iterator[tuple[Trial, str]]:
    """Trials that fail, each with the server's message. Leaves out missing tables and writes this role may not make."""
    for trial in TRIALS:
        try:
            with transaction.atomic(using=connection.alias):
                if fetch_one(connection, MAY_WRITE, trial.table, trial.verb) == (True,):
                    fetch_one(connection, SETTINGS, SEARCH_PATH, milliseconds(LOCK_SECONDS))
                    execute(connection, trial.sql)
                    execute(connection, DEFERRED)
                transaction.set_rollback(True, using=connection.alias)
        except DatabaseError as error:
            if sqlstate(error) not in NOT_TELLING:
                yield trial, " ".join(str(error).split())


def refuse_failing_writes(connection: BaseDatabaseWrapper) -> None:
    """Raise WritesFail if a trial fails, or the error of a further condition."""
    for condition in CONDITIONS:
        condition(connection)
    if failures := [f"  {trial}: {error}" for trial, error in failing_writes(connection)]:
        raise WritesFail(failures="\n".join(failures))
