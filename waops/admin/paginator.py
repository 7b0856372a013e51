"""Paginate a list without counting the whole table."""

from functools import cached_property
from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.core.paginator import Paginator
from django.db import connections, models
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from waops.database.kept import kept

LIMIT = 1_000
"""Most rows that a list lets people page through. Beyond that, OFFSET gets slow; search or filter instead."""

ESTIMATE = """
    SELECT reltuples::bigint FROM pg_catalog.pg_class
    WHERE oid = pg_catalog.to_regclass(pg_catalog.quote_ident(%s))
"""


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts up to LIMIT rows, and uses the planner's estimate beyond that."""

    object_list: models.QuerySet[Any]

    def __init__(self, rows: models.QuerySet[Any], per_page: int, *args: Any, counted: int | None = None) -> None:
        """`counted` is the number of rows, if the page knows it."""
        super().__init__(rows, per_page, *args)
        if counted is not None:
            self._counted = counted

    @cached_property
    def _counted(self) -> int:
        return int(self.object_list.order_by().values("pk")[: LIMIT + 1].count())

    @cached_property
    def count(self) -> int:
        return min(self._counted, LIMIT)

    @property
    def in_words(self) -> str:
        """For example "12 entries" or "about 9,800,000 entries; only the first 1,000 are listed"."""
        if self._counted <= LIMIT:
            return ngettext("%(count)s entry", "%(count)s entries", self.count) % {"count": intcomma(self.count)}
        estimate = 0 if self.object_list.query.where else estimated_rows(self.object_list.model, self.object_list.db)
        if estimate > LIMIT:
            return _(
                "About %(count)s entries; only the first %(limit)s are listed. Search or filter to find others."
            ) % {
                "count": intcomma(_rounded(estimate)),
                "limit": intcomma(LIMIT),
            }
        return _(
            "More than %(limit)s entries; only the first %(limit)s are listed. Search or filter to find others."
        ) % {"limit": intcomma(LIMIT)}


def estimated_rows(model: Any, using: str = "default") -> int:
    """How many rows the model's table has by the planner's statistics; -1 if it was never analyzed."""
    table = model._meta.db_table

    def read() -> int:
        with connections[using].cursor() as cursor:
            cursor.execute(ESTIMATE, [table])
            found = cursor.fetchone()
        return int(found[0]) if found else -1

    return kept(f"estimated-rows:{using}:{table}", read)


def _rounded(number: int) -> int:
    """Rounded to two significant digits, because the estimate is not more precise."""
    return round(number, 2 - len(str(number)))
