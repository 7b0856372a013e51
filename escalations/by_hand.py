"""Handing a conversation to people from its own page."""

from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern
from django.utils.html import format_html
from django.utils.translation import gettext as _

from escalations.action_forms import EscalateForm
from escalations.announcements import announce
from escalations.people import person
from escalations.procedures import Outcome, escalate
from waops.access import may
from waops.templatetags.waops import phone

if TYPE_CHECKING:
    from escalations.admin import EscalationAdmin

PERMISSION = "escalations.open_escalation"


def urls(desk: "EscalationAdmin") -> list[URLPattern]:
    return [desk.page("conversation/<uuid:conversation>/", _escalate, "by-hand")]


def _escalate(request: HttpRequest, conversation: UUID) -> HttpResponse:
    """To the new case, or to the one that somebody, or the service, has opened already.

    Whoever signs in again on the way arrives with GET, which changes nothing.
    """
    if not may(request, PERMISSION):
        raise PermissionDenied
    page = redirect("admin:conversations_conversation_change", conversation)
    if request.method != "POST":
        return page
    form = EscalateForm(request.POST)
    if not form.is_valid():
        messages.error(request, str(next(iter(form.errors.values()))[0]))
        return page
    result = escalate(conversation, person(request), form.cleaned_data["note"])
    if result.outcome is Outcome.NOT_FOUND:
        messages.error(request, _("This conversation does not exist any more."))
        return redirect("admin:conversations_conversation_changelist")
    if result.outcome is Outcome.ALREADY_OPEN:
        told = format_html(_("{} has been escalated already: this is the open case."), phone(result.whatsapp_number))
        messages.warning(request, told)
    else:
        announce(request, [result])
    return redirect("admin:escalations_escalation_change", result.escalation_id)
