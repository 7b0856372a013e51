"""Adoption: the share of new messages stored by the database functions.

The storing functions draw one number per message from sequence waops.stored_by_function; the server's statistics count
every inserted row. Neither costs a statement. Both only grow, so a share is the difference between two readings.
Readings are taken in passing, at most once a minute. If none is old enough, or a counter went back (statistics reset, a
crash, a restore), the share is unknown.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from django.db import DatabaseError, connections, models, transaction
from django.utils.translation import gettext_lazy as _

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TOLERANCE = 4
"""A reading counts as the start of a period if it is at most a quarter of the period earlier or later."""

TAKE = """
    INSERT INTO waops.adoption_reading (at, inserted, by_function)
    SELECT now(), pg_catalog.pg_stat_get_tuples_inserted('public.whatsapp_conversation_messages'::regclass),
           CASE WHEN stored.is_called THEN stored.last_value ELSE 0 END
    FROM waops.stored_by_function AS stored
    WHERE NOT EXISTS (SELECT FROM waops.adoption_reading AS earlier WHERE earlier.at > now() - interval '1 minute')
"""


class AdoptionReading(models.Model):
    """Both counters at one moment. Written only by `take_reading`."""

    at = models.DateTimeField(_("when"), primary_key=True)
    inserted = models.BigIntegerField(_("messages inserted"))
    by_function = models.BigIntegerField(_("messages stored by functions"))

    class Meta:
        app_label = "waops"
        db_table = "adoption_reading"
        verbose_name = _("adoption reading")
        verbose_name_plural = _("adoption readings")

    def __str__(self) -> str:
        return str(self.at)


class Unknown(StrEnum):
    """Why a share is unknown."""

    NO_READING = "no_reading"
    WENT_BACK = "went_back"
    NO_MESSAGES = "no_messages"

    @property
    def label(self) -> str:
        return str(
            {
                "no_reading": _("unknown: there is no reading from the start of this period"),
                "went_back": _("unknown: the server's counters were reset"),
                "no_messages": _("no new messages"),
            }[self.value]
        )


@dataclass(frozen=True)
class Adoption:
    """`share`, from 0 to 1, of the `messages` inserted between `since` and `until`; None if `unknown` says why."""

    period: timedelta
    share: float | None = None
    messages: int = 0
    since: datetime | None = None
    until: datetime | None = None
    unknown: Unknown | None = None


def take_reading(using: str = "default") -> None:
    """Record both counters, unless that was done within the last minute. Never raises: what is missing is unknown."""
    with suppress(DatabaseError), transaction.atomic(using=using), connections[using].cursor() as cursor:
        cursor.execute(TAKE)


def adoption(period: timedelta, using: str = "default") -> Adoption:
    """Adoption in the `period` before the newest reading."""
    readings = AdoptionReading.objects.using(using).order_by("-at")
    newest = readings.first()
    if newest is None:
        return Adoption(period, unknown=Unknown.NO_READING)
    begin = newest.at - period
    within = list(readings.filter(at__gte=begin - period / TOLERANCE, at__lt=newest.at))
    first = min(within, key=lambda reading: abs(reading.at - begin), default=None)
    if first is None or first.at > begin + period / TOLERANCE:
        return Adoption(period, until=newest.at, unknown=Unknown.NO_READING)
    oldest_first = [reading for reading in reversed([newest, *within]) if reading.at >= first.at]
    if any(
        later.inserted < early.inserted or later.by_function < early.by_function
        for early, later in pairwise(oldest_first)
    ):
        return Adoption(period, until=newest.at, unknown=Unknown.WENT_BACK)
    messages, by_function = newest.inserted - first.inserted, newest.by_function - first.by_function
    if not messages:
        return Adoption(period, None, 0, first.at, newest.at, Unknown.NO_MESSAGES)
    return Adoption(period, min(by_function / messages, 1.0), messages, first.at, newest.at)
