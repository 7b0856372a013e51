"""What pages say, and do, when the database fails. Errors are recognised by SQLSTATE, which does not depend
on the server's language.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _
from psycopg_pool import PoolTimeout

from waops.database.engine.saved import something_saved
from waops.database.errors import sqlstate

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
RETRY_AFTER = "30"
"""Seconds after which a browser may retry."""


@dataclass(frozen=True)
class Trouble:
    """A failure of the database that the user did not cause. The page also says whether anything was saved."""

    title: "StrOrPromise"
    explanation: "StrOrPromise"


GONE = Trouble(
    _("The database cannot be reached"),
    _(
        "Waops is running, but its database does not respond. This was logged for the operators. "
        "Try again in half a minute."
    ),
)
NO_CONNECTION = Trouble(
    _("The database has no free connection"),
    _("All connections are in use. Try again in half a minute."),
)
BUSY = Trouble(
    _("The database is too busy"),
    _("It did not respond in time, so the request was cancelled. Try again in half a minute, or narrow the search."),
)
READ_ONLY = Trouble(
    _("Nothing can be saved right now"),
    _(
        "The database is read-only, for example while it moves to another server. Try again in half a minute. Pages "
        "still work."
    ),
)
DISK_FULL = Trouble(
    _("The database's disk is full"),
    _("There is no space to save anything. This was logged for the operators, who must free some. Pages still work."),
)
MISSING = Trouble(
    _("Something is missing in the database"),
    _(
        "A table or function that this page needs does not exist. The log says which. An operator can run: "
        "manage.py doctor"
    ),
)

BY_SQLSTATE = {
    "25006": READ_ONLY,
    "40001": BUSY,  # also when a statement on a replica conflicted with replay
    "40P01": BUSY,
    "53100": DISK_FULL,
    "53200": BUSY,
    "53300": NO_CONNECTION,
    "53400": BUSY,
    "55P03": BUSY,
    "57014": BUSY,
    "3F000": MISSING,
    "42883": MISSING,
    "42P01": MISSING,
}
LOST = ("08", "28", "3D", "57P")
"""Beginnings of SQLSTATEs: connection lost, refused, no such database, shut down. libpq's own errors have none."""

NO_ROOM = re.compile("too many (clients|connections)|connection slots|no more connections allowed|max client", re.I)
"""From Postgres, PgBouncer and Supavisor."""


def trouble_of(error: BaseException) -> Trouble | None:
    """The matching failure; None for errors that are not the database's, or that the user caused."""
    if not isinstance(error, DatabaseError | InterfaceError):
        return None
    code = sqlstate(error)
    if code is None:
        # A refused connection has a message but no SQLSTATE.
        if isinstance(error.__cause__, PoolTimeout) or NO_ROOM.search(str(error)):
            return NO_CONNECTION
        return GONE if isinstance(error, OperationalError | InterfaceError) else None
    return GONE if code.startswith(LOST) else BY_SQLSTATE.get(code)


def what_was_saved(request: HttpRequest) -> dict[str, bool]:
    """Tell an error page whether something was submitted, and whether any of it may have been saved."""
    is_sent = request.method not in SAFE_METHODS
    return {"is_sent": is_sent, "is_uncertain": is_sent and something_saved()}


def page(request: HttpRequest, trouble: Trouble) -> HttpResponse:
    """Render the page without using the database."""
    content = render_to_string("503.html", {"trouble": trouble, **what_was_saved(request)})
    response = HttpResponse(content, status=503, headers={"Retry-After": RETRY_AFTER})
    response._has_been_logged = True  # type: ignore[attr-defined]  # Django would log the path once more
    return response
