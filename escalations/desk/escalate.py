"""Escalate a conversation from its own page."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from conversations.models import Conversation
from escalations.desk.actions import EscalateForm
from escalations.desk.base import DeskPages, person
from escalations.desk.messages import announce
from escalations.procedures import Outcome, escalate
from escalations.queries import open_escalation_of
from waops.access.readers import may
from waops.admin.drafts import sent_from
from waops.admin.once import once, say_twice
from waops.templatetags.waops import phone

PERMISSION = "escalations.open_escalation"


class EscalatePages(DeskPages):
    def get_urls(self) -> list[URLPattern]:
        return [self.page("conversation/<uuid:conversation>/", escalate_view, "escalate"), *super().get_urls()]


@sent_from(lambda conversation: reverse("admin:conversations_conversation_change", args=[conversation]))
def escalate_view(request: HttpRequest, conversation: UUID) -> HttpResponse:
    """Redirect to the new escalation, or to the one that a colleague or the service has already opened."""
    if not may(request, PERMISSION):
        raise PermissionDenied
    page = redirect("admin:conversations_conversation_change", conversation)
    form = EscalateForm(request.POST)
    if not form.is_valid():
        messages.error(request, str(next(iter(form.errors.values()))[0]))
        return page
    note = form.cleaned_data["note"]
    result = once(request, lambda: escalate(conversation, person(request), note), lambda result: result.is_done)
    if result is None:
        say_twice(request)
        return page
    if result.outcome is Outcome.NOT_FOUND:
        messages.error(request, _("This conversation no longer exists."))
        return redirect("admin:conversations_conversation_changelist")
    if result.outcome is Outcome.ALREADY_OPEN:
        told = format_html(_("{} is already escalated: this is the open escalation."), phone(result.whatsapp_number))
        messages.warning(request, told)
    else:
        announce(request, [result])
    return redirect("admin:escalations_escalation_change", result.escalation_id)


def escalation_of(request: HttpRequest, conversation: Conversation) -> dict[str, Any]:
    """The open escalation of a conversation's page, or whether this person may escalate it."""
    if not may(request, "escalations.view_escalation"):
        return {}
    escalation = open_escalation_of(conversation)
    return {
        "escalation": escalation,
        "conversation": conversation,
        "may_escalate": escalation is None and may(request, PERMISSION),
    }
