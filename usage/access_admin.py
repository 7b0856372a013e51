"""Admin pages for limits of access, for administrators."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from usage.models import AccessLimit
from waops.access.people import User
from waops.admin.addresses import ClearAddresses
from waops.templatetags.waops import outside_text

NAMED = 3
"""Most businesses named in a row of the list."""


@admin.register(AccessLimit)
class AccessLimitAdmin(ClearAddresses):
    list_display = ("__str__", "whom", "which")
    fieldsets = (
        (
            None,
            {
                "fields": ("person", "group", "businesses"),
                "description": gettext_lazy(
                    "Choose a person or a group. They will see only these businesses, on every page; none if you "
                    "choose none. A person's limits add up. To lift a limit, delete it."
                ),
            },
        ),
    )
    autocomplete_fields = ("person", "businesses")
    delete_confirmation_template = "usage/lift_limit.html"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Keep the person or group: giving a limit to someone else would silently lift it from the first person."""
        return ("person", "group") if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and request.user.is_superuser  # type: ignore[union-attr]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """No bulk deletion: the page for lifting a limit names the people who will see everything."""
        return {}

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        limit = self.get_object(request, object_id)
        freed = self._freed(limit) if limit else []
        return super().delete_view(request, object_id, {"freed": freed, **(extra_context or {})})

    @staticmethod
    def _freed(limit: AccessLimit) -> list[str]:
        """Staff members who would see every business, because no other limit applies to them."""
        whom = Q(groups=limit.group_id) if limit.group_id else Q(pk=limit.person_id)
        others = AccessLimit.objects.exclude(pk=limit.pk)
        persons, groups = others.exclude(person=None).values("person"), others.exclude(group=None).values("group")
        members = User.objects.filter(whom).exclude(Q(pk__in=persons) | Q(groups__in=groups)).order_by("username")
        return [person.name for person in members]

    ordering = ("pk",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("person", "group").prefetch_related("businesses")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Only offer choices; people, groups and businesses are created and changed on their own pages."""
        field: Any = super().formfield_for_dbfield(db_field, request, **kwargs)
        if isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        return field

    @admin.display(description=gettext_lazy("limits"))
    def whom(self, row: AccessLimit) -> str:
        return _("a person") if row.person_id else _("everyone in a group")

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
        """Name the businesses that were added and removed; "Businesses" alone would tell an auditor nothing."""
        before = set() if add else set(form.initial.get("businesses") or [])
        after = set(form.cleaned_data["businesses"])
        moved = [f"+ {one}" for one in sorted(after - before, key=str)]
        moved += [f"− {one}" for one in sorted(before - after, key=str)]
        entry = super().construct_change_message(request, form, formsets, add)
        return [*(part for part in entry if "added" in part), {"changed": {"fields": moved}}] if moved else entry
