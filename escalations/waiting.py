"""How long a customer has waited, in words, and how pressing that makes the case."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from escalations.wait_targets import WaitLevel, WaitTargets


@dataclass(frozen=True)
class Urgency:
    """`kind` of status mark (colour and shape), and its word."""

    kind: str
    word: str


def urgency(since: datetime | None, plan_type: str | None, now: datetime) -> Urgency:
    """By the targets of the business's plan, whose clock may stand still outside working hours."""
    wait = WaitTargets.load().judge(plan_type, since, now)
    if wait.level is WaitLevel.UNKNOWN:
        return Urgency("unknown", _("Since when is not known"))
    if wait.level is WaitLevel.SHORT:
        return Urgency("open", _("In time"))
    is_late = wait.level is WaitLevel.TOO_LONG
    limit = in_words(wait.target.too_long if is_late else wait.target.long)
    if wait.target.in_working_hours:
        return Urgency("late" if is_late else "waiting", _("Over %(time)s of work") % {"time": limit})
    return Urgency("late" if is_late else "waiting", _("Over %(time)s") % {"time": limit})


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
