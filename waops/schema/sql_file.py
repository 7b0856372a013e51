"""RunSQLFile: create one object from a file, in one transaction with the record of it.

The file is `sql/<name>.v<version>.sql` in one app; a name is used once across all apps. The reverse is derived from
what the file creates, unless `sql/<name>.v<version>.reverse.sql` does more.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from django.apps import apps
from django.conf import settings
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import RunSQL
from django.db.migrations.operations.base import Operation
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from waops.database.fetch import execute, fetch_one
from waops.schema.locks import persist
from waops.schema.records import Record
from waops.schema.report import tell
from waops.schema.statements import CREATE_TRIGGER, drops, if_exists
from waops.schema.timeouts import milliseconds, server_settings

BODY = re.compile(r"\bAS\s+(?P<quote>\$\w*\$)(?P<body>.*?)(?P=quote)", re.DOTALL)
TRIGGER_EXISTS = "SELECT FROM pg_catalog.pg_trigger WHERE tgname = %s AND tgrelid = pg_catalog.to_regclass(%s)"
LOCK_TIMEOUT = 0.1
"""Seconds. Requests queue behind a session that waits for a strong lock on their table, so no wait may be
noticeable.
"""
TRIES_PER_ATTEMPT = 10
"""Short tries that count as one attempt of MIGRATION_ATTEMPTS."""
PAUSE = 0.5
"""Seconds between two tries, so that the queue can clear."""


def folders() -> dict[str, Path]:
    """The folders of each app's SQL files."""
    return {app.label: Path(app.path) / "sql" for app in apps.get_app_configs()}


@dataclass(frozen=True)
class SQLFile:
    """One version of an object's SQL."""

    app_label: str
    name: str
    version: int = 1

    @classmethod
    def find(cls, name: str, version: int = 1) -> Self:
        """The file in the app that has it. Raises LookupError unless exactly one app does."""
        file = f"{name}.v{version}.sql"
        found = [label for label, folder in folders().items() if (folder / file).exists()]
        if len(found) != 1:
            raise LookupError(f"sql/{file} is in {len(found)} apps, not in one.")
        return cls(found[0], name, version)

    @property
    def label(self) -> str:
        """The file's name in the records, for example `reply_ready.v1`."""
        return f"{self.name}.v{self.version}"

    @property
    def path(self) -> Path:
        return folders()[self.app_label] / f"{self.label}.sql"

    @property
    def forward(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @property
    def reverse(self) -> str:
        """The statements that undo the file. Raises ValueError if there is no reverse file and none can be derived."""
        written = self.path.with_suffix(".reverse.sql")
        return written.read_text(encoding="utf-8") if written.exists() else drops(self.forward)

    def bodies(self) -> set[str]:
        """The bodies of all versions of this function."""
        versions = self.path.parent.glob(f"{self.name}.v[0-9]*.sql")
        return {body for path in versions if (body := body_of(path.read_text(encoding="utf-8")))}

    def __str__(self) -> str:
        return f"{self.app_label}/sql/{self.label}.sql"


def body_of(sql: str) -> str | None:
    """A function's body as the server stores it: the text between the file's dollar quotes."""
    match = BODY.search(sql)
    return match["body"] if match else None


def briefly(connection: BaseDatabaseWrapper, doing: str | Promise, work: Callable[[], None]) -> None:
    """Run the work in one transaction with short lock waits, and retry.

    Inside another transaction it is tried once. Raises LockNotHad.
    """

    def attempt() -> None:
        with (
            transaction.atomic(using=connection.alias),
            server_settings(connection, local=True, lock_timeout=milliseconds(LOCK_TIMEOUT)),
        ):
            work()

    tries = 1 if connection.in_atomic_block else settings.MIGRATION_ATTEMPTS * TRIES_PER_ATTEMPT
    persist(connection, attempt, doing=doing, lock_timeout=LOCK_TIMEOUT, attempts=tries, pause=PAUSE)


class SQLFileOperation(RunSQL):
    """RunSQL from a file; forward and reverse each run in one transaction with short lock waits, and retry.

    It retries only in a migration with `atomic = False`: inside a transaction, locks of earlier operations would be
    held during the pauses.
    """

    sql: str
    reverse_sql: str

    def __init__(self, name: str, version: int = 1) -> None:
        self.file = SQLFile.find(name, version)
        super().__init__(self.file.forward, self.file.reverse)

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        """Refer to the file by name, not by its text."""
        return Operation.deconstruct(self)

    @property
    def migration_name_fragment(self) -> str:
        return self.file.name

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.collect_sql:
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        doing = format_lazy(_("Running {file}"), file=str(self.file))
        briefly(schema_editor.connection, doing, lambda: self.install(schema_editor.connection))

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.collect_sql:
            super().database_backwards(app_label, schema_editor, from_state, to_state)
            return
        doing = format_lazy(_("Reversing {file}"), file=str(self.file))
        briefly(schema_editor.connection, doing, lambda: self.uninstall(schema_editor.connection))

    def install(self, connection: BaseDatabaseWrapper) -> None:
        raise NotImplementedError

    def uninstall(self, connection: BaseDatabaseWrapper) -> None:
        raise NotImplementedError


class RunSQLFile(SQLFileOperation):
    """Create a trigger, table or other object of ours.

    The file need not be repeatable: the same transaction records that it ran. For a function use InstallFunction.
    Raises LockNotHad.
    """

    def describe(self) -> str:
        return f"Run {self.file.label}.sql"

    @property
    def record(self) -> Record:
        return Record("sql_file", self.file.label, self.file.app_label)

    def install(self, connection: BaseDatabaseWrapper) -> None:
        if self.record.read(connection) is None:
            self._drop_leftovers(connection)
            execute(connection, self.sql)
            self.record.write(connection, None)

    def uninstall(self, connection: BaseDatabaseWrapper) -> None:
        if self.record.read(connection) is None:
            tell(_("%(file)s is not reversed: there is no record that this app ran it."), file=self.file)
            return
        execute(connection, if_exists(self.reverse_sql))
        self.record.delete(connection)

    def _drop_leftovers(self, connection: BaseDatabaseWrapper) -> None:
        """Drop triggers with our names that have no record: a copy restored without our schema still has them."""
        for trigger in CREATE_TRIGGER.finditer(self.sql):
            if fetch_one(connection, TRIGGER_EXISTS, trigger["name"], trigger["table"]) is not None:
                execute(connection, f"DROP TRIGGER {trigger['name']} ON {trigger['table']}")
