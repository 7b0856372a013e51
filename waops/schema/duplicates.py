"""Find rows that prevent a unique index."""

from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.functional import lazy
from django.utils.translation import gettext as _

from waops.schema.catalog import IndexStatement, WantedIndex
from waops.schema.errors import DuplicatesFound

EXAMPLES = 5


def refuse_duplicates(
    connection: BaseDatabaseWrapper, statement: IndexStatement, wanted: WantedIndex, repair: str
) -> None:
    """Read the whole table once. Raises DuplicatesFound with up to five keys and the `id`s of their rows."""
    conditions = [f"{key} IS NOT NULL" for key in wanted.keys]
    if wanted.predicate:
        conditions.append(f"({wanted.predicate})")
    keys = ", ".join(wanted.keys)
    query = f"""
        SELECT pg_catalog.jsonb_build_array({keys})::text, pg_catalog.count(*),
               (pg_catalog.array_agg(id::text ORDER BY id))[1:{EXAMPLES}]
        FROM {statement.qualified_table} WHERE {" AND ".join(conditions)}
        GROUP BY {keys} HAVING pg_catalog.count(*) > 1 LIMIT {EXAMPLES}
    """  # noqa: S608 names and expressions as the server's catalog prints them
    with connection.cursor() as cursor:
        cursor.execute(query)
        found = cursor.fetchall()
    if found:
        raise DuplicatesFound(
            name=statement.identity,
            table=statement.qualified_table,
            columns=keys,
            examples=_lines(found),
            repair=repair,
        )


def _join_lines(found: list[tuple[str, int, list[str]]]) -> str:
    return "\n".join(
        _("  %(key)s: %(count)s rows, including id %(ids)s") % {"key": key, "count": count, "ids": ", ".join(ids)}
        for key, count, ids in found
    )


_lines = lazy(_join_lines, str)
