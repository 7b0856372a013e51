"""Show waiting times and reasons in words, and parts shared by the desk's pages."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import template
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from conversations.models import Conversation
from escalations import sla
from escalations.attention.queries import known_count
from escalations.desk import escalate, rows
from escalations.desk.queue import filter_fields
from escalations.models import reason_in_words
from waops.access.readers import may
from waops.access.vocabulary import in_words
from waops.database.moments import OutOfRange

register = template.Library()


@register.filter
def waited(since: datetime | None) -> str:
    """How much time has passed since then, such as "3 h 12 min"; empty if unknown."""
    if since is None:
        return ""
    return str(since) if isinstance(since, OutOfRange) else sla.in_words(timezone.now() - since)


@register.filter
def reason(why: str | None) -> str:
    return reason_in_words(why)


@register.filter
def known_word(code: str) -> str:
    """The label of a code that the service stores, such as a mood."""
    return in_words(code)


@register.filter
def duration(value: timedelta | None) -> str:
    """A duration such as "3 h 12 min"; a dash if there is none."""
    return "—" if value is None else sla.in_words(value)


@register.simple_tag
def share_bar(part: int, whole: int) -> SafeString:
    """A bar of the share's length; the number itself is next to it."""
    return format_html(
        '<svg class="share" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        '<rect width="{}" height="8" /></svg>',
        round(100 * part / whole),
    )


@register.inclusion_tag("escalations/desk/tabs.html", takes_context=True)
def desk_tabs(context: dict[str, Any], current: str = "") -> dict[str, Any]:
    """Links to queue, needs attention with its count, search and reports. `current` names the current page.

    An unknown count is fetched by the browser, so that no page waits for what another one shows.
    """
    request: HttpRequest = context["request"]
    may_view = may(request, "escalations.view_escalation")
    return {"current": current, "may_view": may_view, "attention_count": known_count() if may_view else ""}


@register.inclusion_tag("escalations/desk/escalate.html", takes_context=True)
def escalation_of(context: dict[str, Any], conversation: Conversation) -> dict[str, Any]:
    """A link from a conversation to its open escalation, or a form that escalates it."""
    content = escalate.escalation_of(context["request"], conversation)
    return {**content, "csrf_token": context.get("csrf_token")}


@register.inclusion_tag("escalations/desk/live.html", takes_context=True)
def desk_live(context: dict[str, Any], since: datetime | None = None) -> dict[str, Any]:
    """What keeps a page live, with its marks and alerts. `since` is when a page of the desk was loaded;
    other pages are told what is new from the first response on.
    """
    request: HttpRequest = context["request"]
    if not may(request, "escalations.view_escalation"):
        return {}
    return {"since": since, "me": request.user.pk, "script": since is None}


@register.simple_tag
def escalation_address(pk: UUID, queue: str = "") -> str:
    """An escalation's page, within the queue that the person came from."""
    return rows.in_queue(reverse("admin:escalations_escalation_change", args=[pk]), queue)


for tag in (rows.waiting, rows.writing, rows.snoozed, rows.resolver, rows.outcome, rows.escalated, filter_fields):
    register.simple_tag(tag)
