"""How much of a span of time people were at work."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo

WEEK = timedelta(days=7)

Hours = tuple[int, time, time]
"""Weekday as `date.weekday()` counts, begin and end; an end that is not after the begin is on the next day."""


class WorkingHours:
    """A week's working hours in one time zone. Hours that overlap count once."""

    def __init__(self, hours: Iterable[Hours], zone: tzinfo) -> None:
        self._zone = zone
        self._hours: dict[int, list[tuple[time, time]]] = {}
        for weekday, begins, ends in hours:
            self._hours.setdefault(weekday, []).append((begins, ends))

    def elapsed(self, start: datetime, end: datetime) -> timedelta:
        """Working time between two aware moments; zero if there is none, or no hours at all."""
        if end <= start or not self._hours:
            return timedelta()
        # A whole week has the same hours wherever it begins, but for a change of the clock.
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
        # From the day before: its hours may reach over midnight.
        day = start.astimezone(self._zone).date() - timedelta(days=1)
        last = end.astimezone(self._zone).date()
        while day <= last:
            for begins, ends in self._hours.get(day.weekday(), ()):
                closing_day = day if ends > begins else day + timedelta(days=1)
                yield self._moment(day, begins), self._moment(closing_day, ends)
            day += timedelta(days=1)

    def _moment(self, day: date, at: time) -> datetime:
        # In UTC: differences of moments in one zone ignore its changes of the clock.
        return datetime.combine(day, at, self._zone).astimezone(UTC)
