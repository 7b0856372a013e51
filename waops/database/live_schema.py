"""Find out which tables and columns the live database has.

Deployments of the service's tables differ: a column or an optional table may be missing. Queries leave it out instead
of breaking the page that shows it.
"""

from functools import partial
from pathlib import Path
from typing import Any, ClassVar, cast

from django.apps import AppConfig, apps
from django.conf import settings
from django.db import connections, models

from waops.access import readers
from waops.database.kept import forget, kept

COLUMNS = """
    SELECT relation.relname::text, array_agg(attribute.attname::text)
    FROM pg_catalog.pg_class AS relation
    JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = relation.relnamespace
    JOIN pg_catalog.pg_attribute AS attribute ON attribute.attrelid = relation.oid
    WHERE namespace.nspname = 'public' AND relation.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND attribute.attnum > 0 AND NOT attribute.attisdropped
    GROUP BY relation.relname
"""


def own_apps() -> list[AppConfig]:
    """The apps of this project, without libraries."""
    return [app for app in apps.get_app_configs() if Path(app.path).parent == settings.BASE_DIR]


def live_tables(using: str = "default") -> dict[str, frozenset[str]]:
    """Column names by table name, for every relation in schema `public`."""
    return kept(key(using), partial(read_tables, using))


def read_tables(using: str = "default") -> dict[str, frozenset[str]]:
    """As `live_tables`, but always read from the database."""
    with connections[using].cursor() as cursor:
        cursor.execute(COLUMNS)
        return {table: frozenset(columns) for table, columns in cursor.fetchall()}


def forget_tables(using: str = "default") -> None:
    """Discard the cached tables, so that the next query reads them again."""
    forget(key(using))


def key(using: str = "default") -> str:
    """The cache key of the tables."""
    return f"live-tables:{using}"


def table_exists(model: type[models.Model], using: str = "default") -> bool:
    return model._meta.db_table in live_tables(using)


def missing_fields(model: type[models.Model], using: str = "default") -> frozenset[str]:
    """Attribute names (`attname`) of the model's fields whose column the live table lacks; empty if there is
    no table.
    """
    columns = live_tables(using).get(model._meta.db_table)
    if columns is None:
        return frozenset()
    return frozenset(f.attname for f in model._meta.concrete_fields if f.column not in columns)


class ForeignTableQuerySet(models.QuerySet[Any]):
    """Selects only columns that exist."""

    def existing_columns(self) -> "ForeignTableQuerySet":
        missing = missing_fields(self.model, self.db)
        return self.defer(*missing) if missing else self

    def join(self, *paths: str) -> "ForeignTableQuerySet":
        """`select_related`, without the columns that the joined tables lack.

        A path whose own column is missing is not joined: its object reads as None, like any missing field. So does an
        object that does not exist: not all keys of these tables are constrained, and a missing object must not hide its
        row.
        """
        queryset = self
        for path in paths:
            model, prefix, absent = self.model, "", []
            for name in path.split("__"):
                field = model._meta.get_field(name)
                if field.attname in missing_fields(model, self.db):
                    break
                model, prefix = field.related_model, f"{prefix}{name}__"
                absent += [f"{prefix}{missing}" for missing in missing_fields(model, self.db)]
            else:
                queryset = queryset.select_related(path).defer(*absent)
                query = queryset.query
                # Django would use an INNER JOIN if the column is never NULL; a join that already exists is reused.
                for alias in query.setup_joins(path.split("__"), query.get_meta(), query.get_initial_alias()).joins[1:]:
                    query.alias_map[alias] = query.alias_map[alias].promote()  # type: ignore[union-attr]
        return queryset


class ForeignTableManager(models.Manager.from_queryset(ForeignTableQuerySet)):  # type: ignore[misc]
    """Rows that the current reader may see."""

    def get_queryset(self) -> ForeignTableQuerySet:
        rows = cast(ForeignTableQuerySet, super().get_queryset()).existing_columns()
        table: Any = self.model
        return readers.current().limit(rows, business=table.business_path, number=table.number_path)


class ForeignTable(models.Model):
    """A table of the service. A field whose column is missing there reads as None."""

    objects: ClassVar[Any] = ForeignTableManager()
    number_path: ClassVar[str] = "instance"
    """Path from a row to its WhatsApp number, which determines its business."""
    business_path: ClassVar[str] = ""
    """Path from a row to its business, if that is shorter."""

    class Meta:
        abstract = True
        managed = False
        base_manager_name = "objects"  # objects fetched through a relation also leave out missing columns

    def refresh_from_db(self, using: str | None = None, fields: Any = None, from_queryset: Any = None) -> None:
        missing = missing_fields(type(self), using or self._state.db or "default")
        wanted = [f.attname for f in self._meta.concrete_fields] if fields is None else list(fields)
        for name in missing.intersection(wanted):
            self.__dict__[name] = None
        if present := [name for name in wanted if name not in missing]:
            super().refresh_from_db(using=using, fields=present, from_queryset=from_queryset)


class OptionalTable(ForeignTable):
    """A table of the service that some deployments lack. Check `table_exists` before you read it."""

    class Meta(ForeignTable.Meta):
        abstract = True
