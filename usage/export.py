"""Export what is on the page as CSV, line by line, or XLSX. Totals are those of the page.

Numbers are written as numbers and times in UTC as ISO 8601 in every language; headings are translated.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from tempfile import TemporaryFile
from typing import IO

import xlsxwriter
from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.translation import get_language_bidi
from django.utils.translation import gettext as _

from usage.business import BusinessPage, Part
from usage.quota import Business, Totals
from usage.reconcile import Reconciliation
from usage.wording import verdict
from waops.access import personal
from waops.admin.csv_file import csv_lines

Value = str | int | float | Decimal | datetime | None
Row = Sequence[Value]


def overview_rows(businesses: Sequence[Business], totals: Totals) -> Iterator[Row]:
    """Heading, businesses, totals."""
    currencies = list(totals.costs)
    yield (
        *(_("Business"), _("Plan"), _("State"), _("Limit"), _("Used"), _("Share"), _("Per day"), _("Runs out")),
        *(_("Reset"), _("Subscription ends"), _("Replies"), _("Tokens"), _("Without token counts"), _("Without price")),
        *(_("Cost (%(currency)s)") % {"currency": currency} for currency in currencies),
    )
    for one in businesses:
        rate = one.forecast.rate
        yield (
            *(one.name, one.plan, verdict(one), one.limit, one.used, one.share),
            *(round(rate.mean, 2) if rate else None, one.forecast.exhausted_at, one.resets_on, one.subscription_end),
            *(one.replies, one.tokens, one.untracked, one.unpriced),
            *(one.costs.get(currency) for currency in currencies),
        )
    yield (
        *(_("Total"), None, totals.businesses, totals.limit, totals.used, None, None, None, None, None),
        *(totals.replies, totals.tokens, totals.untracked, totals.unpriced),
        *totals.costs.values(),
    )


def usage_rows(page: BusinessPage) -> Iterator[Row]:
    """A business's days, its other breakdowns, its hours if the page shows their costs, the total."""
    usage = page.usage
    currencies = list(usage.whole.costs)
    measures = (_("Replies"), _("Tokens"), _("Without token counts"), _("Without price"))
    costs = tuple(_("Cost (%(currency)s)") % {"currency": currency} for currency in currencies)

    def line(what: str, name: str, part: Part) -> Row:
        amounts = (part.costs.get(currency) for currency in currencies)
        return what, name, part.replies, part.tokens, part.untracked, part.unpriced, *amounts

    yield _("Grouped by"), _("Name"), *measures, *costs
    for what, parts in (
        (_("Day"), usage.days),
        (_("Model"), usage.models),
        (_("Personality"), usage.personalities),
        (_("WhatsApp number"), usage.numbers),
        (_("Intent"), usage.intents),
        (_("Hour"), [part for part in page.costly_hours if part.replies]),
    ):
        for part in parts:
            yield line(what, part.name, part)
    yield line(_("Total"), "", usage.whole)


def reconcile_rows(reconciliations: Sequence[Reconciliation]) -> Iterator[Row]:
    """Heading, periods that differ, totals."""
    yield (*(_("Business"), _("From"), _("To"), _("Counter"), _("Replies"), _("Difference"), _("What it means")),)
    for row in reconciliations:
        yield row.business.name, row.start, row.end, row.counter, row.replies, row.difference, row.explanation
    yield (
        *(_("Total"), None, None),
        *(sum(row.counter for row in reconciliations), sum(row.replies for row in reconciliations)),
        *(sum(row.difference for row in reconciliations), None),
    )


def response(rows: Iterable[Row], file_format: str, name: str) -> HttpResponseBase:
    """The file `name` in that format, "csv" or "xlsx"."""
    if file_format == "xlsx":
        return FileResponse(_xlsx(rows), as_attachment=True, filename=f"{name}.xlsx")
    return StreamingHttpResponse(
        csv_lines(map(_plain, row) for row in rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


def _plain(value: Value) -> str | int | float | Decimal | None:
    """Masked for readers who cannot see phone numbers."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return personal.text(value) if isinstance(value, str) else value


def _xlsx(rows: Iterable[Row]) -> IO[bytes]:
    file = TemporaryFile()  # noqa: SIM115 the response closes it
    # Constant memory: each row goes to disk as the next begins. Text stays text, never a formula or a link.
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(file, options) as workbook:
        heading = workbook.add_format({"bold": True, "bottom": 1})
        sheet = workbook.add_worksheet()
        sheet.freeze_panes(1, 1)
        sheet.set_column(0, 0, 28)
        sheet.set_column(1, 30, 15)
        if get_language_bidi():
            sheet.right_to_left()
        for number, row in enumerate(rows):
            style = None if number else heading
            for column, value in enumerate(map(_plain, row)):
                if isinstance(value, str):
                    sheet.write_string(number, column, value, style)
                elif value is not None:
                    sheet.write_number(number, column, value, style)
    file.seek(0)
    return file
