"""CreateIndexWherePossible: an index on a table that some deployments have not."""

from django.db.backends.base.base import BaseDatabaseWrapper

from waops.operations import CreateIndex, catalog
from waops.operations.errors import IndexNotPossible
from waops.operations.records import Record


class CreateIndexWherePossible(CreateIndex):
    """As CreateIndex, but where the table or a column of it is missing there is no index and no error.

    Without it reads are slower, and nothing else.
    """

    def _build(self, connection: BaseDatabaseWrapper, record: Record) -> None:
        if not catalog.table_exists(connection, self.statement.qualified_table):
            return
        try:
            super()._build(connection, record)
        except IndexNotPossible:
            return

    def _remove(self, connection: BaseDatabaseWrapper, record: Record) -> None:
        if record.read(connection) is not None:
            super()._remove(connection, record)
