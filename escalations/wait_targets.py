"""How long a case's customer has waited by the clock of the business's plan, and how pressing that makes it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from django.core.cache import cache
from django.db.models.signals import post_delete, post_save
from django.utils.timezone import get_default_timezone

from escalations.models import WaitTarget, WorkingDay
from escalations.working_hours import Hours, WorkingHours

KEY = "escalations:wait-targets"
SECONDS = 30
"""How long another process may not know of a change."""


class WaitLevel(StrEnum):
    SHORT = "short"
    LONG = "long"
    TOO_LONG = "too_long"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Target:
    """`long` and `too_long` are spans by the plan's clock, which may stand still at night and on days off."""

    long: timedelta
    too_long: timedelta
    in_working_hours: bool


@dataclass(frozen=True)
class Wait:
    """`elapsed` is by the plan's clock."""

    level: WaitLevel
    elapsed: timedelta
    target: Target


DEFAULT = Target(timedelta(hours=1), timedelta(hours=4), in_working_hours=False)
"""Where managers have deleted the target of all other plans."""


class WaitTargets:
    """Targets by plan and the working week. `load` takes two queries, or none while they are cached."""

    def __init__(self, targets: dict[str, Target], hours: list[Hours]) -> None:
        self._targets = targets
        self._working_hours = WorkingHours(hours, get_default_timezone())
        self._has_hours = bool(hours)

    @classmethod
    def load(cls) -> Self:
        kept = cache.get(KEY)
        if kept is None:
            kept = _read_targets(), list(WorkingDay.objects.values_list("weekday", "begins", "ends"))
            cache.set(KEY, kept, SECONDS)
        return cls(*kept)

    def target(self, plan_type: str | None) -> Target:
        return self._targets.get(plan_type or "") or self._targets.get("", DEFAULT)

    def judge(self, plan_type: str | None, since: datetime | None, now: datetime) -> Wait:
        """Since when nobody knows: UNKNOWN, with no time elapsed. Without any working hours every clock goes on."""
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
            row.clock == WaitTarget.Clock.WORKING,
        )
        for row in WaitTarget.objects.all()
    }


def forget(**_: object) -> None:
    """Changes made here show at once."""
    cache.delete(KEY)


for model in (WaitTarget, WorkingDay):
    post_save.connect(forget, sender=model, dispatch_uid=f"{KEY}:save:{model.__name__}")
    post_delete.connect(forget, sender=model, dispatch_uid=f"{KEY}:delete:{model.__name__}")
