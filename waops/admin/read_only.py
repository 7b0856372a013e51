"""Pages that show rows of the existing database and never change them."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db import models
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from waops.access.readers import may
from waops.admin.addresses import ClearAddresses
from waops.admin.paginator import BoundedPaginator
from waops.database.live_schema import ForeignTable, missing_fields, table_exists


class ReadOnlyAdmin(ClearAddresses):
    """List and detail pages; adding, changing and deleting are refused, even to superusers.

    Columns that the live database lacks are left out of list, filters and order. A model whose optional table is
    missing is hidden, and its pages say so.
    """

    actions = None
    navigation = "records"
    change_form_template = "admin/read_only_form.html"
    list_per_page = 50
    paginator = BoundedPaginator
    show_full_result_count = False
    related: Sequence[str] = ()
    """Foreign keys shown on list and detail pages, for `select_related`."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_model_perms(self, request: HttpRequest) -> dict[str, bool]:
        return super().get_model_perms(request) if self._has_table() else {}

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        queryset: Any = super().get_queryset(request)
        if self._is_foreign():
            return queryset.join(*self.related)  # type: ignore[no-any-return]
        return queryset.select_related(*self.related)  # type: ignore[no-any-return]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [column for column in super().get_list_display(request) if column not in self._missing()]

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return [entry for entry in super().get_list_filter(request) if not self._missing() & _columns_of_filter(entry)]

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        return [name for name in super().get_ordering(request) if str(name).lstrip("-") not in self._missing()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, extra_context) if self._has_table() else self._no_table(request)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().changeform_view(request, *args, **kwargs) if self._has_table() else self._no_table(request)

    def related_pages(self, request: HttpRequest, row: Any) -> Iterator[tuple[str, str]]:
        """Address and name of pages linked from this row; see `may_view`."""
        return iter(())

    def heading(self, row: Any) -> str:
        return str(row)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        row = context["original"]
        context |= {"heading": self.heading(row), "related_pages": list(self.related_pages(request, row))}
        return super().render_change_form(request, context, *args, **kwargs)

    def _is_foreign(self) -> bool:
        return issubclass(self.model, ForeignTable)

    def _has_table(self) -> bool:
        return not self._is_foreign() or table_exists(self.model)

    def _missing(self) -> frozenset[str]:
        """Names of fields, and of their columns' attributes, that the live table lacks."""
        if not self._is_foreign():
            return frozenset()
        missing = missing_fields(self.model)
        return missing | {field.name for field in self.model._meta.concrete_fields if field.attname in missing}

    def _no_table(self, request: HttpRequest) -> HttpResponse:
        options = self.model._meta
        explanation = _("This database has no table “%(table)s”, so there are no %(names)s to show.") % {
            "table": options.db_table,
            "names": options.verbose_name_plural,
        }
        return self._error_page(request, 404, capfirst(options.verbose_name_plural), explanation)


def _columns_of_filter(entry: Any) -> set[str]:
    """Fields that an entry of `list_filter` reads."""
    if isinstance(entry, type):
        return set(getattr(entry, "fields", ()))
    return {entry[0] if isinstance(entry, tuple | list) else entry}


def may_view(request: HttpRequest, model: type[models.Model]) -> bool:
    """Whether this person may open that model's pages, and its table exists."""
    options = model._meta
    return may(request, f"{options.app_label}.view_{options.model_name}") and (
        not issubclass(model, ForeignTable) or table_exists(model)
    )


def list_address(model: type[models.Model], **lookups: Any) -> str:
    """Address of a model's list, filtered by `link_lookups` of its admin."""
    options = model._meta
    address = reverse(f"admin:{options.app_label}_{options.model_name}_changelist")
    return f"{address}?{urlencode(lookups)}" if lookups else address
