"""Waiting times and reasons in words."""

from datetime import datetime

from django import template
from django.utils import timezone

from escalations import reasons, vocabulary, waiting

register = template.Library()


@register.filter
def waited(since: datetime | None) -> str:
    """How long ago that was, such as "3 h 12 min"; empty if it is not known."""
    return "" if since is None else waiting.in_words(timezone.now() - since)


@register.filter
def urgency(since: datetime | None) -> waiting.Urgency:
    return waiting.urgency(since, timezone.now())


@register.filter
def reason(why: str | None) -> str:
    return reasons.in_words(why)


@register.filter
def known_word(code: str) -> str:
    """The word for a code that the service stores, such as a mood."""
    return vocabulary.in_words(code)
