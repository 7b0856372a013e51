"""Serve lists, reports and exports from a read replica, if DATABASE_REPLICA_URL names one.

After a change, a person reads from the primary for a while. Everyone else reads from the replica if it lags less than
that, so people always see their own changes. A replica cannot know its lag without the primary. So each process records
the primary's log position now and then, and a replica that has reached a recorded position is at most as old as that
record. Actions, locks, the live desk, sessions, permissions and the message path always use the primary. A replica that
is late or down is not used.
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

from waops.database.unavailable import SAFE_METHODS

logger = logging.getLogger(__name__)

ALIAS = "replica"
LATEST_SECONDS = 10.0
"""Oldest data that pages from the replica may show."""
PIN_SECONDS = 12
"""How long a change keeps its author on the primary: the lag allowed, plus the time an asynchronous commit may take."""
NOTE_SECONDS = 1.0
"""Seconds between two records of the primary's position."""
REST_SECONDS = 10.0
"""How long a failed replica is not used."""
COOKIE = "waops_changed"

APPS: set[str] = set()
"""Labels of the apps whose lists are read from the replica."""
PAGES: set[str] = set()
"""URL names of reports and exports that are read from the replica."""
LIVE: set[str] = set()
"""URL names of live lists, which are not."""
CHANGES_NO_LIST: set[str] = set()
"""URL names that open pages request all the time, and whose changes no list shows."""

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
    """The connection to that database."""
    return connections[alias()]


def leave(**_: Any) -> None:
    """Read from the primary from now on."""
    _alias.set(DEFAULT_DB_ALIAS)


# Not when the middleware ends: an export is read while it is streamed.
request_finished.connect(leave, dispatch_uid=f"{__name__}.leave")


class Watch:
    """What this process knows about the primary's log and the replica."""

    def __init__(self) -> None:
        self._notes: deque[tuple[float, str]] = deque()
        self._lock = Lock()
        self._resting_until = 0.0

    def may_be_used(self) -> bool:
        """Whether the replica is up and at most LATEST_SECONDS behind. Raises DatabaseError if the primary is down."""
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
        """The oldest recorded position of the primary that is at most LATEST_SECONDS old."""
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
    """Reads follow the request; writes go to the primary, wherever the row was read."""

    def db_for_read(self, model: type[models.Model], **hints: Any) -> str:
        return alias() if model._meta.app_label in APPS else DEFAULT_DB_ALIAS

    def db_for_write(self, model: type[models.Model], **hints: Any) -> str:
        return DEFAULT_DB_ALIAS

    def allow_relation(self, first: models.Model, second: models.Model, **hints: Any) -> bool:
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        return False if db == ALIAS else None


class ReplicaMiddleware:
    """Chooses where a page reads from, and keeps the author of a change on the primary for PIN_SECONDS."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.method not in SAFE_METHODS and is_configured() and _name(request) not in CHANGES_NO_LIST:
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
            return  # without a primary, the view reports the problem


def _name(request: HttpRequest) -> str:
    return (request.resolver_match and request.resolver_match.url_name) or ""


def _is_read_from_replica(name: str) -> bool:
    is_list = name.endswith("_changelist") and name.partition("_")[0] in APPS and name not in LIVE
    return is_list or name in PAGES
