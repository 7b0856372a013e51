"""All our damaged objects: schema objects, functions and triggers, each with the SQL that fixes it."""

from django.db.backends.base.base import BaseDatabaseWrapper

from waops.dbops.damage import find_damage
from waops.dbops.doctor import functions
from waops.dbops.findings import Damage
from waops.dbops.plan import MigrationKey, all_migrations, migrations_done


def everything_damaged(connection: BaseDatabaseWrapper, done: frozenset[MigrationKey] | None = None) -> list[Damage]:
    """All damaged objects; none if `migrate` never ran. Reads only the catalog.

    `done`: migrations on record, if already known.
    """
    if done is None:
        done = migrations_done(connection)
    damages = find_damage(connection, done)
    if any(damage.code.startswith("schema.") for damage in damages):
        return damages
    found = functions.examine(connection, done if done or not damages else all_migrations()).findings
    return damages + [
        Damage(one.code, one.subject, one.what, tuple(line for line in one.fix if not line.startswith("manage.py ")))
        for one in found
        if one.code.startswith(("function.", "trigger.")) and not any("manage.py migrate" in line for line in one.fix)
    ]
