"""The home page's panel for those who resolve escalations."""

from typing import Any

from django.http import HttpRequest

from escalations.people import person
from escalations.queries import longest_waiting, open_cases
from waops.admin.paginator import BoundedPaginator
from waops.home import Panel, register


def context(request: HttpRequest) -> dict[str, Any]:
    return {"count": BoundedPaginator(open_cases(), 1).count, "case": longest_waiting(person(request).pk)}


def register_panel() -> None:
    register(
        Panel(
            name="escalations",
            permission="escalations.resolve_escalation",
            template="escalations/home_panel.html",
            context=context,
            order=10,
        )
    )
