"""Forms for managers: the list's filters, changes of one business, changes of several."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib.admin.options import IS_POPUP_VAR, TO_FIELD_VAR
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from usage.business import Narrowed, day_bounds
from usage.changes import HIGHEST_LIMIT
from usage.quota import ORDERS, View
from usage.rollup import FIRST, LAST
from waops.access.personal import refusal, shows
from waops.database import moments

FIRST_DAY, LAST_DAY = FIRST.date(), LAST.date()
"""Days between which replies are counted, and before which top-ups end."""
ORDER_CHOICES = [(sign + name, name) for name in ORDERS for sign in ("", "-")]


OF_POPUPS = {IS_POPUP_VAR, TO_FIELD_VAR}
"""What the admin's forms add to the address of a row that they open in a popup."""


class AddressForm(forms.Form):
    """The allowed parameters of a page's address. Unknown names and values are rejected."""

    def clean(self) -> dict[str, Any]:
        unknown = set(self.data) - set(self.fields) - OF_POPUPS
        if unknown:
            raise forms.ValidationError(", ".join(sorted(unknown)))
        return self.cleaned_data


FORMATS = [("csv", "CSV"), ("xlsx", "XLSX")]


class OverviewForm(AddressForm):
    """The address of the list."""

    view = forms.ChoiceField(choices=View.choices, required=False)
    plan = forms.CharField(required=False, max_length=50)
    q = forms.CharField(required=False, max_length=100)
    o = forms.ChoiceField(choices=ORDER_CHOICES, required=False)
    p = forms.IntegerField(required=False)
    format = forms.ChoiceField(choices=FORMATS, required=False)

    def clean_q(self) -> str:
        typed: str = self.cleaned_data["q"]
        if why_not := refusal(typed, by_number=False):
            raise forms.ValidationError(why_not)
        return typed

    def clean_plan(self) -> str:
        plan: str = self.cleaned_data["plan"]
        if not shows(plan):
            raise forms.ValidationError(_("You cannot see full phone numbers, and this text contains one."))
        return plan

    @property
    def filters(self) -> dict[str, str]:
        """The arguments of `quota.choose`."""
        values = self.cleaned_data
        return {
            "view": values["view"] or View.ALL,
            "plan": values["plan"],
            "search": values["q"],
            "order": values["o"] or "risk",
        }


class ReconcileForm(AddressForm):
    """The address of the page that compares counters with replies."""

    period = forms.ChoiceField(choices=[("running", ""), ("ended", "")], required=False)
    all = forms.BooleanField(required=False)
    p = forms.IntegerField(required=False)
    format = forms.ChoiceField(choices=FORMATS, required=False)


class NarrowForm(AddressForm):
    """The address of a business's page."""

    number = forms.UUIDField(required=False)
    personality = forms.CharField(required=False, max_length=200, empty_value=None, strip=False)
    day = forms.DateField(required=False, input_formats=["%Y-%m-%d"])
    hours = forms.BooleanField(required=False)
    p = forms.IntegerField(required=False, min_value=1, max_value=10_000)

    def clean_day(self) -> date | None:
        """Allow one day more at both ends, because in other time zones the first and the last day are others."""
        day: date | None = self.cleaned_data["day"]
        if day and not FIRST_DAY - timedelta(days=1) <= day <= LAST_DAY + timedelta(days=1):
            raise forms.ValidationError(_("No replies were counted on that day."))
        return day

    def clean_personality(self) -> str | None:
        personality: str | None = self.cleaned_data["personality"]
        if personality and not shows(personality):
            raise forms.ValidationError(_("You cannot see full phone numbers, and this text contains one."))
        return personality

    @property
    def narrowed(self) -> Narrowed:
        values = self.cleaned_data
        # "": replies without a personality; absent: all of them.
        personality = "" if self.data.get("personality") == "" else values["personality"]
        return Narrowed(values["number"], personality, values["day"], values["p"] or 1, values["hours"])


def reason_field() -> forms.CharField:
    return forms.CharField(label=_("Why"), max_length=500, widget=forms.TextInput(attrs={"dir": "auto"}))


def number_widget() -> forms.NumberInput:
    return forms.NumberInput(attrs={"dir": "ltr", "inputmode": "numeric"})


def date_widget() -> forms.DateInput:
    return forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "dir": "ltr"})


class LimitForm(forms.Form):
    prefix = "limit"
    expected = forms.IntegerField(widget=forms.HiddenInput)
    limit = forms.IntegerField(
        label=_("New limit per month"), min_value=1, max_value=HIGHEST_LIMIT, widget=number_widget()
    )
    reason = reason_field()


class TopUpForm(forms.Form):
    prefix = "top_up"
    expected = forms.IntegerField(widget=forms.HiddenInput)
    amount = forms.IntegerField(label=_("Extra replies"), min_value=1, max_value=HIGHEST_LIMIT, widget=number_widget())
    until = forms.DateField(label=_("Until the end of"), input_formats=["%Y-%m-%d"], widget=date_widget())
    reason = reason_field()

    def clean_until(self) -> datetime:
        return end_of(self.cleaned_data["until"])


class ResetForm(forms.Form):
    prefix = "reset"
    expected = forms.CharField(required=False, widget=forms.HiddenInput)
    reason = reason_field()

    def clean_expected(self) -> datetime | None:
        try:
            text = self.cleaned_data["expected"]
            return moments.parse(text).astimezone(UTC) if text else None
        except ValueError as error:
            raise forms.ValidationError(_("This form is out of date. Reload the page.")) from error


def focus_first_error(form: forms.Form) -> None:
    """Focus the first field with an error when the page opens."""
    for field in form:
        if field.errors and not field.is_hidden:
            field.field.widget.attrs["autofocus"] = True
            return


class Operation(forms.Form):
    """A change of several businesses. `ids` are the selected rows; not needed for all that match."""

    class Kind:
        LIMIT, ADD, TOP_UP, RESET = "limit", "add", "top_up", "reset"

    KINDS = [
        (Kind.LIMIT, _("Set the limit to…")),
        (Kind.ADD, _("Raise the limit by…")),
        (Kind.TOP_UP, _("Top up by…, until…")),
        (Kind.RESET, _("Reset the counter")),
    ]
    scope = forms.ChoiceField(
        label=_("Which"), choices=[("selected", _("the selected ones")), ("all", _("all on this list, on every page"))]
    )
    kind = forms.ChoiceField(label=_("What"), choices=KINDS)
    number = forms.IntegerField(
        label=_("Replies"), min_value=1, max_value=HIGHEST_LIMIT, required=False, widget=number_widget()
    )
    until = forms.DateField(
        label=_("Until the end of"), required=False, input_formats=["%Y-%m-%d"], widget=date_widget()
    )
    reason = reason_field()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for field in self.fields.values():  # they are in a menu outside the form with the selected rows
            field.widget.attrs["form"] = "changelist-form"

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        kind = values.get("kind")
        if kind in (self.Kind.LIMIT, self.Kind.ADD, self.Kind.TOP_UP) and values.get("number") is None:
            self.add_error("number", _("How many replies?"))
        if kind == self.Kind.TOP_UP and "until" in values and values["until"] is None:
            self.add_error("until", _("Until when?"))
        return values

    def clean_until(self) -> datetime | None:
        until = self.cleaned_data["until"]
        return end_of(until) if until else None

    @staticmethod
    def ids(values: list[str]) -> list[UUID]:
        """The ids of the selected rows. Raises ValueError for anything other than ids."""
        return [UUID(value) for value in values]


def end_of(day: date) -> datetime:
    """The midnight after that day, in the configured time zone. Raises ValidationError if it has passed or
    is too far away.
    """
    if not FIRST_DAY <= day <= LAST_DAY:
        raise forms.ValidationError(
            _("Choose a day from today to %(last)s.") % {"last": date_format(LAST_DAY, "j F Y")}
        )
    end = day_bounds(day)[1]
    if end <= timezone.now():
        raise forms.ValidationError(_("This day is over."))
    return end
