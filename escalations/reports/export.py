"""One row per escalation, as a CSV file."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from escalations.reports.queries import Scope, export_rows
from waops.access import personal
from waops.admin.csv_file import csv_lines


def escalation_lines(scope: Scope) -> Iterator[str]:
    """The file, line by line. Headings are in the language that is active at the call."""
    headings = [
        _("Escalation"),
        _("Opened"),
        _("Business"),
        _("WhatsApp number"),
        _("Customer's number"),
        _("Customer"),
        _("Reason"),
        _("First claimed"),
        _("Claimed by"),
        _("Minutes to claim"),
        _("First replied"),
        _("Minutes to first reply"),
        _("Resolved"),
        _("Resolved by"),
        _("Minutes to resolve"),
        _("Back within 7 days"),
    ]
    return _lines(headings, scope)


def _lines(headings: list[str], scope: Scope) -> Iterator[str]:
    yield from csv_lines(chain([headings], map(_values, export_rows(scope))))


def _values(escalation: Any) -> list[object]:
    opened = escalation.escalated_at
    return [
        escalation.pk,
        _moment(opened),
        personal.text(escalation.business_name or ""),
        personal.text(escalation.number_name or ""),
        personal.number_as_stored(escalation.whatsapp_number),
        personal.text(escalation.customer_name or ""),
        personal.text(escalation.why or ""),
        _moment(escalation.claimed_at),
        escalation.claimant,
        _minutes(escalation.claimed_at and escalation.claimed_at - opened),
        _moment(escalation.replied_at),
        _minutes(escalation.replied_at and escalation.replied_at - opened),
        _moment(escalation.resolved_at),
        escalation.resolver,
        _minutes(escalation.resolved_at and escalation.resolved_at - opened),
        int(escalation.is_repeat),
    ]


def _moment(moment: datetime | None) -> str:
    return "" if moment is None else localtime(moment).strftime("%Y-%m-%d %H:%M:%S")


def _minutes(duration: timedelta | None) -> object:
    return "" if duration is None else round(duration.total_seconds() / 60, 1)
