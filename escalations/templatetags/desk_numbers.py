"""Durations and shares on the page of numbers."""

from datetime import timedelta

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from escalations.waiting import in_words

register = template.Library()


@register.filter
def duration(value: timedelta | None) -> str:
    """Such as "3 h 12 min"; a dash if there is none."""
    return "—" if value is None else in_words(value)


@register.simple_tag
def share_bar(part: int, whole: int) -> SafeString:
    """A bar as long as the share; the number itself stands beside it."""
    return format_html(
        '<svg class="share" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        '<rect width="{}" height="8" /></svg>',
        round(100 * part / whole),
    )
