"""`/healthz`, whether this process answers, and `/readyz`, whether it can serve pages.

Answered before anything else looks at the request: a probe has no session, no language and often no right Host.
"""

import logging
from collections.abc import Callable
from functools import cache

from django.core.checks import CheckMessage
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse

from waops.checks.connection import database_is_usable
from waops.embedded import EmbeddedServerError
from waops.operate.reading import bounded, fetch, fetch_value

logger = logging.getLogger(__name__)

HEALTH, READINESS = "/healthz", "/readyz"
PROBES = (HEALTH, READINESS)

REASONS = {
    "waops.E001": "database_unreachable",
    "waops.E002": "wrong_search_path",
    "waops.E003": "foreign_migrations_in_public",
    "waops.E004": "tables_missing",
}
"""What is told to whoever asks, by the id of the check; what the check says in words goes to the log."""

MIGRATIONS_PENDING = "migrations_pending"


class ProbeMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path not in PROBES:
            return self.get_response(request)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        response = healthy() if request.path == HEALTH else ready()
        response.headers["Cache-Control"] = "no-store"
        return response


def healthy() -> JsonResponse:
    return JsonResponse({"status": "ok"})


def ready() -> JsonResponse:
    """200, or 503 with reasons that name no host, role or table."""
    reasons = find_reasons()
    if not reasons:
        return JsonResponse({"status": "ready"})
    return JsonResponse({"status": "unavailable", "reasons": reasons}, status=503, headers={"Retry-After": "10"})


def find_reasons() -> list[str]:
    """Why pages cannot be served now; empty if they can. What is behind each is logged."""
    messages = [m for m in database_is_usable(databases=[DEFAULT_DB_ALIAS]) if m.is_serious()]
    for message in messages:
        _log(message)
    if messages:
        return [REASONS.get(str(message.id), "database_unusable") for message in messages]
    try:
        pending = pending_migrations()
    except (DatabaseError, EmbeddedServerError) as error:
        logger.warning("Not ready: %s", error)
        return [REASONS["waops.E001"]]
    if pending:
        logger.warning("Not ready: migrations have not run: %s", ", ".join(f"{app}.{name}" for app, name in pending))
        return [MIGRATIONS_PENDING]
    return []


def pending_migrations() -> list[tuple[str, str]]:
    """App and name of each migration of this version that the database has not had. One query."""
    with bounded(connection):
        if fetch_value(connection, "SELECT pg_catalog.to_regclass('django_migrations')") is None:
            return sorted(known_migrations())
        applied = fetch(connection, lambda app, name: (app, name), "SELECT app, name FROM django_migrations")
    return sorted(known_migrations().difference(applied))


@cache
def known_migrations() -> frozenset[tuple[str, str]]:
    """As this version's files say. Read once: files do not change under a running process."""
    return frozenset(MigrationLoader(None, ignore_no_migrations=True).disk_migrations)


def _log(message: CheckMessage) -> None:
    logger.warning("Not ready: %s: %s", message.id, message.msg)
