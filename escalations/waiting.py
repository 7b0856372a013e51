"""How long a customer has waited, in words, and how pressing that makes the case."""

from datetime import datetime, timedelta
from enum import Enum

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

LONG = timedelta(hours=1)
TOO_LONG = timedelta(hours=4)


class Urgency(Enum):
    """Value: the kind of status mark (colour and shape) that shows it, and its word."""

    TOO_LONG = ("late", gettext_lazy("More than 4 hours"))
    LONG = ("waiting", gettext_lazy("More than 1 hour"))
    RECENT = ("open", gettext_lazy("Less than 1 hour"))
    UNKNOWN = ("unknown", gettext_lazy("Since when is not known"))

    def __init__(self, kind: str, word: Promise) -> None:
        self.kind = kind
        self.word = word


def urgency(since: datetime | None, now: datetime) -> Urgency:
    if since is None:
        return Urgency.UNKNOWN
    waited = now - since
    if waited >= TOO_LONG:
        return Urgency.TOO_LONG
    return Urgency.LONG if waited >= LONG else Urgency.RECENT


def in_words(duration: timedelta) -> str:
    """The two largest units: "12 min", "3 h 12 min", "2 d 4 h". Below zero, where clocks differ, is zero."""
    minutes = max(int(duration.total_seconds() // 60), 0)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = []
    if days:
        parts.append(ngettext("%(count)d d", "%(count)d d", days) % {"count": days})
    if hours:
        parts.append(ngettext("%(count)d h", "%(count)d h", hours) % {"count": hours})
    if minutes and not days:
        parts.append(ngettext("%(count)d min", "%(count)d min", minutes) % {"count": minutes})
    if not parts:
        return _("under a minute")
    if len(parts) == 1:
        return parts[0]
    return pgettext("duration of two units", "%(larger)s %(smaller)s") % {"larger": parts[0], "smaller": parts[1]}
