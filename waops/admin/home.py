"""The home page shows people their own work. Apps register panels, so that this package imports none of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from waops.access.readers import may

Context = Callable[[HttpRequest], dict[str, Any]]


@dataclass(frozen=True)
class Panel:
    """One card of the home page, shown to people with `permission` ("app_label.codename").

    `context` runs the panel's queries and is called only if the panel is shown; panels are sorted by `order`,
    ascending.
    """

    name: str
    permission: str
    template: str
    context: Context
    order: int = 100

    def render(self, request: HttpRequest) -> SafeString:
        return render_to_string(self.template, self.context(request), request)


_panels: dict[str, Panel] = {}


def register(panel: Panel) -> None:
    """Add a panel, or replace the one with the same name."""
    _panels[panel.name] = panel


def panels_for(request: HttpRequest) -> list[SafeString]:
    """The rendered panels for this person, most urgent first."""
    chosen = [panel for panel in _panels.values() if may(request, panel.permission)]
    return [panel.render(request) for panel in sorted(chosen, key=lambda panel: panel.order)]
