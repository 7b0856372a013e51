"""The desk's pages, from one to another and from a conversation."""

from typing import Any

from django import template
from django.http import HttpRequest

from conversations.models import Conversation
from escalations.attention.queries import known_count
from escalations.by_hand import PERMISSION
from escalations.queries import open_case_of
from waops.access import may

register = template.Library()


@register.inclusion_tag("escalations/search/places.html", takes_context=True)
def desk_places(context: dict[str, Any], current: str = "") -> dict[str, Any]:
    """Links to queue, needs attention with its count, search and numbers. `current` names the page it is on.

    A count that is not known is fetched by the browser: no page waits for what another one shows.
    """
    request: HttpRequest = context["request"]
    may_view = may(request, "escalations.view_escalation")
    return {"current": current, "may_view": may_view, "attention_count": known_count() if may_view else ""}


@register.inclusion_tag("escalations/by_hand.html", takes_context=True)
def escalation_of(context: dict[str, Any], conversation: Conversation) -> dict[str, Any]:
    """The way from a conversation to its open case, or a form that hands it to people."""
    request: HttpRequest = context["request"]
    if not may(request, "escalations.view_escalation"):
        return {}
    case = open_case_of(conversation)
    return {
        "case": case,
        "conversation": conversation,
        "may_escalate": case is None and may(request, PERMISSION),
        "csrf_token": context.get("csrf_token"),
    }
