"""Record who read which conversation, who replied and who exported what, in an append-only table."""

import logging
from datetime import timedelta
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import BadRequest
from django.db import DatabaseError, connection, models
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from psycopg.errors import ReadOnlySqlTransaction

from waops.access.masking import in_ascii

logger = logging.getLogger(__name__)

ONCE_IN = timedelta(minutes=10)
"""Reading the same conversation again within this time is not recorded."""
FEWEST_SEARCHED = 4
"""A search with at least this many digits counts as a search for a number."""
MOST_SEARCHES = 100
"""Numbers a person may search for within ONCE_IN."""

RECORD = """
    INSERT INTO waops.waops_accessrecord (at, person_id, person_name, action, what, object_id, details)
    SELECT pg_catalog.statement_timestamp(), %(person)s, %(name)s, %(action)s, %(what)s, %(object)s, %(details)s
    WHERE %(once_in)s::interval IS NULL OR NOT EXISTS (
        SELECT FROM waops.waops_accessrecord AS earlier
        WHERE earlier.person_id = %(person)s AND earlier.what = %(what)s AND earlier.object_id = %(object)s
          AND earlier.action = %(action)s AND earlier.at > pg_catalog.statement_timestamp() - %(once_in)s::interval
    )
"""

SEARCHES = """
    SELECT pg_catalog.count(*) FROM waops.waops_accessrecord
    WHERE person_id = %s AND action = %s AND at > pg_catalog.statement_timestamp() - %s::interval
"""


class AccessRecord(models.Model):
    """One act of reading or exporting. Append-only: a trigger refuses updates, and deletes except by retention."""

    class Action(models.TextChoices):
        READ = "read", _("read")
        EXPORTED = "exported", _("exported")
        SEARCHED = "searched", _("searched by number")
        REPLIED = "replied", _("replied to the customer")

    at = models.DateTimeField(_("when"))
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("who"))
    person_name = models.TextField(_("name"), help_text=_("As it was at that time."))
    action = models.CharField(_("what"), max_length=10, choices=Action.choices)
    what = models.CharField(_("what was read"), max_length=100, help_text=_("A model, such as app_label.model."))
    object_id = models.TextField(_("row"), help_text=_("Empty for a list."))
    details = models.JSONField(_("details"), default=dict)

    class Meta:
        app_label = "waops"
        verbose_name = _("access record")
        verbose_name_plural = _("access records")
        indexes = [
            # Whether this person has just read it; what was done to one customer's data.
            models.Index(fields=["what", "object_id", "person", "at"], name="access_to_one_row"),
            # For retention.
            models.Index(fields=["at"], name="access_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.person_name} {self.action} {self.what} {self.object_id}".strip()


def note_reading(request: HttpRequest, what: str, pk: object = "") -> None:
    """Record that the person reads that row, or a list of such rows, at most once in ONCE_IN.

    Takes one statement, or none if this process knows it has been recorded. While the database is read-only (during a
    failover, for example) the record goes to the log instead, because customers are waiting for an answer.
    """
    key = f"waops:read:{request.user.pk}:{what}:{sha256(str(pk).encode()).hexdigest()}"
    if cache.get(key):
        return
    try:
        _record(request, AccessRecord.Action.READ, what, str(pk), {}, ONCE_IN)
        cache.set(key, True, ONCE_IN.total_seconds())
    except DatabaseError as error:
        if not isinstance(error.__cause__, ReadOnlySqlTransaction):
            raise
        logger.error("Access not recorded: person %s read %s %s", request.user.pk, what, pk)


class TooManySearchesError(BadRequest):
    """A person has searched for more numbers than their work needs."""

    status = 429
    title = _("Too many searches")


def note_search(request: HttpRequest, what: str, typed: str) -> None:
    """Record a search in that list if the term contains a number. Call it before the search.

    Raises TooManySearchesError, so that numbers cannot be tried one by one. Paging through the results of one search
    counts as one search.
    """
    number = "".join(filter(str.isdecimal, in_ascii(typed)))
    if len(number) < FEWEST_SEARCHED:
        return
    person: Any = request.user
    seen = f"waops:searched:{person.pk}:{sha256(f'{what} {typed}'.encode('utf-8', 'surrogatepass')).hexdigest()}"
    if cache.get(seen):
        return
    parameters: list[Any] = [person.pk, AccessRecord.Action.SEARCHED, ONCE_IN]
    with connection.cursor() as cursor:
        cursor.execute(SEARCHES, parameters)
        [searches] = cursor.fetchone()
    if searches >= MOST_SEARCHES:
        raise TooManySearchesError(
            gettext("You have searched for %(count)d numbers within 10 minutes. Wait a few minutes, then try again.")
            % {"count": MOST_SEARCHES}
        )
    try:
        _record(request, AccessRecord.Action.SEARCHED, what, "", {"query": f"…{number[-4:]}"}, None)
        cache.set(seen, True, ONCE_IN.total_seconds())
    except DatabaseError as error:
        if not isinstance(error.__cause__, ReadOnlySqlTransaction):
            raise
        logger.error("Access not recorded: person %s searched %s", person.pk, what)


def note_reply(request: HttpRequest, what: str, pk: object) -> None:
    """Record a reply to the customer of that row. Call it in the transaction that stores the reply."""
    _record(request, AccessRecord.Action.REPLIED, what, str(pk), {}, None)


def note_export(request: HttpRequest, what: str, pk: object = "") -> None:
    """Record an export of that row, or of the list at that address. Call it before the export begins."""
    query = request.META.get("QUERY_STRING", "")[:1000]
    _record(request, AccessRecord.Action.EXPORTED, what, str(pk), {"query": query}, None)


def _record(
    request: HttpRequest, action: str, what: str, pk: str, details: dict[str, Any], once_in: timedelta | None
) -> None:
    person: Any = request.user
    values = {
        "person": person.pk,
        "name": person.name,
        "action": action,
        "what": what,
        "object": pk,
        "details": connection.ops.adapt_json_value(details, None),
        "once_in": once_in,
    }
    with connection.cursor() as cursor:
        cursor.execute(RECORD, values)
