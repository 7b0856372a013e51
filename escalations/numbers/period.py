"""A range of days, and ranges that people ask for by name. Days are those of the current time zone."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import Enum

from django.utils.functional import Promise
from django.utils.timezone import get_current_timezone, localdate
from django.utils.translation import gettext_lazy as _

LONGEST = 366
"""Days."""


@dataclass(frozen=True)
class Period:
    """From the start of `first` to the end of `last`."""

    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def begins(self) -> datetime:
        return _midnight(self.first)

    @property
    def ends(self) -> datetime:
        """The first moment that is no longer part of it."""
        return _midnight(self.last + timedelta(days=1))


class Preset(Enum):
    """Value: its name in addresses and its words."""

    TODAY = ("today", _("Today"))
    WEEK = ("7-days", _("Last 7 days"))
    MONTH = ("30-days", _("Last 30 days"))
    THIS_MONTH = ("this-month", _("This month"))
    LAST_MONTH = ("last-month", _("Last month"))

    def __init__(self, slug: str, words: Promise) -> None:
        self.slug = slug
        self.words = words

    def period(self) -> Period:
        """As of now."""
        today = localdate()
        first_of_month = today.replace(day=1)
        if self is Preset.TODAY:
            return Period(today, today)
        if self is Preset.WEEK:
            return Period(today - timedelta(days=6), today)
        if self is Preset.MONTH:
            return Period(today - timedelta(days=29), today)
        if self is Preset.THIS_MONTH:
            return Period(first_of_month, today)
        last = first_of_month - timedelta(days=1)
        return Period(last.replace(day=1), last)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=get_current_timezone())
