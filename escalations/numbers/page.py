"""What the page of numbers shows: from the request to the template's context."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import BadRequest
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.timezone import get_current_timezone_name
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from escalations.numbers import queries
from escalations.numbers.charts import Chart, bar_chart
from escalations.numbers.period import LONGEST, Period, Preset
from escalations.numbers.queries import Scope
from escalations.outside_json import YEARS

DEFAULT = Preset.MONTH
DAY_LABELS = 8
"""Days that a chart names."""


class NumbersForm(forms.Form):
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
                _("A period has two days, the first not after the last, and at most %(days)s days in all.")
                % {"days": LONGEST}
            )
        return data

    @property
    def scope(self) -> Scope:
        """What a valid form asks for."""
        data = self.cleaned_data
        return Scope(data["range"], data["business"], data["person"])

    def offer(self) -> None:
        """Fill the lists with what there is, and show what is chosen."""
        data, period = self.cleaned_data, self.cleaned_data["range"]
        businesses = {str(pk): name for pk, name in queries.businesses(period)}
        people = {str(person.pk): person.get_full_name() or person.get_username() for person in queries.people()}
        self._choices("business", businesses)
        self._choices("person", people)
        self.initial = {**data, "first": period.first, "last": period.last}
        self.is_bound = False

    def _choices(self, name: str, words: dict[str, str]) -> None:
        chosen = self.cleaned_data[name]
        if chosen:
            words.setdefault(str(chosen), str(chosen))
        ordered = sorted(words.items(), key=lambda choice: choice[1].casefold())
        select = self.fields[name].widget
        select.choices = [("", pgettext_lazy("no filter", "All")), *ordered]


@dataclass(frozen=True)
class Drawing:
    """A chart with the numbers that it draws. `rows` are a heading and one number per series each."""

    name: str
    title: str
    series: Sequence[str]
    chart: Chart
    rows: Sequence[tuple[str, Sequence[int]]]


def read_scope(request: HttpRequest) -> tuple[NumbersForm, Scope]:
    """Raises BadRequest."""
    form = NumbersForm(request.GET)
    if not form.is_valid():
        raise BadRequest(next(iter(form.errors.values()))[0])
    return form, form.scope


def numbers_page(request: HttpRequest) -> dict[str, Any]:
    """Raises BadRequest."""
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
        "most_frequent": max((cases for _, cases in reasons), default=1),
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
        bar_chart(labels, opened, resolved, label_every=max(1, round(len(days) / DAY_LABELS))),
        [(date_format(day.day, "DATE_FORMAT"), (day.opened, day.resolved)) for day in days],
    )


def _hours(scope: Scope) -> Drawing:
    cases = queries.by_hour(scope)
    labels = [f"{hour:02}" for hour in range(24)]
    rows = [(f"{hour:02}:00", (count,)) for hour, count in enumerate(cases)]
    return Drawing(
        "hours", _("Opened by hour of the day"), (_("Opened"),), bar_chart(labels, cases, label_every=3), rows
    )
