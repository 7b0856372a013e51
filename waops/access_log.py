"""Who read which conversation, and who took what away in a file. Kept in a table that only grows."""

import logging
from datetime import timedelta
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection, models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from waops.operations.locks import sqlstate

logger = logging.getLogger(__name__)

ONCE_IN = timedelta(minutes=10)
"""Reading on in the same conversation is noted that seldom."""
READ_ONLY = "25006"

RECORD = """
    INSERT INTO waops.waops_accessrecord (at, person_id, person_name, action, what, object_id, details)
    SELECT pg_catalog.statement_timestamp(), %(person)s, %(name)s, %(action)s, %(what)s, %(object)s, %(details)s
    WHERE %(once_in)s::interval IS NULL OR NOT EXISTS (
        SELECT FROM waops.waops_accessrecord AS earlier
        WHERE earlier.person_id = %(person)s AND earlier.what = %(what)s AND earlier.object_id = %(object)s
          AND earlier.action = %(action)s AND earlier.at > pg_catalog.statement_timestamp() - %(once_in)s::interval
    )
"""


class AccessRecord(models.Model):
    """One act of reading or exporting. Append-only: a trigger refuses updates, and deletes except by `retention`."""

    class Action(models.TextChoices):
        READ = "read", _("read")
        EXPORTED = "exported", _("exported")

    at = models.DateTimeField(_("when"))
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("who"))
    person_name = models.TextField(_("name"), help_text=_("As it was at that moment."))
    action = models.CharField(_("what"), max_length=10, choices=Action.choices)
    what = models.CharField(_("of what"), max_length=100, help_text=_("A model, as app_label.model."))
    object_id = models.TextField(_("row"), help_text=_("Empty: a list."))
    details = models.JSONField(_("details"), default=dict)

    class Meta:
        app_label = "waops"
        verbose_name = _("access record")
        verbose_name_plural = _("access records")
        indexes = [
            # Whether this person has read it just now; what was done to one customer's data.
            models.Index(fields=["what", "object_id", "person", "at"], name="access_to_one_row"),
            # The retention command.
            models.Index(fields=["at"], name="access_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.person_name} {self.action} {self.what} {self.object_id}".strip()


def note_reading(request: HttpRequest, what: str, pk: object = "") -> None:
    """Note that the person reads what was written in that row, or in a list of such rows: at most once in ONCE_IN.

    One statement, or none where this process knows that it has been noted. While the database cannot be written to (a
    failover, say) the note goes to the log instead: customers wait for an answer meanwhile.
    """
    key = f"waops:read:{request.user.pk}:{what}:{sha256(str(pk).encode()).hexdigest()}"
    if cache.get(key):
        return
    try:
        _record(request, AccessRecord.Action.READ, what, str(pk), {}, ONCE_IN)
        cache.set(key, True, ONCE_IN.total_seconds())
    except DatabaseError as error:
        if sqlstate(error) != READ_ONLY:
            raise
        logger.error("Access not recorded: person %s read %s %s", request.user.pk, what, pk)


def note_export(request: HttpRequest, what: str, pk: object = "") -> None:
    """Note that the person takes away a file of that row, or of the list that the address names. Before it begins."""
    query = request.META.get("QUERY_STRING", "")[:1000]
    _record(request, AccessRecord.Action.EXPORTED, what, str(pk), {"query": query}, None)


def _record(
    request: HttpRequest, action: str, what: str, pk: str, details: dict[str, Any], once_in: timedelta | None
) -> None:
    person: Any = request.user
    values = {
        "person": person.pk,
        "name": person.get_full_name() or person.get_username(),
        "action": action,
        "what": what,
        "object": pk,
        "details": connection.ops.adapt_json_value(details, None),
        "once_in": once_in,
    }
    with connection.cursor() as cursor:
        cursor.execute(RECORD, values)
