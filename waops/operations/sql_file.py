"""RunSQLFile: one object from a file, in one transaction with the record that it is there."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from waops.operations.locks import persist
from waops.operations.records import Record
from waops.operations.report import tell
from waops.operations.statements import execute
from waops.operations.timeouts import milliseconds, server_settings

LOCK_TIMEOUT = 0.1
"""Seconds. Requests queue behind whoever waits for a strong lock on their table, so no wait may be noticeable."""
TRIES_PER_ATTEMPT = 10
"""Short tries that stand for one attempt of MIGRATION_ATTEMPTS."""
PAUSE = 0.5
"""Seconds between two tries, for the queue to clear."""


@dataclass(frozen=True)
class SQLFile:
    """`sql/<name>.sql` of an app and `sql/<name>.reverse.sql` beside it."""

    app_label: str
    name: str

    @property
    def _folder(self) -> Path:
        return Path(apps.get_app_config(self.app_label).path) / "sql"

    @property
    def forward(self) -> str:
        return (self._folder / f"{self.name}.sql").read_text(encoding="utf-8")

    @property
    def reverse(self) -> str:
        return (self._folder / f"{self.name}.reverse.sql").read_text(encoding="utf-8")

    def __str__(self) -> str:
        return f"{self.app_label}/sql/{self.name}.sql"


class SQLFileOperation(Operation):
    """Runs a pair of files, each in one transaction that waits for locks only briefly, but repeatedly.

    In a migration with `atomic = False` it tries again; inside a transaction it cannot, because locks of earlier
    operations would be held during the pauses.
    """

    reversible = True
    reduces_to_sql = True

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def migration_name_fragment(self) -> str:
        return self.name.partition("_")[2]

    def state_forwards(self, app_label: str, state: Any) -> None:
        """No model changes."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        file = SQLFile(app_label, self.name)
        if schema_editor.collect_sql:
            schema_editor.execute(file.forward, params=None)
            return
        doing = format_lazy(_("Running {file}"), file=str(file))
        self._run(schema_editor.connection, doing, lambda: self.install(schema_editor.connection, file))

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        file = SQLFile(app_label, self.name)
        if schema_editor.collect_sql:
            schema_editor.execute(file.reverse, params=None)
            return
        doing = format_lazy(_("Reversing {file}"), file=str(file))
        self._run(schema_editor.connection, doing, lambda: self.uninstall(schema_editor.connection, file))

    def install(self, connection: BaseDatabaseWrapper, file: SQLFile) -> None:
        raise NotImplementedError

    def uninstall(self, connection: BaseDatabaseWrapper, file: SQLFile) -> None:
        raise NotImplementedError

    def _run(self, connection: BaseDatabaseWrapper, doing: str | Promise, work: Callable[[], None]) -> None:
        def attempt() -> None:
            with (
                transaction.atomic(using=connection.alias),
                server_settings(connection, local=True, lock_timeout=milliseconds(LOCK_TIMEOUT)),
            ):
                work()

        tries = 1 if connection.in_atomic_block else settings.MIGRATION_ATTEMPTS * TRIES_PER_ATTEMPT
        persist(connection, attempt, doing=doing, lock_timeout=LOCK_TIMEOUT, attempts=tries, pause=PAUSE)


class RunSQLFile(SQLFileOperation):
    """Create a trigger, a table or another object of ours from `sql/<name>.sql`; its reverse file takes it away.

    The file need not be repeatable: that it ran is recorded in the same transaction. A function has an operation of
    its own, InstallFunction. Raises LockNotHad.
    """

    def describe(self) -> str:
        return f"Run {self.name}.sql"

    def install(self, connection: BaseDatabaseWrapper, file: SQLFile) -> None:
        record = self._record(file)
        if record.read(connection) is None:
            execute(connection, file.forward)
            record.write(connection, None)

    def uninstall(self, connection: BaseDatabaseWrapper, file: SQLFile) -> None:
        record = self._record(file)
        if record.read(connection) is None:
            tell(_("%(file)s is not reversed: nothing says that this app ran it."), file=file)
            return
        execute(connection, file.reverse)
        record.delete(connection)

    def _record(self, file: SQLFile) -> Record:
        return Record("sql_file", file.name, file.app_label)
