"""Every address of the app, from its URL configuration, so that no test must be told of a new page."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.apps import apps
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RegexPattern, RoutePattern

CONVERTER = re.compile(r"<(?:(\w+):)?\w+>")
OTHERWISE = {"int": "1", "uuid": "00000000-0000-4000-8000-000000000000"}
"""For a converter, where there is no row whose key could stand there."""


@dataclass(frozen=True)
class Address:
    """A page, by its full name ("admin:login"), and an address of it."""

    name: str
    path: str


def addresses() -> Iterator[Address]:
    """Those of pages for one row are of the model's first row, where its table has one."""
    yield from _below(get_resolver(), "/", "")


def _below(resolver: URLResolver, prefix: str, namespace: str) -> Iterator[Address]:
    for pattern in resolver.url_patterns:
        route = prefix + _route(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from _below(pattern, route, inner)
        elif isinstance(pattern, URLPattern):
            yield Address(f"{namespace}{pattern.name or pattern.lookup_str}", _filled(route))


def _route(pattern: RoutePattern | RegexPattern) -> str:
    if isinstance(pattern, RoutePattern):
        return pattern._route
    # The admin's two: the index of an app, and whatever no other address is.
    return {"(?P<url>.*)$": "no/such/page/"}.get(pattern._regex, "usage/")


def _filled(route: str) -> str:
    key = _first_key(route)
    return CONVERTER.sub(lambda found: key or OTHERWISE.get(found[1], "x"), route)


def _first_key(route: str) -> str:
    parts = route.strip("/").split("/")
    try:
        model = apps.get_model(parts[0], parts[1])
    except (LookupError, IndexError):
        return ""
    if not model._meta.managed and model._meta.object_name == "Operations":  # has no table
        return ""
    row = model._default_manager.order_by("pk").first()
    return "" if row is None else str(row.pk)
