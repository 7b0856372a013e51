"""Admin pages of the login history, and actions for people who cannot log in."""

from functools import update_wrapper
from typing import Any

from axes.helpers import get_cool_off
from axes.models import AccessAttempt
from axes.utils import reset as lift_lock
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import Exists, OuterRef, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_otp.plugins.otp_static import admin as backup_code_admin  # noqa: F401 registers what is unregistered here
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp import admin as authenticator_admin  # noqa: F401
from django_otp.plugins.otp_totp.models import TOTPDevice

from waops.access.people import User
from waops.accounts import second_factor
from waops.accounts.history import Kind, record
from waops.accounts.models import SignInEvent
from waops.admin.drafts import sent_from
from waops.admin.filters import KnownValues
from waops.admin.read_only import ReadOnlyAdmin, list_address, may_view
from waops.templatetags.waops import ltr, status

# These pages show the secrets.
admin.site.unregister([TOTPDevice, StaticDevice])

LOOKS = {
    Kind.FAILED: "waiting",
    Kind.CODE_REFUSED: "waiting",
    Kind.LOCKED_OUT: "late",
    Kind.LOGGED_IN: "done",
    Kind.CODE_ACCEPTED: "done",
}
"""Kinds of `status`; all other events are shown as "off"."""


class KindFilter(KnownValues):
    title = gettext_lazy("what")
    parameter_name = "kind"
    fields = ("kind",)
    values = Kind.choices


@admin.register(SignInEvent)
class SignInEventAdmin(ReadOnlyAdmin):
    list_display = ("at", "what", "account", "address_", "by")
    list_display_links = ("at",)
    list_filter = (KindFilter,)
    search_fields = ("person_name", "address")
    searches_identifiers = True
    search_help_text = gettext_lazy("Account or address")
    ordering = ("-at", "-id")
    fields = ("at", "what", "account", "address_", "by", "browser", "request_id")
    link_lookups = ("person",)

    def heading(self, row: SignInEvent) -> str:
        return f"{row.get_kind_display()} · {row.person_name}".removesuffix(" · ")

    @admin.display(description=gettext_lazy("what"))
    def what(self, row: SignInEvent) -> SafeString:
        return status(LOOKS.get(Kind(row.kind), "off"), row.get_kind_display())

    @admin.display(description=gettext_lazy("account"))
    def account(self, row: SignInEvent) -> SafeString | str:
        return format_html("<bdi>{}</bdi>", row.person_name) if row.person_name else _("no such account")

    @admin.display(description=gettext_lazy("from where"))
    def address_(self, row: SignInEvent) -> SafeString | str:
        return ltr(row.address)

    @admin.display(description=gettext_lazy("by"))
    def by(self, row: SignInEvent) -> SafeString | str:
        return format_html("<bdi>{}</bdi>", row.actor_name) if row.actor_name else ""


class AccountAccess(DjangoUserAdmin):  # type: ignore[type-arg]
    """Mixin for the user admin: shows whether an account has a second factor, and removes it when it is lost."""

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[User]:
        devices = TOTPDevice.objects.filter(user=OuterRef("pk"), confirmed=True)
        people: models.QuerySet[User] = super().get_queryset(request)
        return people.annotate(has_second_factor=Exists(devices))

    def get_urls(self) -> list[Any]:
        return [
            self._page("<int:pk>/remove-second-factor/", self.remove_second_factor_view, "remove_second_factor"),
            self._page("<int:pk>/lift-lock/", self.lift_lock_view, "lift_lock"),
            *super().get_urls(),
        ]

    @admin.display(description=gettext_lazy("second factor"), boolean=True)
    def second_factor(self, user: User) -> bool:
        return bool(user.has_second_factor)  # type: ignore[attr-defined]  # by get_queryset

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        person = self.get_object(request, object_id)
        if person is not None:
            kwargs["extra_context"] = (kwargs.get("extra_context") or {}) | {
                "has_second_factor": person.has_second_factor,
                "is_locked_out": is_locked_out(person),
                "may_open_account": self._may_open_account(request, person),
                "sign_ins": list_address(SignInEvent, person=person.pk) if may_view(request, SignInEvent) else "",
            }
        return super().change_view(request, object_id, *args, **kwargs)

    @method_decorator(sent_from(lambda pk: reverse("admin:waops_user_change", args=[pk])))
    def remove_second_factor_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        person = self._person_for_change(request, pk)
        if person is not None and second_factor.remove(person, request):
            messages.success(request, _("The second factor of %(name)s was removed.") % {"name": person})
        return redirect("admin:waops_user_change", pk)

    @method_decorator(sent_from(lambda pk: reverse("admin:waops_user_change", args=[pk])))
    def lift_lock_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        person = self._person_for_change(request, pk)
        if person is not None and lift_lock(username=person.get_username()):
            record(Kind.LOCK_LIFTED, request, person, by=request.user)
            messages.success(request, _("%(name)s can try to log in again.") % {"name": person})
        return redirect("admin:waops_user_change", pk)

    def _person_for_change(self, request: HttpRequest, pk: int) -> User | None:
        """The person to change; None if there is none, which the next page reports. Raises PermissionDenied."""
        person = self.get_object(request, str(pk))
        if not self._may_open_account(request, person):
            raise PermissionDenied
        return person

    def _may_open_account(self, request: HttpRequest, person: User | None) -> bool:
        return self.has_change_permission(request, person)

    def _page(self, route: str, view: Any, name: str) -> Any:
        wrapped = update_wrapper(self.admin_site.admin_view(view), view)
        return path(route, wrapped, name=f"waops_user_{name}")


def is_locked_out(person: User) -> bool:
    """Whether logins to this account are currently refused from some address."""
    recent = AccessAttempt.objects.filter(
        username=person.get_username(), attempt_time__gte=timezone.now() - get_cool_off()
    )
    by_address = recent.values("ip_address").annotate(failures=Sum("failures_since_start"))
    return bool(by_address.filter(failures__gte=settings.AXES_FAILURE_LIMIT).exists())
