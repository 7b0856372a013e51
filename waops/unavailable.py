"""What a page says, and what is done, when the database does not do its part. By its SQLSTATEs, so in no language."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _
from psycopg_pool import PoolTimeout

from waops.embedded import EmbeddedServerError

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
RETRY_AFTER = "30"
"""Seconds after which a browser may try again."""


@dataclass(frozen=True)
class Trouble:
    """Something wrong with the database that is nobody's mistake.

    `is_certain`: nothing of the request has been changed. Otherwise the answer to a commit may have been lost.
    """

    title: "StrOrPromise"
    explanation: "StrOrPromise"
    is_certain: bool = True


GONE = Trouble(
    _("The database cannot be reached"),
    _(
        "Waops is running, but its database does not answer. An operator has been told in the log. Try again in half "
        "a minute."
    ),
    is_certain=False,
)
NO_CONNECTION = Trouble(
    _("The database has no free connection"),
    _("All of its connections are in use. Nothing was changed. Try again in half a minute."),
)
BUSY = Trouble(
    _("The database is too busy"),
    _(
        "It did not answer in time, so this was stopped and nothing was changed. Try again in half a minute, or narrow "
        "the search."
    ),
)
READ_ONLY = Trouble(
    _("Nothing can be saved at the moment"),
    _(
        "The database can be read but not written to, as while it moves to another server. Nothing was changed. Try "
        "again in half a minute; what you can see is still there."
    ),
)
DISK_FULL = Trouble(
    _("The database's disk is full"),
    _(
        "This could not be saved, and nothing was changed. An operator has been told in the log and must make room; "
        "reading goes on."
    ),
)
MISSING = Trouble(
    _("Something is missing in the database"),
    _(
        "A table or a function that this page needs is not there. Nothing was changed. The log says which; an operator "
        "can run: manage.py doctor"
    ),
)

BY_SQLSTATE = {
    "25006": READ_ONLY,
    "40001": BUSY,  # also: a replica's statement that stood in the way of what it replays
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
"""Beginnings of SQLSTATEs: connection lost, refused, no such database, shut down. Libpq gives none at all."""

NO_ROOM = re.compile("too many (clients|connections)|connection slots|no more connections allowed|max client", re.I)
"""Of Postgres, PgBouncer and Supavisor."""


def sqlstate_of(error: BaseException) -> str | None:
    """The server's code, which Django hides behind the driver's error."""
    cause = error if isinstance(error, psycopg.Error) else error.__cause__
    return cause.sqlstate if isinstance(cause, psycopg.Error) else None


def words_of(error: BaseException) -> str:
    """The server's first line: the others may quote what people wrote."""
    diagnostics = getattr(error.__cause__, "diag", None)
    return getattr(diagnostics, "message_primary", None) or " ".join(str(error).split())


def trouble_of(error: BaseException) -> Trouble | None:
    """None for any error but one of the database's that is nobody's mistake."""
    if isinstance(error, EmbeddedServerError):
        return GONE
    if not isinstance(error, DatabaseError | InterfaceError):
        return None
    code = sqlstate_of(error)
    if code is None:
        # Whoever is refused a connection gets words only.
        if isinstance(error.__cause__, PoolTimeout) or NO_ROOM.search(str(error)):
            return NO_CONNECTION
        return GONE if isinstance(error, OperationalError | InterfaceError) else None
    return GONE if code.startswith(LOST) else BY_SQLSTATE.get(code)


def page(request: HttpRequest, trouble: Trouble) -> HttpResponse:
    """Reads nothing from the database."""
    is_uncertain = request.method not in SAFE_METHODS and not trouble.is_certain
    content = render_to_string("503.html", {"trouble": trouble, "is_uncertain": is_uncertain})
    response = HttpResponse(content, status=503, headers={"Retry-After": RETRY_AFTER})
    response._has_been_logged = True  # type: ignore[attr-defined]  # Django would log the path once more
    return response
