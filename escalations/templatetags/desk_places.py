"""The desk's pages, from one to another."""

from typing import Any

from django import template
from django.http import HttpRequest

from escalations.attention.queries import cached_count
from waops.access import may

register = template.Library()


@register.inclusion_tag("escalations/search/places.html", takes_context=True)
def desk_places(context: dict[str, Any], current: str = "") -> dict[str, Any]:
    """Links to queue, needs attention with its count, search and numbers. `current` names the page it is on."""
    request: HttpRequest = context["request"]
    may_view = may(request, "escalations.view_escalation")
    return {"current": current, "may_view": may_view, "attention_count": cached_count() if may_view else 0}
