"""Waiting times and reasons in words."""

from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone

from escalations import reasons, waiting
from escalations.last_messages import COUNTED
from waops.vocabulary import in_words

register = template.Library()


@register.filter
def waited(since: datetime | None) -> str:
    """How long ago that was, such as "3 h 12 min"; empty if it is not known."""
    return "" if since is None else waiting.in_words(timezone.now() - since)


@register.filter
def urgency(since: datetime | None, plan_type: str | None = None) -> waiting.Urgency:
    return waiting.urgency(since, plan_type, timezone.now())


@register.filter
def written_since(case: Any) -> int:
    """How often the customer wrote while waiting; COUNTED means so often or more."""
    return sum(at > case.waiting_since for at in case.wrote_at or ()) if case.waiting_since else 0


@register.filter
def reason(why: str | None) -> str:
    return reasons.in_words(why)


@register.filter
def known_word(code: str) -> str:
    """The word for a code that the service stores, such as a mood."""
    return in_words(code)


@register.simple_tag
def most_counted() -> int:
    return COUNTED
