"""Staff, and what the app remembers of its changes to the database."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.models import Group, Permission
from django.db import models
from django.forms import ModelMultipleChoiceField
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from waops.admin.addresses import ClearAddresses
from waops.admin.filters import KnownValues
from waops.admin.permission_names import PermissionsField
from waops.admin.read_only import ReadOnlyAdmin
from waops.admin.sign_ins import AccountAccess
from waops.models import ArchivedRow, InstalledObject, User
from waops.templatetags.waops import json_block, ltr


@admin.register(User)
class UserAdmin(ClearAddresses, AccountAccess):
    """Staff. Permissions come through groups; single ones would be seen by nobody."""

    list_display = ("username", "first_name", "last_name", "is_active", "is_superuser", "second_factor", "last_login")
    list_filter = ("is_active", "is_superuser", "groups")
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Person"), {"fields": ("first_name", "last_name", "email")}),
        (_("Permissions"), {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
    )


admin.site.unregister(Group)

WITHOUT_PAGES = ("axes", "otp_totp", "otp_static")
"""Apps whose permissions would permit nothing."""


@admin.register(Group)
class GroupAdmin(ClearAddresses, DjangoGroupAdmin):
    filter_horizontal = ()

    def formfield_for_manytomany(
        self, db_field: "models.ManyToManyField[Any, Any]", request: HttpRequest | None = None, **kwargs: Any
    ) -> "ModelMultipleChoiceField[Any] | None":
        shown = Permission.objects.exclude(content_type__app_label__in=WITHOUT_PAGES).select_related("content_type")
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
    ordering = ("identity",)
    fields = ("kind", "name", "before", "installed_at")

    @admin.display(description=_("object"), ordering="identity")
    def name(self, row: InstalledObject) -> SafeString | str:
        return ltr(row.identity)

    @admin.display(description=_("there before"), boolean=True)
    def was_there(self, row: InstalledObject) -> bool:
        return row.before is not None


@admin.register(ArchivedRow)
class ArchivedRowAdmin(ReadOnlyAdmin):
    list_display = ("origin", "repair", "archived_at")
    search_fields = ("row_id",)
    ordering = ("-archived_at",)
    fields = ("table", "row_id", "content", "repair", "archived_at")

    @admin.display(description=_("row"))
    def origin(self, row: ArchivedRow) -> SafeString | str:
        return ltr(f"{row.table} {row.row_id}")

    @admin.display(description=_("content"))
    def content(self, row: ArchivedRow) -> SafeString | str:
        return json_block(row.row)
