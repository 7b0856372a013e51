"""Why a migration stopped: one class per failure.

Messages are lazy, because `migrate` runs without translations and its caller shows the error in the operator's
language.
"""

from typing import ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class MigrationStopped(Exception):  # noqa: N818
    """An operation could not do its work. The database is usable, and `migrate` can be run again.

    `facts` fill the placeholders of the class's `message`.
    """

    message: ClassVar[str | Promise]

    def __init__(self, **facts: object) -> None:
        super().__init__(facts)
        self.facts = facts

    def __str__(self) -> str:
        return str(self.message) % self.facts


class InsideTransaction(MigrationStopped):
    """CREATE INDEX CONCURRENTLY waits for other transactions, which it can do only outside of one."""

    message = _("Index %(name)s is built CONCURRENTLY, outside a transaction. Set `atomic = False` in its migration.")


class TableMissing(MigrationStopped):
    """The index's table is missing: this is another database, or an empty one."""

    message = _(
        "Index %(name)s belongs to table %(table)s, which this database lacks. Point DATABASE_URL at the service's "
        "own database, or load the development baseline: manage.py demo baseline."
    )


class IndexNotPossible(MigrationStopped):
    """The table lacks a column of the index, the column has another type, or we lack the privilege to create
    indexes.
    """

    message = _("Index %(name)s cannot be built on %(table)s in this database: %(error)s")


class IndexNameTaken(MigrationStopped):
    """Another object has the index's name: an index of another table, or no index at all.

    `CREATE INDEX IF NOT EXISTS` would have continued as if the index existed.
    """

    message = _(
        "Another object has the name %(name)s: %(found)s. The index should be: %(wanted)s. Rename that object "
        "(ALTER … RENAME TO …), then run migrate again."
    )


class IndexDefinitionDiffers(MigrationStopped):
    """An index of that name exists on the right table, but with another definition.

    It is not replaced: someone created it deliberately, and queries may depend on it.
    """

    message = _(
        "Index %(name)s exists with another definition. Found: %(found)s. Wanted: %(wanted)s. "
        "Keep it under another name (ALTER INDEX … RENAME TO …) or drop it (DROP INDEX CONCURRENTLY …), "
        "then run migrate again."
    )


class IndexBeingBuilt(MigrationStopped):
    """The index is INVALID because another session is building it; dropping it would undo that work."""

    message = _(
        "Index %(name)s is not valid yet, and %(holders)s, which may be building it, holds a lock on its table. "
        "Wait until that session ends, then run migrate again."
    )


class IndexInvalid(MigrationStopped):
    """The server reported success, yet the index is not valid: another session interfered."""

    message = _("Index %(name)s was built but is not valid. Run migrate again: it drops and rebuilds it.")


class DuplicatesFound(MigrationStopped):
    """Rows share a key that should become unique. Nothing was changed, because a person must decide which
    row to keep.
    """

    message = _(
        "Index %(name)s must be unique, but rows of %(table)s share a key (%(columns)s):\n"
        "%(examples)s\n"
        "To see what the repair would do, run manage.py repair %(repair)s; to do it, run manage.py repair "
        "%(repair)s --apply. Then run migrate again. Rows that share a key but differ are not removed: the repair "
        "lists them and says what to do."
    )


class LockNotHad(MigrationStopped):
    """Another session held a lock that the operation needs until the last attempt.

    `CONCURRENTLY` also waits for every transaction that was already open: one forgotten `idle in transaction` session
    is enough.
    """

    message = _(
        "%(doing)s: gave up after %(attempts)s attempts, waiting for %(holders)s. Nothing is lost. Wait until that "
        "ends, or end it with SELECT pg_terminate_backend(pid), then run migrate again. To wait longer, set "
        "MIGRATION_LOCK_TIMEOUT and MIGRATION_ATTEMPTS."
    )


class FunctionInUse(MigrationStopped):
    """The deployed function must be dropped to be replaced, but a view, trigger or other object depends on it."""

    message = _(
        "Function %(name)s must be dropped to change its arguments and result, but: %(error)s Change what depends "
        "on it, then run migrate again."
    )


class TransactionPooler(MigrationStopped):
    """Behind a transaction pooler, each statement may reach another server session."""

    message = _(
        "migrate needs one session from start to end, for its lock, its timeouts and CONCURRENTLY, which "
        "DATABASE_POOL_MODE=transaction does not provide. Run it with a DATABASE_URL that connects directly or "
        "through the session pooler (on Supabase: port 5432), and DATABASE_POOL_MODE=direct or session."
    )


class OtherMigrations(MigrationStopped):
    """The database has migrations of our apps that this version lacks, so it cannot be migrated from there."""

    message = _(
        "Another version of this app migrated this database, with migrations that this version lacks: %(names)s. "
        "Nothing was changed. Use that version to reverse everything (manage.py migrate escalations zero, then "
        "conversations, usage and waops), then run migrate with this version."
    )


class Damaged(MigrationStopped):
    """Objects created by migrations are missing or changed, and finished migrations do not run again."""

    message = _("This app's own objects are damaged:\n%(damages)s\nRepair them first: manage.py repair schema --apply")
