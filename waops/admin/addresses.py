"""Addresses that ask for what is not there: refused with a page that says why, instead of Django's silent redirects."""

from collections.abc import Iterable
from typing import Any

from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ORDER_VAR, PAGE_VAR, ChangeList
from django.core.paginator import InvalidPage
from django.db import DataError, models
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from waops.access import current
from waops.admin.autocomplete import CarefulAutocomplete, CarefulAutocompleteMultiple


class BadAddressError(Exception):
    """A list was asked for with a filter, order or page that it does not have. `status` is the answer's."""

    status = 400
    title = gettext_lazy("This address cannot be shown")

    def __init__(self, explanation: str) -> None:
        super().__init__(explanation)
        self.explanation = explanation


class NoSuchPageError(BadAddressError):
    """The list ends before the page asked for."""

    status = 404
    title = gettext_lazy("This page does not exist")


class StrictChangeList(ChangeList):
    """Reads the page's rows at once, so that a value the database refuses is noticed here."""

    def __init__(self, request: HttpRequest, *args: Any) -> None:
        page, order = request.GET.get(PAGE_VAR, "1"), request.GET.get(ORDER_VAR, "")
        if not (page.isascii() and page.isdecimal() and len(page) <= 9):
            raise BadAddressError(_("“%(value)s” is not the number of a page.") % {"value": page[:50]})
        if not all(part.removeprefix("-").isdecimal() for part in filter(None, order.split("."))):
            raise BadAddressError(_("“%(value)s” is not an order of this list.") % {"value": order[:50]})
        super().__init__(request, *args)

    def get_queryset(self, request: HttpRequest, *args: Any) -> models.QuerySet[Any]:
        queryset: models.QuerySet[Any] = super().get_queryset(request, *args)
        return self.model_admin.for_list(queryset)  # type: ignore[attr-defined,no-any-return]

    def get_results(self, request: HttpRequest) -> None:
        paginator = self.model_admin.get_paginator(request, self.queryset, self.list_per_page)
        try:
            self.result_count = paginator.count
            self.result_list = list(paginator.page(self.page_num).object_list)
        except InvalidPage as error:
            pages = paginator.num_pages
            raise NoSuchPageError(
                _("You asked for page %(page)s, and this list ends at page %(pages)s. Search or filter to find others.")
                % {"page": self.page_num, "pages": pages}
            ) from error
        except (DataError, ValueError) as error:
            raise IncorrectLookupParameters from error
        self.paginator = paginator
        self.multi_page = paginator.num_pages > 1
        self.show_full_result_count = self.show_admin_actions = bool(self.result_count)
        self.full_result_count = self.result_count
        self.can_show_all = False


class ClearAddresses(ModelAdmin):  # type: ignore[type-arg]
    """Mixed into an admin: unknown filters are 400, unknown pages and rows 404, each said in words, and what is no key
    in a form is an error of its field."""

    link_lookups: Iterable[str] = ()
    """Lookups that pages of this app link to, beside those of `list_filter`. No other is let through: any lookup on
    a large table by address would be a way to keep the database busy."""
    business_path = ""
    """From a row of this app's own to its business's id. Limited people see only the rows of their businesses."""

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        rows = super().get_queryset(request)
        return current().limit(rows, business=self.business_path) if self.business_path else rows

    def for_list(self, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """The rows as the list shows them: a place to leave large columns out."""
        return queryset

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return StrictChangeList

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        if lookup in self.link_lookups:
            return True
        names = [_filter_name(entry) for entry in self.list_filter]
        return any(lookup == name or lookup.startswith(f"{name}__") for name in names)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs.setdefault("widget", CarefulAutocomplete(db_field, self.admin_site))
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field and db_field.name == self.business_path.removesuffix("_id") and current().is_limited:
            field.required = True  # a row without one would be about every business
        return field

    def formfield_for_manytomany(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs.setdefault("widget", CarefulAutocompleteMultiple(db_field, self.admin_site))
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        try:
            return super().get_changelist_instance(request)
        except (IncorrectLookupParameters, DisallowedModelAdminLookup) as error:
            raise BadAddressError(
                _("The address holds a filter, or a value of one, that this list does not know: %(query)s")
                % {"query": request.GET.urlencode()[:200]}
            ) from error

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        try:
            return super().changelist_view(request, extra_context)
        except BadAddressError as error:
            return self._error_page(request, error.status, error.title, error.explanation, back=request.path)

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        explanation = _("There is no %(name)s with the id “%(id)s”. It may have been removed since.") % {
            "name": opts.verbose_name,
            "id": object_id[:100],
        }
        return self._error_page(request, 404, _("Not found"), explanation)

    def _error_page(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.admin_site.error_page(request, *args, **kwargs)  # type: ignore[attr-defined,no-any-return]


def _filter_name(entry: Any) -> str:
    """The name that the addresses of an entry of `list_filter` begin with."""
    if isinstance(entry, type) and issubclass(entry, SimpleListFilter):
        return str(entry.parameter_name)
    return str(entry[0] if isinstance(entry, tuple | list) else entry)
