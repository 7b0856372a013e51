"""The desk's pages beside the queue and the case: search, what needs attention, numbers."""

from typing import TYPE_CHECKING

from django.urls import URLPattern

from escalations.attention import urls as attention
from escalations.numbers import urls as numbers
from escalations.search import urls as search

if TYPE_CHECKING:
    from escalations.admin import EscalationAdmin


def urls(desk: "EscalationAdmin") -> list[URLPattern]:
    """Their addresses, below that of the escalations' list."""
    return [*search.urls(desk), *attention.urls(desk), *numbers.urls(desk)]
