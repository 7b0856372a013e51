"""What managers set up for the desk."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from escalations.models import CannedNote, ClosingOutcome, ClosingRule, WaitTarget, WorkingDay
from waops.admin.addresses import ClearAddresses
from waops.templatetags.waops import status


def _offered(is_active: bool) -> SafeString:
    return status("done", _("offered")) if is_active else status("off", _("not offered"))


@admin.register(ClosingOutcome)
class ClosingOutcomeAdmin(ClearAddresses):
    list_display = ("__str__", "code", "offered", "position")
    fields = ("code", "name_en", "name_ar", "position", "is_active")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("code",) if obj else ()

    @admin.display(description=gettext_lazy("state"), ordering="is_active")
    def offered(self, row: ClosingOutcome) -> SafeString:
        return _offered(row.is_active)


@admin.register(CannedNote)
class CannedNoteAdmin(ClearAddresses):
    fieldsets = (
        (
            None,
            {
                "fields": (("title_en", "title_ar"), "text_en", "text_ar", "position", "is_active"),
                "description": gettext_lazy(
                    "In the texts {customer}, {number}, {business} and {me} stand for the customer's name, the phone "
                    "number, the business and the person who writes the note."
                ),
            },
        ),
    )
    list_display = ("__str__", "offered", "position")
    search_fields = ("title_en", "title_ar", "text_en", "text_ar")

    @admin.display(description=gettext_lazy("state"), ordering="is_active")
    def offered(self, row: CannedNote) -> SafeString:
        return _offered(row.is_active)


@admin.register(ClosingRule)
class ClosingRuleAdmin(ClearAddresses):
    business_path = "business_id"
    list_display = ("__str__", "note_required")
    list_select_related = ("business",)
    autocomplete_fields = ("business",)


@admin.register(WaitTarget)
class WaitTargetAdmin(ClearAddresses):
    list_display = ("__str__", "warn_minutes", "breach_minutes", "clock")


@admin.register(WorkingDay)
class WorkingDayAdmin(ClearAddresses):
    list_display = ("weekday", "begins", "ends")
    list_filter = ("weekday",)
