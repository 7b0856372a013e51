"""Filters whose choices cost no query."""

from collections.abc import Sequence
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.db import models
from django.http import HttpRequest


class KnownValues(SimpleListFilter):
    """Filters one field by values known beforehand; any other value in the address is refused."""

    fields: Sequence[str] = ()
    """The fields it reads: a table that lacks one gets no filter."""
    values: Sequence[tuple[str, Any]] = ()
    """Value in the address and word on the page."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, Any]]:
        return self.values

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        value = self.value()
        if value is None:
            return queryset
        if value not in dict(self.values):
            raise IncorrectLookupParameters
        return self.narrow(queryset, value)

    def narrow(self, queryset: models.QuerySet[Any], value: str) -> models.QuerySet[Any]:
        """The rows of that value."""
        return queryset.filter(**{self.fields[0]: value})
