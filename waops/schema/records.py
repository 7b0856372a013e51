"""Read and write InstalledObject for the operations.

In SQL, because a released operation must keep working whatever columns the model gets later.
"""

import json
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper

from waops.database.fetch import fetch_one

TABLE = f"{settings.APP_SCHEMA}.waops_installedobject"


@dataclass(frozen=True)
class Record:
    """What one migration installed. `installed_by` is `app_label.file` or `app_label`."""

    kind: str
    identity: str
    installed_by: str

    def write(self, connection: BaseDatabaseWrapper, before: Any) -> None:
        """Record what was there before. An existing record is kept: only the first run knows."""
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {TABLE} (kind, identity, installed_by, before, installed_at)"  # noqa: S608
                " VALUES (%s, %s, %s, %s::jsonb, pg_catalog.now()) ON CONFLICT DO NOTHING",
                [self.kind, self.identity, self.installed_by, None if before is None else json.dumps(before)],
            )

    def read(self, connection: BaseDatabaseWrapper) -> tuple[Any] | None:
        """What was there before, in a tuple; None if there is no record."""
        row = fetch_one(
            connection,
            f"SELECT before::text FROM {TABLE} WHERE kind = %s AND identity = %s AND installed_by = %s",  # noqa: S608
            self.kind,
            self.identity,
            self.installed_by,
        )
        if row is None:
            return None
        return (None if row[0] is None else json.loads(row[0]),)

    def exists_for_another(self, connection: BaseDatabaseWrapper) -> bool:
        """Whether another of our files has installed this object."""
        row = fetch_one(
            connection,
            f"SELECT FROM {TABLE} WHERE kind = %s AND identity = %s AND installed_by <> %s LIMIT 1",
            self.kind,
            self.identity,
            self.installed_by,
        )
        return row is not None

    def delete(self, connection: BaseDatabaseWrapper) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                f"DELETE FROM {TABLE} WHERE kind = %s AND identity = %s AND installed_by = %s",  # noqa: S608
                [self.kind, self.identity, self.installed_by],
            )
