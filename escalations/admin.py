"""Show the desk instead of a list of escalations, and the admin pages of its settings."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from escalations.attention.page import AttentionPages
from escalations.desk.bulk import BulkPages
from escalations.desk.detail import DetailPages
from escalations.desk.escalate import EscalatePages
from escalations.desk.live import LivePages
from escalations.desk.queue import QueuePages
from escalations.desk.reply import ReplyPages
from escalations.models import (
    CannedNote,
    CannedReply,
    ClosingOutcome,
    ClosingRule,
    Escalation,
    SLATarget,
    WorkingDay,
)
from escalations.reports.page import ReportPages
from escalations.search.page import SearchPages
from usage.admin import BusinessRuleAdmin
from waops.admin.addresses import ClearAddresses
from waops.templatetags.waops import status


@admin.register(Escalation)
class EscalationAdmin(
    QueuePages, LivePages, BulkPages, SearchPages, AttentionPages, ReportPages, EscalatePages, ReplyPages, DetailPages
):
    in_phone_bar = True
    navigation, icon = "work", "queue"


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


class CannedTextAdmin(ClearAddresses):
    list_display = ("__str__", "offered", "position")
    search_fields = ("title_en", "title_ar", "text_en", "text_ar")
    searches_identifiers = True

    @admin.display(description=gettext_lazy("state"), ordering="is_active")
    def offered(self, row: CannedNote | CannedReply) -> SafeString:
        return _offered(row.is_active)


def _fieldsets(description: Promise) -> tuple[Any, ...]:
    fields = (("title_en", "title_ar"), "text_en", "text_ar", "position", "is_active")
    return ((None, {"fields": fields, "description": description}),)


@admin.register(CannedNote)
class CannedNoteAdmin(CannedTextAdmin):
    fieldsets = _fieldsets(
        gettext_lazy(
            "In the texts, {customer}, {number}, {business} and {me} are replaced with the customer's name, the "
            "phone number, the business and the author of the note."
        )
    )


@admin.register(CannedReply)
class CannedReplyAdmin(CannedTextAdmin):
    fieldsets = _fieldsets(
        gettext_lazy(
            "Customers read these texts. {customer}, {business} and {me} stand for the customer's name, the business "
            "and the name of the person who replies."
        )
    )


@admin.register(ClosingRule)
class ClosingRuleAdmin(BusinessRuleAdmin):
    list_display = ("__str__", "note_required")


@admin.register(SLATarget)
class SLATargetAdmin(ClearAddresses):
    list_display = ("__str__", "warn_minutes", "breach_minutes", "clock")


@admin.register(WorkingDay)
class WorkingDayAdmin(ClearAddresses):
    list_display = ("weekday", "begins", "ends")
    list_filter = ("weekday",)
