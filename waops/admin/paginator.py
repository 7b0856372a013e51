"""Pages of a list without counting the whole table."""

from functools import cached_property
from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.core.cache import cache
from django.core.paginator import Paginator
from django.db import connections, models
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

LIMIT = 1_000
"""Rows that a list lets a person page through. Beyond it an OFFSET costs more than it helps: search or filter."""

ESTIMATE_SECONDS = 60

ESTIMATE = """
    SELECT reltuples::bigint FROM pg_catalog.pg_class
    WHERE oid = pg_catalog.to_regclass(pg_catalog.quote_ident(%s))
"""


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts up to LIMIT rows; says how many more there are by the planner's estimate."""

    object_list: models.QuerySet[Any]

    @cached_property
    def _counted(self) -> int:
        return int(self.object_list.order_by().values("pk")[: LIMIT + 1].count())

    @cached_property
    def count(self) -> int:
        return min(self._counted, LIMIT)

    @property
    def in_words(self) -> str:
        """Such as "12 entries" or "about 9,800,000 entries; the first 1,000 are listed"."""
        if self._counted <= LIMIT:
            return ngettext("%(count)s entry", "%(count)s entries", self.count) % {"count": intcomma(self.count)}
        estimate = 0 if self.object_list.query.where else estimated_rows(self.object_list.model, self.object_list.db)
        if estimate > LIMIT:
            return _("About %(count)s entries; the first %(limit)s are listed. Search or filter to find others.") % {
                "count": intcomma(_rounded(estimate)),
                "limit": intcomma(LIMIT),
            }
        return _("More than %(limit)s entries; the first %(limit)s are listed. Search or filter to find others.") % {
            "limit": intcomma(LIMIT)
        }


def estimated_rows(model: Any, using: str = "default") -> int:
    """Rows of the model's table by the planner's statistics; -1 if it was never analysed."""
    table = model._meta.db_table
    key = f"waops:estimated-rows:{connections[using].settings_dict['NAME']}:{table}"
    rows = cache.get(key)
    if rows is None:
        with connections[using].cursor() as cursor:
            cursor.execute(ESTIMATE, [table])
            found = cursor.fetchone()
        rows = found[0] if found else -1
        cache.set(key, rows, ESTIMATE_SECONDS)
    return int(rows)


def _rounded(number: int) -> int:
    """To two significant digits: more would pretend to know."""
    return round(number, 2 - len(str(number)))
