"""Why a migration stopped: one class per failure.

Messages are lazy: `migrate` runs without translations, and its caller shows the error in the operator's language.
"""

from typing import ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class MigrationStopped(Exception):  # noqa: N818
    """An operation could not do its work. The database is usable, and `migrate` can be run again.

    `facts` fill the named places of the class's `message`.
    """

    message: ClassVar[str | Promise]

    def __init__(self, **facts: object) -> None:
        super().__init__(facts)
        self.facts = facts

    def __str__(self) -> str:
        return str(self.message) % self.facts


class InsideTransaction(MigrationStopped):
    """CREATE INDEX CONCURRENTLY waits for other transactions, which it can do only outside of one."""

    message = _("Index %(name)s is built CONCURRENTLY, outside a transaction. Set `atomic = False` on its migration.")


class TableMissing(MigrationStopped):
    """The index's table is not in this database: it is another database, or an empty one."""

    message = _(
        "Index %(name)s belongs to table %(table)s, which this database has not. "
        "Point DATABASE_URL at the service's own database, or load the development baseline: manage.py load_baseline."
    )


class IndexNotPossible(MigrationStopped):
    """The table lacks a column of the index, has another type there, or we may not create indexes on it."""

    message = _("Index %(name)s cannot be built on %(table)s of this database: %(error)s")


class IndexNameTaken(MigrationStopped):
    """The name belongs to something else: to an index of another table, or to no index at all.

    `CREATE INDEX IF NOT EXISTS` would have gone on as if ours existed.
    """

    message = _(
        "The name %(name)s is taken by: %(found)s. The index wanted is: %(wanted)s. "
        "Rename what has the name (ALTER … RENAME TO …), then run migrate again."
    )


class IndexDefinitionDiffers(MigrationStopped):
    """An index of that name is on the right table, but it is another index.

    It is not replaced: somebody made it so, and queries may depend on it.
    """

    message = _(
        "Index %(name)s exists with another definition. Found: %(found)s. Wanted: %(wanted)s. "
        "Keep it under another name (ALTER INDEX … RENAME TO …) or drop it (DROP INDEX CONCURRENTLY …), "
        "then run migrate again."
    )


class IndexBeingBuilt(MigrationStopped):
    """The index is INVALID because another session builds it at this moment; to drop it would undo that work."""

    message = _(
        "Index %(name)s is not valid yet, and its table is held by %(holders)s, which may be building it. "
        "Wait until that session ends, then run migrate again."
    )


class IndexInvalid(MigrationStopped):
    """The server reported success, yet the index is not valid: somebody else interfered with it."""

    message = _("Index %(name)s was built but is not valid. Run migrate again: it drops and rebuilds it.")


class DuplicatesFound(MigrationStopped):
    """Rows share a key that is to become unique. Nothing was changed: which row stays is a decision."""

    message = _(
        "Index %(name)s must be unique, but rows of %(table)s share a key (%(columns)s):\n%(examples)s\n"
        "Look at what the repair would do with manage.py %(repair)s, do it with manage.py %(repair)s --apply, "
        "then run migrate again."
    )


class LockNotHad(MigrationStopped):
    """Another session held, to the last attempt, a lock that the operation needs.

    `CONCURRENTLY` also waits for every transaction that was open before it: one forgotten `idle in transaction`
    session is enough.
    """

    message = _(
        "%(doing)s: gave up after %(attempts)s attempts, waiting for %(holders)s. Nothing is lost. Wait until it ends, "
        "or end it with SELECT pg_terminate_backend(pid), then run migrate again; MIGRATION_LOCK_TIMEOUT and "
        "MIGRATION_ATTEMPTS make it wait longer."
    )


class FunctionInUse(MigrationStopped):
    """The deployed function has to be dropped to be replaced, and a view, trigger or the like depends on it."""

    message = _(
        "Function %(name)s has to be dropped to get its new arguments and result, but: %(error)s "
        "Change what depends on it, then run migrate again."
    )


class FunctionNotCreated(MigrationStopped):
    """The SQL file ran, but did not create the function that its migration names: a mistake in the migration."""

    message = _("%(file)s did not create function %(name)s.")


class TransactionPooler(MigrationStopped):
    """Behind a transaction pooler each statement may reach another server session."""

    message = _(
        "migrate needs one session from start to end, for its lock, its timeouts and CONCURRENTLY, "
        "and DATABASE_POOL_MODE=transaction gives none. Run it with a DATABASE_URL that goes straight to the server or "
        "through the session pooler (on Supabase: port 5432), and DATABASE_POOL_MODE=direct or session."
    )
