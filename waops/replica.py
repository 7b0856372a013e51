"""Lists, reports and exports from a read replica, where DATABASE_REPLICA_URL names one.

Whoever has changed something reads from the primary for a while. Everybody else reads from the replica as long as it
is no further behind than that while, so nobody ever misses what they have done themselves. The replica is not asked how
late it is, which it cannot know without its primary: each process notes now and then where the primary's log has got
to, and a replica that has come as far as the oldest note is not older than that note. Actions, locks, the live desk,
sessions, permissions and the message path never leave the primary. A replica that is late or gone is not used.
"""

import logging
import time
from collections import deque
from collections.abc import Callable
from contextvars import ContextVar
from threading import Lock
from typing import Any

from django.conf import settings
from django.core.signals import request_finished
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import HttpRequest, HttpResponse

from waops.unavailable import SAFE_METHODS

logger = logging.getLogger(__name__)

ALIAS = "replica"
LATEST_SECONDS = 10.0
"""How old what a replica's pages show may be."""
PIN_SECONDS = 12
"""For which a change keeps its author on the primary: longer than that by what an asynchronous commit may take."""
NOTE_SECONDS = 1.0
"""Between two notes of the primary's place."""
REST_SECONDS = 10.0
"""How long a replica that failed is left alone."""
COOKIE = "waops_changed"

APPS = frozenset({"conversations", "escalations", "usage"})
"""Labels of the apps whose rows are read from the replica."""
PAGES = frozenset(
    {
        "escalations_escalation_export",
        "escalations_escalation_numbers",
        "escalations_escalation_search",
        "usage_profile_change",
        "usage_profile_export",
        "usage_profile_export_one",
    }
)
"""Names of reports and exports, beside every list of those apps but the desk's queue, which is live."""
LIVE = "escalations_escalation_changelist"
LOOKING = "escalations_escalation_looking"
"""Sent by open pages all the time; changes nothing that a list shows."""

PLACE = "SELECT pg_catalog.pg_current_wal_lsn()::text"
HAS_COME_TO = """
    SELECT pg_catalog.pg_is_in_recovery() AND pg_catalog.pg_last_wal_replay_lsn() >= %s::pg_catalog.pg_lsn
"""

_alias: ContextVar[str] = ContextVar("waops_reading_from", default=DEFAULT_DB_ALIAS)


def is_configured() -> bool:
    return ALIAS in connections.settings


def alias() -> str:
    """Name of the database that this request's lists, reports and exports are read from."""
    return _alias.get()


def reading() -> BaseDatabaseWrapper:
    """The connection to it."""
    return connections[alias()]


def leave(**_: Any) -> None:
    """Read from the primary from now on."""
    _alias.set(DEFAULT_DB_ALIAS)


# Not when the middleware ends: an export is read while it is sent.
request_finished.connect(leave, dispatch_uid=f"{__name__}.leave")


class Watch:
    """What this process knows of the primary's log and of the replica."""

    def __init__(self) -> None:
        self._notes: deque[tuple[float, str]] = deque()
        self._lock = Lock()
        self._resting_until = 0.0

    def may_be_used(self) -> bool:
        """Whether the replica is there and at most LATEST_SECONDS behind. Raises DatabaseError without a primary."""
        if time.monotonic() < self._resting_until:
            return False
        place = self._oldest_place()
        try:
            with connections[ALIAS].cursor() as cursor:
                cursor.execute(HAS_COME_TO, [place])
                return bool(cursor.fetchone()[0])
        except DatabaseError as error:
            self.rest(error)
            return False

    def rest(self, error: Exception) -> None:
        self._resting_until = time.monotonic() + REST_SECONDS
        logger.warning("The replica is not used for a while: %s", " ".join(str(error).split()))

    def _oldest_place(self) -> str:
        """Where the primary was at most LATEST_SECONDS ago, as far back as is known."""
        with self._lock:
            now = time.monotonic()
            while self._notes and self._notes[0][0] < now - LATEST_SECONDS:
                self._notes.popleft()
            if not self._notes or self._notes[-1][0] < now - NOTE_SECONDS:
                with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
                    cursor.execute(PLACE)
                    self._notes.append((now, cursor.fetchone()[0]))
            return self._notes[0][1]


watch = Watch()


class ReplicaRouter:
    """Reads follow the request; writes go to the primary, whatever the row was read from."""

    def db_for_read(self, model: type[models.Model], **hints: Any) -> str:
        return alias() if model._meta.app_label in APPS else DEFAULT_DB_ALIAS

    def db_for_write(self, model: type[models.Model], **hints: Any) -> str:
        return DEFAULT_DB_ALIAS

    def allow_relation(self, first: models.Model, second: models.Model, **hints: Any) -> bool:
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        return False if db == ALIAS else None


class ReplicaMiddleware:
    """Chooses where a page is read from, and keeps whoever changed something on the primary for PIN_SECONDS."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.method not in SAFE_METHODS and is_configured() and _name(request) != LOOKING:
            response.set_cookie(
                COOKIE, "1", max_age=PIN_SECONDS, httponly=True, secure=settings.SESSION_COOKIE_SECURE, samesite="Lax"
            )
        return response

    def process_view(self, request: HttpRequest, *_: Any) -> None:
        leave()
        if not is_configured() or request.method not in SAFE_METHODS or COOKIE in request.COOKIES:
            return
        try:
            if _is_read_from_replica(_name(request)) and watch.may_be_used():
                _alias.set(ALIAS)
        except DatabaseError:
            return  # without a primary the view says what is wrong


def _name(request: HttpRequest) -> str:
    return (request.resolver_match and request.resolver_match.url_name) or ""


def _is_read_from_replica(name: str) -> bool:
    is_list = name.endswith("_changelist") and name.partition("_")[0] in APPS and name != LIVE
    return is_list or name in PAGES
