"""Rebuild whatever of ours is damaged: the schema, tables, functions, triggers, grants, and their records."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.core.management.commands.migrate import Command as MigrateCommand
from django.core.management.sql import emit_post_migrate_signal
from django.db import DatabaseError, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import RunPython
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from waops.database.engine.schema import prepare_schema
from waops.database.errors import sqlstate
from waops.database.fetch import execute, fetch, fetch_value
from waops.dbops.damage import create_tables
from waops.dbops.findings import Damage
from waops.dbops.inventory import inventory
from waops.dbops.lost_schema import left_in_public
from waops.dbops.plan import all_migrations, migrations_done, plan
from waops.dbops.repairs.damaged import everything_damaged
from waops.dbops.repairs.functions import damaged_functions, reinstall
from waops.dbops.repairs.indexes import build
from waops.schema.errors import MigrationStopped
from waops.schema.sql_file import briefly

PASSES = 6
"""Fixing one damage can uncover another: a recreated table may lack its grants and triggers."""

Recovery = Callable[[BaseDatabaseWrapper, frozenset[str]], str]
"""Gets the connection and the names of the damaged objects, corrects data derived from them, and says what
is left to do (empty: nothing).
"""

RECOVERIES: list[Recovery] = []
"""Apps add theirs in `AppConfig.ready`."""

FOREIGN_KEY_VIOLATION = "23503"
INSERTED = """
    SELECT schemaname || '.' || relname, n_tup_ins FROM pg_catalog.pg_stat_xact_user_tables WHERE schemaname = %s
"""
"""Includes earlier transactions of this session, so only a difference means something."""


@dataclass
class Outcome:
    """What was repaired, what is lost and what to do about it, and what could not be repaired, in words."""

    repaired: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def repair_schema(connection: BaseDatabaseWrapper) -> Outcome:
    """Rebuild everything that is damaged. Can be run again at any time.

    Raises waops.schema.errors.MigrationStopped if a lock is not acquired.
    """
    outcome = Outcome()
    damaged: set[str] = set()
    rebuilt: set[type[models.Model]] = set()
    for _number in range(PASSES):
        damages = everything_damaged(connection)
        if not damages:
            # Fixing one damage can fix another, whose own fix then fails.
            outcome.failed.clear()
        fresh = [damage for damage in damages if f"{damage.subject}: {damage.what}" not in outcome.repaired]
        if not fresh:
            break
        outcome.failed.clear()
        damaged |= {damage.subject for damage in damages}
        rebuilt |= _repair_once(connection, fresh, outcome)
    if not damaged:
        return outcome
    if rebuilt:
        _fill(connection, rebuilt)
        if f"{settings.APP_SCHEMA}.waops_installedobject" in {_name(model) for model in rebuilt}:
            outcome.lost.append(_originals_lost(left_in_public(connection)))
    _restore_records(connection, outcome)
    for recover in RECOVERIES:
        try:
            outcome.lost += filter(None, [recover(connection, frozenset(damaged))])
        except DatabaseError as error:
            outcome.failed.append(str(error).strip())
    outcome.lost = list(dict.fromkeys(outcome.lost))
    return outcome


def _repair_once(
    connection: BaseDatabaseWrapper, damages: Sequence[Damage], outcome: Outcome
) -> set[type[models.Model]]:
    """Returns the models whose tables were recreated."""
    tables = inventory(all_migrations()).tables
    missing = [
        model
        for damage in damages
        if damage.code == "table.missing" and not damage.fix and (model := tables[damage.subject].model)
    ]
    if missing:
        _run(connection, _("Creating tables"), create_tables(connection, missing))
        for model in missing:
            _skip_used_keys(connection, model)
    for damage in damages:
        try:
            if damage.fix:
                _run(connection, damage.subject, damage.fix)
            elif damage.code == "schema.lost":
                call_command(MigrateCommand(), database=connection.alias, verbosity=0)
            elif damage.code == "migrations.lost" or damage.subject == f"{settings.APP_SCHEMA}.django_migrations":
                _record_migrations(connection)
        except DatabaseError as error:
            if sqlstate(error) == FOREIGN_KEY_VIOLATION:
                _run(connection, damage.subject, [f"{line.rstrip(';')} NOT VALID" for line in damage.fix])
                outcome.repaired.append(f"{damage.subject}: {damage.what}")
                outcome.lost.append(_orphans(damage))
                continue
            outcome.failed.append(f"{damage.subject}: {damage.what}: {' '.join(str(error).split())}")
            continue
        except MigrationStopped as error:
            outcome.failed.append(f"{damage.subject}: {damage.what}: {' '.join(str(error).split())}")
            continue
        outcome.repaired.append(f"{damage.subject}: {damage.what}")
        if damage.lost:
            outcome.lost.append(f"{damage.subject}: {damage.lost}")
    if not any(damage.code.startswith("schema.") for damage in damages):
        for function, _what in damaged_functions(connection):
            reinstall(connection, function)
    return set(missing)


def _skip_used_keys(connection: BaseDatabaseWrapper, model: type[models.Model]) -> None:
    """Rows that refer to the lost rows must not refer to new ones: a new group is not the group that had its id."""
    key = model._meta.pk
    if not isinstance(key, models.AutoField):
        return
    highest = 0
    for table in inventory(all_migrations()).tables.values():
        for column in table.model._meta.local_concrete_fields if table.model else ():
            if column.remote_field and column.related_model is model and table.model is not model:
                query = f'SELECT COALESCE(pg_catalog.max("{column.column}"), 0) FROM {table.name}'  # noqa: S608
                with suppress(DatabaseError), transaction.atomic(using=connection.alias):
                    highest = max(highest, fetch_value(connection, query))
    if highest:
        restart = f'ALTER TABLE {_name(model)} ALTER COLUMN "{key.column}" RESTART WITH {highest + 1}'
        _run(connection, _name(model), [restart])


def _orphans(damage: Damage) -> str:
    return _(
        "%(table)s has rows that refer to lost rows. Restore those from a backup or delete these, then run "
        "ALTER TABLE … VALIDATE CONSTRAINT for each key that is NOT VALID."
    ) % {"table": damage.subject}


def _run(connection: BaseDatabaseWrapper, subject: str, statements: Sequence[str]) -> None:
    def work() -> None:
        for statement in statements:
            execute(connection, statement)

    briefly(connection, format_lazy(gettext_lazy("Repairing {name}"), name=subject), work)


def _record_migrations(connection: BaseDatabaseWrapper) -> None:
    """Record all of this version: what one of them has not created is then found missing, and created."""
    prepare_schema(connection)  # type: ignore[arg-type]
    recorder = MigrationRecorder(connection)
    recorder.ensure_schema()
    for key in sorted(all_migrations().difference(migrations_done(connection))):
        recorder.record_applied(*key)


def _fill(connection: BaseDatabaseWrapper, rebuilt: set[type[models.Model]]) -> None:
    """Insert again what migrations put into the lost tables; tables that kept their rows are unchanged."""
    emit_post_migrate_signal(verbosity=0, interactive=False, db=connection.alias, plan=[])
    loader = MigrationLoader(None, ignore_no_migrations=True)
    links: set[Any] = {field.remote_field.through for model in rebuilt for field in model._meta.local_many_to_many}
    names = {_name(model) for model in (*rebuilt, *links)}
    for key in sorted(migrations_done(connection)):
        for operation in loader.disk_migrations[key].operations:
            if isinstance(operation, RunPython):
                _run_data_migration(connection, operation, names)


def _run_data_migration(connection: BaseDatabaseWrapper, operation: RunPython, names: set[str]) -> None:
    try:
        with transaction.atomic(using=connection.alias), connection.schema_editor(atomic=False) as editor:
            before = _inserted(connection)
            operation.code(apps, editor)  # type: ignore[arg-type]  # the models of today
            if not names.issuperset(name for name, rows in _inserted(connection).items() if rows > before.get(name, 0)):
                transaction.set_rollback(True, using=connection.alias)
    except (DatabaseError, MigrationStopped):
        return  # its rows exist


def _inserted(connection: BaseDatabaseWrapper) -> dict[str, int]:
    return dict(fetch(connection, lambda name, rows: (name, int(rows)), INSERTED, [settings.APP_SCHEMA]))


def _name(model: type[models.Model]) -> str:
    return f"{settings.APP_SCHEMA}.{model._meta.db_table}"


def _originals_lost(signatures: Sequence[str]) -> str:
    return _(
        "The record of what this app replaced is lost, so the original versions of these functions are unknown: "
        "%(functions)s. After `manage.py migrate zero`, deploy them again from the service's migrations."
    ) % {"functions": ", ".join(signatures)}


def _restore_records(connection: BaseDatabaseWrapper, outcome: Outcome) -> None:
    """Without them, reversing would leave our functions, triggers and indexes behind."""
    done = migrations_done(connection)
    for versions in plan().versions.values():
        installed = [version for version in versions if version.migration in done]
        if all(one.operation.record.read(connection) is not None for one in installed):
            continue

        def install() -> None:
            # In one transaction: callers see the newest version before and after.
            for one in installed:  # noqa: B023 called in this turn of the loop
                one.operation.install(connection)

        briefly(connection, versions[0].name, install)
    for key, operation in plan().files:
        if key in done:
            operation.record.write(connection, None)
    for index in plan().indexes:
        if index.migration in done and index.operation.record(index.migration[0]).read(connection) is None:
            try:
                build(connection, index)
            except MigrationStopped as error:
                outcome.failed.append(str(error))
