"""`/healthz`, whether this process responds, and `/readyz`, whether it can serve pages.

They respond before anything else handles the request: a probe has no session, no language and often not the right Host.
"""

import logging
from collections.abc import Callable

from django.core.checks import CheckMessage
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse

from waops.database.checks.connection import database_is_usable
from waops.database.fetch import fetch, fetch_value
from waops.dbops.findings import Damage
from waops.dbops.plan import all_migrations
from waops.dbops.reading import bounded
from waops.dbops.repairs.damaged import everything_damaged
from waops.serving.requests import HEALTH, PROBES

logger = logging.getLogger(__name__)

REASONS = {
    "waops.E001": "database_unreachable",
    "waops.E002": "wrong_search_path",
    "waops.E003": "foreign_migrations_in_public",
    "waops.E004": "tables_missing",
}
"""What callers are told, by the id of the check; the check's message goes to the log."""

RECORD_IS_WHOLE = """
    SELECT pg_catalog.has_table_privilege(attrelid, 'SELECT') AND pg_catalog.count(*) = 2
    FROM pg_catalog.pg_attribute
    WHERE attrelid = pg_catalog.to_regclass('django_migrations') AND attname IN ('app', 'name') GROUP BY attrelid
"""
MIGRATIONS_PENDING = "migrations_pending"
SCHEMA_DAMAGED = "schema_damaged"


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
    """Answer `/readyz`: 200 or 503, with reasons that name no host or role, and our damaged objects.

    Damage that still lets pages be served is `degraded`, not `unavailable`: every process shares the database, so a
    load balancer that removed them would turn a small failure into a complete one.
    """
    reasons, damages = find_reasons()
    damaged = sorted({damage.subject for damage in damages})
    if reasons:
        answer = {"status": "unavailable", "reasons": reasons, **({"damaged": damaged} if damaged else {})}
        return JsonResponse(answer, status=503, headers={"Retry-After": "10"})
    return JsonResponse({"status": "degraded", "damaged": damaged} if damaged else {"status": "ready"})


def find_reasons() -> tuple[list[str], list[Damage]]:
    """Why pages cannot be served now (empty if they can), and which of our objects are damaged. Details are logged."""
    messages = [m for m in database_is_usable(databases=[DEFAULT_DB_ALIAS]) if m.is_serious()]
    for message in messages:
        _log(message)
    if messages:
        return [REASONS.get(str(message.id), "database_unusable") for message in messages], []
    try:
        with bounded(connection):
            applied = applied_migrations()
            damages = everything_damaged(connection, applied & all_migrations())
    except DatabaseError as error:
        logger.warning("Not ready: %s", error)
        return [REASONS["waops.E001"]], []
    for damage in damages:
        logger.warning("Damaged: %s: %s", damage.subject, damage.what)
    if any(damage.stops_pages for damage in damages):
        return [SCHEMA_DAMAGED], damages
    if pending := sorted(all_migrations() - applied):
        logger.warning("Not ready: migrations have not run: %s", ", ".join(f"{app}.{name}" for app, name in pending))
        return [MIGRATIONS_PENDING], damages
    return [], damages


def applied_migrations() -> frozenset[tuple[str, str]]:
    """App and name of each applied migration. None if the record is damaged."""
    if fetch_value(connection, RECORD_IS_WHOLE) is not True:
        return frozenset()
    return frozenset(fetch(connection, lambda app, name: (app, name), "SELECT app, name FROM django_migrations"))


def _log(message: CheckMessage) -> None:
    logger.warning("Not ready: %s: %s", message.id, message.msg)
