"""Admin pages of staff, and of what the app records about its changes to the database."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.models import Group
from django.db import models
from django.forms import ModelMultipleChoiceField
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from waops.access.people import User
from waops.accounts.admin import AccountAccess
from waops.accounts.authority import groups_to_give, outranks, permissions_to_give
from waops.accounts.permission_names import PermissionsField
from waops.admin.addresses import ClearAddresses
from waops.admin.filters import KnownValues
from waops.admin.read_only import ReadOnlyAdmin
from waops.schema.models import ArchivedRow, InstalledObject
from waops.templatetags.waops import json_block, ltr


@admin.register(User)
class UserAdmin(ClearAddresses, AccountAccess):
    """Staff accounts. Permissions come only through groups, because no page would show single ones."""

    searches_identifiers = True

    list_display = ("username", "first_name", "last_name", "is_active", "is_superuser", "second_factor", "last_login")
    list_filter = ("is_active", "is_superuser", "groups")
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Person"), {"fields": ("first_name", "last_name", "email")}),
        (_("Permissions"), {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
    )

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or outranks(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or outranks(request, obj))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        own = tuple(super().get_readonly_fields(request, obj))
        return own if request.user.is_superuser else (*own, "is_superuser")  # type: ignore[union-attr]

    def formfield_for_manytomany(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "groups":
            kwargs["queryset"] = groups_to_give(request)
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Keep groups that the form does not offer."""
        if change and "groups" in form.cleaned_data:
            kept = form.instance.groups.exclude(pk__in=groups_to_give(request).values("pk"))
            form.cleaned_data["groups"] = [*form.cleaned_data["groups"], *kept]
        super().save_related(request, form, formsets, change)


admin.site.unregister(Group)

WITHOUT_PAGES = ("axes", "otp_totp", "otp_static")
"""Apps whose permissions would have no effect."""


@admin.register(Group)
class GroupAdmin(ClearAddresses, DjangoGroupAdmin):
    searches_identifiers = True
    filter_horizontal = ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and self._is_in_reach(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and self._is_in_reach(request, obj)

    def _is_in_reach(self, request: HttpRequest, group: Group | None) -> bool:
        return group is None or groups_to_give(request).filter(pk=group.pk).exists()

    def formfield_for_manytomany(
        self, db_field: "models.ManyToManyField[Any, Any]", request: HttpRequest | None = None, **kwargs: Any
    ) -> "ModelMultipleChoiceField[Any] | None":
        assert request is not None  # Django's own pages always add it
        shown = (
            permissions_to_give(request)
            .exclude(content_type__app_label__in=WITHOUT_PAGES)
            .select_related("content_type")
        )
        field: ModelMultipleChoiceField[Any] | None = super().formfield_for_manytomany(
            db_field, request, form_class=PermissionsField, **{"queryset": shown, **kwargs}
        )
        return field


class KindFilter(KnownValues):
    title = _("kind")
    parameter_name = "kind"
    fields = ("kind",)
    values = InstalledObject.Kind.choices


@admin.register(InstalledObject)
class InstalledObjectAdmin(ReadOnlyAdmin):
    list_display = ("name", "kind", "was_there", "installed_at")
    list_filter = (KindFilter,)
    search_fields = ("identity",)
    searches_identifiers = True
    ordering = ("identity",)
    fields = ("kind", "name", "before", "installed_at")

    @admin.display(description=_("object"), ordering="identity")
    def name(self, row: InstalledObject) -> SafeString | str:
        return ltr(row.identity)

    @admin.display(description=_("existed before"), boolean=True)
    def was_there(self, row: InstalledObject) -> bool:
        return row.before is not None


@admin.register(ArchivedRow)
class ArchivedRowAdmin(ReadOnlyAdmin):
    list_display = ("origin", "repair", "archived_at")
    search_fields = ("row_id",)
    searches_identifiers = True
    ordering = ("-archived_at",)
    fields = ("table", "row_id", "content", "repair", "archived_at")

    @admin.display(description=_("row"))
    def origin(self, row: ArchivedRow) -> SafeString | str:
        return ltr(f"{row.table} {row.row_id}")

    @admin.display(description=_("content"))
    def content(self, row: ArchivedRow) -> SafeString | str:
        return json_block(row.row)
