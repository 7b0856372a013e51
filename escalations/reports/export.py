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


def case_lines(scope: Scope) -> Iterator[str]:
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


def _values(case: Any) -> list[object]:
    opened = case.escalated_at
    return [
        case.pk,
        _moment(opened),
        personal.text(case.business_name or ""),
        personal.text(case.number_name or ""),
        personal.number_as_stored(case.whatsapp_number),
        personal.text(case.customer_name or ""),
        personal.text(case.why or ""),
        _moment(case.claimed_at),
        case.claimant,
        _minutes(case.claimed_at and case.claimed_at - opened),
        _moment(case.replied_at),
        _minutes(case.replied_at and case.replied_at - opened),
        _moment(case.resolved_at),
        case.resolver,
        _minutes(case.resolved_at and case.resolved_at - opened),
        int(case.is_repeat),
    ]


def _moment(moment: datetime | None) -> str:
    return "" if moment is None else localtime(moment).strftime("%Y-%m-%d %H:%M:%S")


def _minutes(duration: timedelta | None) -> object:
    return "" if duration is None else round(duration.total_seconds() / 60, 1)
