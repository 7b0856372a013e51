"""Filters whose choices need no query."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib.admin import DateFieldListFilter, FieldListFilter, SimpleListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest
from django.utils import timezone


class KnownValues(SimpleListFilter):
    """Filter one field by a fixed set of values; any other value in the address is rejected."""

    fields: Sequence[str] = ()
    """The fields it reads. If a table lacks one, the filter is not shown."""
    values: Sequence[tuple[str, Any]] = ()
    """Value in the address, and its label on the page."""

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
        """The rows with that value."""
        return queryset.filter(**{self.fields[0]: value})


class MomentFilter(DateFieldListFilter):
    """Django's date filter, also for typed addresses: days begin in the reader's time zone, and invalid
    times are rejected.
    """

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        for name in {self.lookup_kwarg_since, self.lookup_kwarg_until} & self.used_parameters.keys():
            values: Any = self.used_parameters[name]
            self.used_parameters[name] = [self._moment(value) for value in values]
        return super().queryset(request, queryset)  # type: ignore[return-value]

    def _moment(self, value: Any) -> datetime:
        try:
            moment: datetime = models.DateTimeField().to_python(value)
            return timezone.make_aware(moment) if timezone.is_naive(moment) else moment
        except (ValidationError, ValueError, OverflowError) as error:
            raise IncorrectLookupParameters from error


FieldListFilter.register(lambda field: isinstance(field, models.DateTimeField), MomentFilter, take_priority=True)
