"""Who sees which businesses: for administrators."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from usage.models import AccessLimit
from waops.admin.addresses import ClearAddresses
from waops.templatetags.waops import outside_text

NAMED = 3
"""Businesses that a row of the list names."""


@admin.register(AccessLimit)
class AccessLimitAdmin(ClearAddresses):
    list_display = ("__str__", "whom", "which")
    fieldsets = (
        (
            None,
            {
                "fields": ("person", "group", "businesses"),
                "description": gettext_lazy(
                    "Choose one person or one group. From then on they find these businesses only, on every page; "
                    "without any, nothing. Several limits of one person add up. To lift a limit, delete it."
                ),
            },
        ),
    )
    autocomplete_fields = ("person", "businesses")
    ordering = ("pk",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("person", "group").prefetch_related("businesses")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Chosen here, and made and changed on pages of their own."""
        field: Any = super().formfield_for_dbfield(db_field, request, **kwargs)
        if isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        return field

    @admin.display(description=gettext_lazy("limits"))
    def whom(self, row: AccessLimit) -> str:
        return _("a person") if row.person_id else _("everybody in a group")

    @admin.display(description=gettext_lazy("sees only"))
    def which(self, row: AccessLimit) -> SafeString | str:
        names = [str(business) for business in row.businesses.all()]
        if not names:
            return _("nothing")
        shown = _(", ").join(names[:NAMED])
        if (more := len(names) - NAMED) > 0:
            shown += " " + ngettext("and %(count)d more", "and %(count)d more", more) % {"count": more}
        return outside_text(shown)

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        """With the names of the businesses that came and went: "Businesses" alone would tell an auditor nothing."""
        before = set() if add else set(form.initial.get("businesses") or [])
        after = set(form.cleaned_data["businesses"])
        moved = [f"+ {one}" for one in sorted(after - before, key=str)]
        moved += [f"− {one}" for one in sorted(before - after, key=str)]
        entry = super().construct_change_message(request, form, formsets, add)
        return [*(part for part in entry if "added" in part), {"changed": {"fields": moved}}] if moved else entry
