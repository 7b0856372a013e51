"""Admin pages of access records, for administrators."""

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from waops.access.log import AccessRecord
from waops.admin.filters import KnownValues
from waops.admin.read_only import ReadOnlyAdmin
from waops.templatetags.waops import ltr, outside_text


class ActionFilter(KnownValues):
    title = gettext_lazy("what")
    parameter_name = "action"
    fields = ("action",)
    values = AccessRecord.Action.choices


@admin.register(AccessRecord)
class AccessRecordAdmin(ReadOnlyAdmin):
    list_display = ("at", "who", "action", "of_what", "row_page", "narrowed_to")
    list_display_links = None
    list_filter = (ActionFilter, "at")
    search_fields = ("person_name", "object_id")
    search_help_text = gettext_lazy("A person's name, or the id of a row")
    ordering = ("-pk",)
    fields = ("at", "who", "action", "of_what", "row_page", "narrowed_to")

    searches_identifiers = True

    def search(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        return queryset.filter(person_name__icontains=search_term) | queryset.filter(object_id=search_term), False

    @admin.display(description=gettext_lazy("who"))
    def who(self, row: AccessRecord) -> SafeString | str:
        return outside_text(row.person_name, 60)

    @admin.display(description=gettext_lazy("what was read"), ordering="what")
    def of_what(self, row: AccessRecord) -> str:
        options = apps.get_model(row.what)._meta
        return capfirst(str(options.verbose_name if row.object_id else options.verbose_name_plural))

    @admin.display(description=gettext_lazy("row"))
    def row_page(self, row: AccessRecord) -> SafeString | str:
        if not row.object_id:
            return _("a list")
        try:
            address = reverse(f"admin:{row.what.replace('.', '_')}_change", args=[row.object_id])
        except NoReverseMatch:
            return ltr(row.object_id)
        return format_html('<a href="{}"><bdi dir="ltr">{}</bdi></a>', address, row.object_id[:8])

    @admin.display(description=gettext_lazy("filters of the export"))
    def narrowed_to(self, row: AccessRecord) -> SafeString | str:
        return ltr(row.details.get("query", ""))
