"""SLA targets: how long a customer has waited by the clock of the business's plan, and how urgent that is."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from functools import lru_cache
from typing import Self

from django.db.models.signals import post_delete, post_save
from django.utils.timezone import get_default_timezone
from django.utils.translation import get_language, ngettext, pgettext
from django.utils.translation import gettext as _

from escalations.models import SLATarget, WorkingDay
from waops.database import kept

WEEK = timedelta(days=7)

Hours = tuple[int, time, time]
"""Weekday like `date.weekday()`, start and end; an end that is not after the start is on the next day."""


class WorkingHours:
    """A week's working hours in one time zone. Overlapping hours count once."""

    def __init__(self, hours: Iterable[Hours], zone: tzinfo) -> None:
        self._zone = zone
        self._hours: dict[int, list[tuple[time, time]]] = {}
        for weekday, begins, ends in hours:
            self._hours.setdefault(weekday, []).append((begins, ends))

    def elapsed(self, start: datetime, end: datetime) -> timedelta:
        """Working time between two aware times; zero if there is none, or no working hours are set."""
        if end <= start or not self._hours:
            return timedelta()
        # A whole week has the same hours wherever it begins, except for a change of the clock.
        weeks = (end - start) // WEEK
        whole = self._between(end - WEEK, end) * weeks if weeks else timedelta()
        return whole + self._between(start, end - weeks * WEEK)

    def _between(self, start: datetime, end: datetime) -> timedelta:
        worked = timedelta()
        reached = start
        for begins, ends in sorted(self._spans(start, end)):
            begins = max(begins, reached)
            if begins < ends:
                worked += min(ends, end) - begins if begins < end else timedelta()
                reached = ends
        return worked

    def _spans(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        # From the day before, whose hours may extend past midnight.
        day = start.astimezone(self._zone).date() - timedelta(days=1)
        last = end.astimezone(self._zone).date()
        while day <= last:
            for begins, ends in self._hours.get(day.weekday(), ()):
                closing_day = day if ends > begins else day + timedelta(days=1)
                yield self._moment(day, begins), self._moment(closing_day, ends)
            day += timedelta(days=1)

    def _moment(self, day: date, at: time) -> datetime:
        # In UTC, because differences within one zone ignore its clock changes.
        return datetime.combine(day, at, self._zone).astimezone(UTC)


KEY = "escalations:sla-targets"


class WaitLevel(StrEnum):
    SHORT = "short"
    LONG = "long"
    TOO_LONG = "too_long"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Target:
    """`long` and `too_long` are measured by the plan's clock, which may pause at night and on days off."""

    long: timedelta
    too_long: timedelta
    in_working_hours: bool


@dataclass(frozen=True)
class Wait:
    """`elapsed` is measured by the plan's clock."""

    level: WaitLevel
    elapsed: timedelta
    target: Target


DEFAULT = Target(timedelta(hours=1), timedelta(hours=4), in_working_hours=False)
"""Used if managers have deleted the target of all other plans."""


class SLATargets:
    """Targets by plan, and the working week. `load` takes two queries, or none while they are cached."""

    def __init__(self, targets: dict[str, Target], hours: list[Hours]) -> None:
        self._targets = targets
        self._working_hours = WorkingHours(hours, get_default_timezone())
        self._has_hours = bool(hours)

    @classmethod
    def load(cls) -> Self:
        return kept.kept(KEY, cls.read)

    @classmethod
    def read(cls) -> Self:
        """As `load`, but always read from the database."""
        return cls(_read_targets(), list(WorkingDay.objects.values_list("weekday", "begins", "ends")))

    def target(self, plan_type: str | None) -> Target:
        return self._targets.get(plan_type or "") or self._targets.get("", DEFAULT)

    def judge(self, plan_type: str | None, since: datetime | None, now: datetime) -> Wait:
        """How long a wait is, and how urgent. UNKNOWN, with no time elapsed, if its start is unknown.

        If no working hours are set, every clock keeps running.
        """
        target = self.target(plan_type)
        if since is None:
            return Wait(WaitLevel.UNKNOWN, timedelta(), target)
        elapsed = max(now - since, timedelta())
        if target.in_working_hours and self._has_hours:
            elapsed = self._working_hours.elapsed(since, now)
        level = WaitLevel.SHORT
        if elapsed >= target.long:
            level = WaitLevel.TOO_LONG if elapsed >= target.too_long else WaitLevel.LONG
        return Wait(level, elapsed, target)


def _read_targets() -> dict[str, Target]:
    return {
        row.plan_type: Target(
            timedelta(minutes=row.warn_minutes),
            timedelta(minutes=row.breach_minutes),
            row.clock == SLATarget.Clock.WORKING,
        )
        for row in SLATarget.objects.all()
    }


def forget(**_: object) -> None:
    """Discard the cached targets, so that changes made here apply immediately."""
    kept.forget(KEY)


for model in (SLATarget, WorkingDay):
    post_save.connect(forget, sender=model, dispatch_uid=f"{KEY}:save:{model.__name__}")
    post_delete.connect(forget, sender=model, dispatch_uid=f"{KEY}:delete:{model.__name__}")


@dataclass(frozen=True)
class Urgency:
    """`kind` of status mark (colour and shape), and its label."""

    kind: str
    word: str


def urgency(since: datetime | None, plan_type: str | None, now: datetime) -> Urgency:
    """How urgent a wait is, by the targets of the business's plan, whose clock may pause outside working hours."""
    wait = SLATargets.load().judge(plan_type, since, now)
    if wait.level is WaitLevel.UNKNOWN:
        return Urgency("unknown", _("Waiting since an unknown time"))
    if wait.level is WaitLevel.SHORT:
        return Urgency("open", _("In time"))
    is_late = wait.level is WaitLevel.TOO_LONG
    limit = in_words(wait.target.too_long if is_late else wait.target.long)
    if wait.target.in_working_hours:
        return Urgency("late" if is_late else "waiting", _("Over %(time)s work time") % {"time": limit})
    return Urgency("late" if is_late else "waiting", _("Over %(time)s") % {"time": limit})


def in_words(duration: timedelta) -> str:
    """The two largest units: "12 min", "3 h 12 min", "2 d 4 h". Negative times, when clocks differ, are zero."""
    return _in_words(max(int(duration.total_seconds() // 60), 0), get_language())


@lru_cache(maxsize=10_000)
def _in_words(minutes: int, language: str | None) -> str:
    """Cached: a list's rows repeat the same few, with three translations each."""
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
