"""One row per case as CSV that Excel opens right: UTF-8 with a byte order mark, and no cell that it would calculate."""

import csv
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from escalations.numbers.queries import Scope, export_rows
from waops import personal

BYTE_ORDER_MARK = "\ufeff"
FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""What a cell that spreadsheets take for a formula begins with, also in full width."""


class _Echo:
    """A file that answers what it is given to write."""

    def write(self, text: str) -> str:
        return text


def csv_lines(scope: Scope) -> Iterator[str]:
    """The file, line by line. Its headings are in the language that is active at the call."""
    headings = [
        _("Case"),
        _("Opened"),
        _("Business"),
        _("WhatsApp number"),
        _("Customer's number"),
        _("Customer"),
        _("Reason"),
        _("First claimed"),
        _("Claimed by"),
        _("Minutes to claim"),
        _("Resolved"),
        _("Resolved by"),
        _("Minutes to resolve"),
        _("Back within 7 days"),
    ]
    return _lines(headings, scope)


def _lines(headings: list[str], scope: Scope) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield BYTE_ORDER_MARK + writer.writerow(headings)
    for case in export_rows(scope):
        yield writer.writerow([safe(value) for value in _values(case)])


def _values(case: Any) -> list[object]:
    opened = case.escalated_at
    return [
        case.pk,
        _moment(opened),
        case.business_name,
        case.number_name,
        personal.number_as_stored(case.whatsapp_number),
        personal.text(case.customer_name or ""),
        case.why,
        _moment(case.claimed_at),
        case.claimant,
        _minutes(case.claimed_at and case.claimed_at - opened),
        _moment(case.resolved_at),
        case.resolver,
        _minutes(case.resolved_at and case.resolved_at - opened),
        int(case.is_repeat),
    ]


def safe(value: object) -> object:
    """The value as it is, or behind an apostrophe where a spreadsheet would take it for a formula."""
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return value


def _moment(moment: datetime | None) -> str:
    return "" if moment is None else localtime(moment).strftime("%Y-%m-%d %H:%M:%S")


def _minutes(duration: timedelta | None) -> object:
    return "" if duration is None else round(duration.total_seconds() / 60, 1)
