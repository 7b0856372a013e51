"""Trace what the database functions of the message path decide, call by call.

A trace is a row that the functions look for: it needs no superuser, works with the app stopped, and ends automatically.
A line contains ids, flags, counts and the duration, never a customer's text or phone number. The table of lines is a
ring: the functions overwrite the oldest one (`waops.trace_call`), so it never exceeds CAPACITY.
"""

from collections.abc import Sequence
from datetime import timedelta

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

LONGEST = timedelta(hours=24)
CAPACITY = 10_000
"""Lines kept, for all functions together: the cycle of sequence waops.function_trace_slot."""


class FunctionTrace(models.Model):
    """A trace of a function, and when it ends."""

    function = models.TextField(_("function"), primary_key=True)
    since = models.DateTimeField(_("since"), db_default=Now())
    until = models.DateTimeField(_("until"))

    class Meta:
        app_label = "waops"
        db_table = "function_trace"
        verbose_name = _("trace")
        verbose_name_plural = _("traces")
        constraints = [
            models.CheckConstraint(condition=models.Q(until__lte=models.F("since") + LONGEST), name="trace_ends")
        ]

    def __str__(self) -> str:
        return self.function


class TraceLine(models.Model):
    """One successful call of a traced function. Written only by waops.trace_call."""

    slot = models.IntegerField(_("slot"), primary_key=True)
    at = models.DateTimeField(_("when"))
    function = models.TextField(_("function"))
    milliseconds = models.FloatField(_("duration"))
    details = models.JSONField(_("details"))

    class Meta:
        app_label = "waops"
        db_table = "function_trace_line"
        verbose_name = _("trace line")
        verbose_name_plural = _("trace lines")
        ordering = ["-at", "-slot"]

    def __str__(self) -> str:
        return f"{self.at} {self.function}"


def start(function: str, duration: timedelta) -> FunctionTrace:
    """Trace the function from now on, for at most LONGEST; extends or shortens a running trace."""
    values = {"since": Now(), "until": Now() + min(duration, LONGEST)}
    trace, _created = FunctionTrace.objects.update_or_create(function=function, defaults=values)
    trace.refresh_from_db()
    return trace


def stop(function: str) -> None:
    FunctionTrace.objects.filter(function=function).delete()


def running() -> dict[str, FunctionTrace]:
    """The running traces, by function."""
    return {trace.function: trace for trace in FunctionTrace.objects.filter(until__gt=Now())}


def newest(limit: int, functions: Sequence[str] = ()) -> list[TraceLine]:
    """The newest lines, of these functions or of all."""
    lines = TraceLine.objects.all()
    return list((lines.filter(function__in=functions) if functions else lines)[:limit])
