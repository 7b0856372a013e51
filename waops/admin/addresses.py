"""Reject addresses of things that do not exist with a page that explains it, instead of Django's silent redirects."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from django.contrib.admin import ModelAdmin, ShowFacets
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ORDER_VAR, PAGE_VAR, ChangeList
from django.core.exceptions import BadRequest
from django.core.paginator import InvalidPage
from django.db import DataError, models
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from waops.access import personal
from waops.access.log import note_search
from waops.access.readers import current
from waops.admin.autocomplete import CarefulAutocomplete, CarefulAutocompleteMultiple
from waops.admin.once import once, say_twice

ADDED = "_waops_added"
"""Set on a request whose form has added a row."""
NOT_A_VALUE = (DataError, ValueError, OverflowError)
"""Exceptions that Python and the database raise for values no column could hold."""


class BadAddressError(BadRequest):
    """A list was asked for with an unknown filter, order or page. `status` is that of the response."""

    status = 400
    title = gettext_lazy("This address does not work")


class NoSuchPageError(BadAddressError):
    """The list ends before the requested page."""

    status = 404
    title = gettext_lazy("This page does not exist")


class StrictChangeList(ChangeList):
    """Reads the page's rows early, so that a value rejected by the database is noticed here."""

    def __init__(self, request: HttpRequest, *args: Any) -> None:
        page, order = request.GET.get(PAGE_VAR, "1"), request.GET.get(ORDER_VAR, "")
        if not (page.isascii() and page.isdecimal() and len(page) <= 9):
            raise BadAddressError(_("“%(value)s” is not a page number.") % {"value": page[:50]})
        if not all(part.removeprefix("-").isdecimal() for part in filter(None, order.split("."))):
            raise BadAddressError(_("This list cannot be sorted by “%(value)s”.") % {"value": order[:50]})
        super().__init__(request, *args)
        if self.model_admin.number_field and not personal.sees_numbers():  # type: ignore[attr-defined]
            self.search_help_text = _("The last four digits of the customer's number")

    def get_filters(self, request: HttpRequest) -> Any:
        """Reject unknown filters: asked often enough, their answers would reveal hidden data."""
        found = super().get_filters(request)
        if unknown := found[2].keys() - set(self.model_admin.link_lookups):  # type: ignore[attr-defined]
            raise DisallowedModelAdminLookup(", ".join(sorted(unknown)))
        return found

    def get_queryset(self, request: HttpRequest, *args: Any, **kwargs: Any) -> models.QuerySet[Any]:
        queryset: models.QuerySet[Any] = super().get_queryset(request, *args, **kwargs)
        return self.model_admin.for_list(queryset)  # type: ignore[attr-defined,no-any-return]

    def get_results(self, request: HttpRequest) -> None:
        paginator = self.model_admin.get_paginator(request, self.queryset, self.list_per_page)
        try:
            self.result_count = paginator.count
            self.result_list = list(paginator.page(self.page_num).object_list)
        except InvalidPage as error:
            pages = paginator.num_pages
            raise NoSuchPageError(
                _("There is no page %(page)s: the last page is %(pages)s. Search or filter to find other rows.")
                % {"page": self.page_num, "pages": pages}
            ) from error
        except NOT_A_VALUE as error:
            raise IncorrectLookupParameters from error
        self.paginator = paginator
        self.multi_page = paginator.num_pages > 1
        self.show_full_result_count = self.show_admin_actions = bool(self.result_count)
        self.full_result_count = self.result_count
        self.can_show_all = False


class ClearAddresses(ModelAdmin):  # type: ignore[type-arg]
    """Mixin for admins: unknown filters get 400, unknown pages and rows 404, each with an explanation, and
    an invalid key in a form becomes an error of its field.
    """

    show_facets = ShowFacets.NEVER  # they would count a whole table for each choice
    link_lookups: Iterable[str] = ()
    """Lookups used by links in this app. An address may use these, and what the filters of `list_filter` produce."""
    business_path = ""
    """Path from a row of this app to its business's id. Limited people see only the rows of their businesses."""

    number_field = ""
    """The column of phone numbers that the search looks up, in full or by their last four digits."""
    searches_identifiers = False
    """Whether the search is among texts that everyone sees in full, such as names of indexes."""

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Any], search_term: str
    ) -> tuple[models.QuerySet[Any], bool]:
        """Search, unless it would reveal a masked number. Raises BadAddressError, a BadRequest."""
        if not search_term:
            return queryset, False
        by_number = bool(self.number_field)
        if not self.searches_identifiers:
            if why_not := personal.refusal(search_term, by_number=by_number):
                raise BadAddressError(why_not)
            note_search(request, self.opts.label_lower, search_term)
            if by_number and not personal.may_search(search_term):
                return self.search_ending(queryset, personal.last_digits(search_term)), False
        return self.search(request, queryset, search_term)

    def search(
        self, request: HttpRequest, queryset: models.QuerySet[Any], search_term: str
    ) -> tuple[models.QuerySet[Any], bool]:
        """The rows that match a non-empty term, and whether they may contain duplicates."""
        return super().get_search_results(request, queryset, search_term)

    def search_ending(self, queryset: models.QuerySet[Any], last: str) -> models.QuerySet[Any]:
        """The rows whose number ends with those four digits."""
        return personal.ending_with(queryset, self.number_field, last)

    def changeform_view(self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any) -> Any:
        """Add a row only once, however often its form is submitted."""
        answer = partial(super().changeform_view, request, object_id, *args, **kwargs)
        if request.method != "POST" or object_id is not None:
            return answer()
        response = once(request, answer, lambda _: hasattr(request, ADDED))
        if response is None:
            say_twice(request)
            return self.response_post_save_add(request, None)
        return response

    def response_add(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        setattr(request, ADDED, True)
        return super().response_add(request, *args, **kwargs)

    def history_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """Mask numbers in the descriptions, because the author of a change may see more than the reader."""
        response = super().history_view(request, object_id, *args, **kwargs)
        for entry in (getattr(response, "context_data", None) or {}).get("action_list", ()):
            entry.change_message = personal.text(entry.get_change_message())
        return response

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        rows = super().get_queryset(request)
        return current().limit(rows, business=self.business_path) if self.business_path else rows

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        return None if "\0" in object_id else super().get_object(request, object_id, from_field)

    def for_list(self, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """The rows of the list; override it to leave out large columns."""
        return queryset

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return StrictChangeList

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allow everything here: `StrictChangeList.get_filters` rejects what no filter has used."""
        return True

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs.setdefault("widget", CarefulAutocomplete(db_field, self.admin_site))
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field and db_field.name == self.business_path.removesuffix("_id") and current().is_limited:
            field.required = True  # a row without one would apply to every business
        return field

    def formfield_for_manytomany(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs.setdefault("widget", CarefulAutocompleteMultiple(db_field, self.admin_site))
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        try:
            return super().get_changelist_instance(request)
        except (IncorrectLookupParameters, DisallowedModelAdminLookup, OverflowError) as error:
            raise BadAddressError(
                _("This list has no such filter or filter value: %(query)s") % {"query": request.GET.urlencode()[:200]}
            ) from error

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        try:
            return super().changelist_view(request, extra_context)
        except BadRequest as error:
            status = getattr(error, "status", BadAddressError.status)
            title = getattr(error, "title", BadAddressError.title)
            return self._error_page(request, status, title, str(error), back=request.path)

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        explanation = _("There is no %(name)s with the id “%(id)s”. It may have been removed.") % {
            "name": opts.verbose_name,
            "id": object_id[:100],
        }
        return self._error_page(request, 404, _("Not found"), explanation)

    def _error_page(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.admin_site.error_page(request, *args, **kwargs)  # type: ignore[attr-defined,no-any-return]
