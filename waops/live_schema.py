"""Which tables and columns the live database really has.

Deployments of the foreign tables differ: a column or an optional table may be missing. What is missing is left out of
queries instead of breaking the page that shows it.
"""

from typing import Any, ClassVar, cast

from django.core.cache import cache
from django.db import connections, models

from waops import access

SECONDS = 60
"""How long an answer is kept: a column added elsewhere shows up within a minute."""

COLUMNS = """
    SELECT relation.relname::text, array_agg(attribute.attname::text)
    FROM pg_catalog.pg_class AS relation
    JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = relation.relnamespace
    JOIN pg_catalog.pg_attribute AS attribute ON attribute.attrelid = relation.oid
    WHERE namespace.nspname = 'public' AND relation.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND attribute.attnum > 0 AND NOT attribute.attisdropped
    GROUP BY relation.relname
"""


def live_tables(using: str = "default") -> dict[str, frozenset[str]]:
    """Columns by table name, of every relation in schema `public`."""
    key = _key(using)
    tables = cache.get(key)
    if tables is None:
        with connections[using].cursor() as cursor:
            cursor.execute(COLUMNS)
            tables = {table: frozenset(columns) for table, columns in cursor.fetchall()}
        cache.set(key, tables, SECONDS)
    return cast(dict[str, frozenset[str]], tables)


def forget_tables(using: str = "default") -> None:
    """Look anew at the next question."""
    cache.delete(_key(using))


def _key(using: str) -> str:
    return f"waops:live-tables:{connections[using].settings_dict['NAME']}"


def table_exists(model: type[models.Model], using: str = "default") -> bool:
    return model._meta.db_table in live_tables(using)


def missing_fields(model: type[models.Model], using: str = "default") -> frozenset[str]:
    """Attribute names (`attname`) of the model's fields whose column the live table lacks; empty if it has no table."""
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

        A path whose own column is missing is not joined: its object reads as None, like any missing field.
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
        return queryset


class ForeignTableManager(models.Manager.from_queryset(ForeignTableQuerySet)):  # type: ignore[misc]
    """Rows that whoever the page is for may see."""

    def get_queryset(self) -> ForeignTableQuerySet:
        rows = cast(ForeignTableQuerySet, super().get_queryset()).existing_columns()
        table: Any = self.model
        return access.current().limit(rows, business=table.business_path, number=table.number_path)


class ForeignTable(models.Model):
    """A table of the existing database. A field whose column is missing there reads as None."""

    objects: ClassVar[Any] = ForeignTableManager()
    number_path: ClassVar[str] = "instance"
    """From a row to its WhatsApp number, by which it belongs to a business."""
    business_path: ClassVar[str] = ""
    """From a row to its business, where that is nearer."""

    class Meta:
        abstract = True
        managed = False
        base_manager_name = "objects"  # also an object fetched through a relation is read without missing columns

    def refresh_from_db(self, using: str | None = None, fields: Any = None, from_queryset: Any = None) -> None:
        missing = missing_fields(type(self), using or self._state.db or "default")
        wanted = [f.attname for f in self._meta.concrete_fields] if fields is None else list(fields)
        for name in missing.intersection(wanted):
            self.__dict__[name] = None
        if present := [name for name in wanted if name not in missing]:
            super().refresh_from_db(using=using, fields=present, from_queryset=from_queryset)


class OptionalTable(ForeignTable):
    """A foreign table that some deployments have not. Whoever reads it asks `table_exists` first."""

    class Meta(ForeignTable.Meta):
        abstract = True
