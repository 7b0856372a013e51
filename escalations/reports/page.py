"""The reports page, from the request to the template's context, and its export."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.urls import URLPattern
from django.utils.formats import date_format
from django.utils.timezone import get_current_timezone_name
from django.utils.translation import get_language_bidi, gettext_lazy, pgettext_lazy
from django.utils.translation import gettext as _

from escalations.context import YEARS
from escalations.desk.base import DeskPages, unknown
from escalations.reports import queries
from escalations.reports.export import escalation_lines
from escalations.reports.queries import LONGEST, Period, Preset, Scope
from usage.models import Profile
from waops.access.log import note_export
from waops.access.readers import may
from waops.admin.charts import SeriesChart, series_bars

DEFAULT = Preset.MONTH

DAY_LABELS = 8
"""Days that a chart labels."""


class ReportPages(DeskPages):
    def get_urls(self) -> list[URLPattern]:
        return [
            self.page("reports/", self.reports_view, "reports"),
            self.page("reports/escalations.csv", self.export_view, "export"),
            *super().get_urls(),
        ]

    def reports_view(self, request: HttpRequest) -> HttpResponse:
        return self.show(request, "escalations/reports/reports.html", lambda: reports_page(request))

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """Export the escalations, or show the page that says why the address is invalid."""
        if not may(request, "escalations.export_escalation"):
            raise PermissionDenied
        try:
            _form, scope = read_scope(request)
        except BadRequest:
            return self.reports_view(request)
        note_export(request, "escalations.escalation")
        period = scope.period
        return StreamingHttpResponse(
            escalation_lines(scope),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="escalations-{period.first}-{period.last}.csv"'},
        )


class ReportForm(forms.Form):
    period = forms.ChoiceField(
        label=gettext_lazy("Period"),
        choices=[*((preset.slug, preset.words) for preset in Preset), ("", gettext_lazy("From – to"))],
        required=False,
    )
    first = forms.DateField(
        label=gettext_lazy("From"), required=False, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    last = forms.DateField(
        label=gettext_lazy("To"), required=False, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    business = forms.UUIDField(label=gettext_lazy("Business"), required=False, widget=forms.Select)
    person = forms.IntegerField(
        label=gettext_lazy("Person"), min_value=1, max_value=2**31 - 1, required=False, widget=forms.Select
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        first, last = data.get("first"), data.get("last")
        if data.get("period") or not (first or last):
            preset = next((preset for preset in Preset if preset.slug == data.get("period")), DEFAULT)
            data["range"] = preset.period()
            data["period"] = preset.slug
        elif (
            first and last and first <= last and (last - first).days < LONGEST and {first.year, last.year} <= set(YEARS)
        ):
            data["range"] = Period(first, last)
        else:
            raise forms.ValidationError(
                _("Choose a start and an end, at most %(days)s days, with the start not after the end.")
                % {"days": LONGEST}
            )
        return data

    @property
    def scope(self) -> Scope:
        """The criteria of a valid form."""
        data = self.cleaned_data
        return Scope(data["range"], data["business"], data["person"])

    def offer(self) -> None:
        """Offer the existing choices in the form's lists, and select those that were chosen."""
        data, period = self.cleaned_data, self.cleaned_data["range"]
        businesses = {str(pk): str(Profile(pk=pk, business_name=name)) for pk, name in queries.businesses(period)}
        people = {str(person.pk): person.name for person in queries.people()}
        if (chosen := data["business"]) and str(chosen) not in businesses:
            businesses[str(chosen)] = str(Profile.objects.filter(pk=chosen).first() or unknown())
        self._choices("business", businesses)
        self._choices("person", people)
        self.initial = {**data, "first": period.first, "last": period.last}
        self.is_bound = False

    def _choices(self, name: str, words: dict[str, str]) -> None:
        chosen = self.cleaned_data[name]
        if chosen:
            words.setdefault(str(chosen), unknown())
        ordered = sorted(words.items(), key=lambda choice: choice[1].casefold())
        select = self.fields[name].widget
        select.choices = [("", pgettext_lazy("no filter", "All")), *ordered]


@dataclass(frozen=True)
class Drawing:
    """A chart with the numbers it draws. `rows` are a heading and one number per series each."""

    name: str
    title: str
    series: Sequence[str]
    chart: SeriesChart
    rows: Sequence[tuple[str, Sequence[int]]]


def read_scope(request: HttpRequest) -> tuple[ReportForm, Scope]:
    """The period and the filters from the address. Raises BadRequest."""
    form = ReportForm(request.GET)
    if not form.is_valid():
        raise BadRequest(next(iter(form.errors.values()))[0])
    return form, form.scope


def reports_page(request: HttpRequest) -> dict[str, Any]:
    """The template's context. Raises BadRequest."""
    form, scope = read_scope(request)
    form.offer()
    reasons = queries.by_reason(scope)
    totals = queries.totals(scope)
    return {
        "form": form,
        "scope": scope,
        "time_zone": get_current_timezone_name(),
        "totals": totals,
        "repeat_percent": round(100 * totals.repeats / totals.opened) if totals.opened else None,
        "drawings": [_days(scope), _hours(scope)],
        "reasons": reasons,
        "most_frequent": max((count for _, count in reasons), default=1),
    }


def _days(scope: Scope) -> Drawing:
    days = queries.by_day(scope)
    labels = [date_format(day.day, "j/n") for day in days]
    opened, resolved = [day.opened for day in days], [day.resolved for day in days]
    title = (
        _("Opened and resolved by week") if scope.period.days > queries.MOST_DAYS else _("Opened and resolved by day")
    )
    return Drawing(
        "days",
        title,
        (_("Opened"), _("Resolved")),
        series_bars(
            labels,
            opened,
            resolved,
            label_every=max(1, round(len(days) / DAY_LABELS)),
            rtl=get_language_bidi(),
        ),
        [(date_format(day.day, "DATE_FORMAT"), (day.opened, day.resolved)) for day in days],
    )


def _hours(scope: Scope) -> Drawing:
    counts = queries.by_hour(scope)
    labels = [f"{hour:02}" for hour in range(24)]
    rows = [(f"{hour:02}:00", (count,)) for hour, count in enumerate(counts)]
    return Drawing(
        "hours",
        _("Opened by hour of the day"),
        (_("Opened"),),
        series_bars(labels, counts, label_every=3, rtl=get_language_bidi()),
        rows,
    )
