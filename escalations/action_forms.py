"""What an action on cases asks for, beside the cases."""

from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from escalations.models import ClosingOutcome
from waops.access import with_limits
from waops.models import User

LONGEST_NOTE = 5_000
MORNING = time(9)


class ActionForm(forms.Form):
    """`version` is the case's, as the page showed it; without one the action takes the case as it is."""

    version = forms.IntegerField(min_value=0, required=False, widget=forms.HiddenInput)
    override = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def arguments(self) -> dict[str, Any]:
        """What a valid form gives the action's procedure by name."""
        return {}


class ClaimForm(ActionForm):
    """Claiming and releasing, where `override` acts on a colleague's claim."""

    def arguments(self) -> dict[str, Any]:
        return {"override": self.cleaned_data["override"]}


class ResolveForm(ActionForm):
    outcome = forms.ModelChoiceField(
        ClosingOutcome.objects.filter(is_active=True), label=_("Outcome"), required=False, empty_label="—"
    )
    note = forms.CharField(
        label=_("Note"),
        max_length=LONGEST_NOTE,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
    )

    def arguments(self) -> dict[str, Any]:
        data = self.cleaned_data
        return {"outcome": data["outcome"], "note": data["note"], "override": data["override"]}


class NoteForm(ActionForm):
    note = forms.CharField(label=_("Note"), max_length=LONGEST_NOTE, error_messages={"required": _("Write a note.")})

    def arguments(self) -> dict[str, Any]:
        return {"text": self.cleaned_data["note"]}


class EscalateForm(forms.Form):
    note = forms.CharField(label=_("Note"), max_length=LONGEST_NOTE, required=False)


class HandOverForm(ActionForm):
    to = forms.ModelChoiceField(
        User.objects.none(), label=_("Colleague"), error_messages={"required": _("Choose a colleague.")}
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["to"].queryset = colleagues()  # type: ignore[attr-defined]

    def arguments(self) -> dict[str, Any]:
        return {"to": self.cleaned_data["to"], "override": self.cleaned_data["override"]}


class SnoozeForm(ActionForm):
    """Until a moment chosen by name or by date, or, by the name `customer`, until the customer writes."""

    CUSTOMER = "customer"
    CHOICES = [
        ("1h", _("For 1 hour")),
        ("4h", _("For 4 hours")),
        ("tomorrow", _("Until tomorrow morning")),
        ("week", _("For a week")),
        (CUSTOMER, _("Until the customer writes")),
    ]

    until = forms.ChoiceField(label=_("Snooze"), choices=[("", "—"), *CHOICES], required=False)
    at = forms.DateTimeField(
        label=_("Until"),
        required=False,
        input_formats=["%Y-%m-%dT%H:%M"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors and not data["until"] and not data["at"]:
            raise forms.ValidationError(_("Choose until when."))
        if data.get("at") and data["at"] <= timezone.now():
            raise forms.ValidationError(_("A snooze ends in the future."))
        return data

    def arguments(self) -> dict[str, Any]:
        chosen = self.cleaned_data["until"]
        if chosen == self.CUSTOMER:
            return {"until": None}
        return {"until": moment(chosen) if chosen else self.cleaned_data["at"]}


def moment(choice: str) -> datetime:
    """When a snooze of that name, other than CUSTOMER, ends if it begins now."""
    now = timezone.localtime()
    if choice == "tomorrow":
        return datetime.combine(now.date() + timedelta(days=1), MORNING, timezone.get_current_timezone())
    return now + {"1h": timedelta(hours=1), "4h": timedelta(hours=4), "week": timedelta(weeks=1)}[choice]


def colleagues() -> QuerySet[User]:
    """Whoever may claim cases, in the order of their names, with their limits."""
    staff: QuerySet[User] = User.objects.with_perm(
        "escalations.claim_escalation", backend="django.contrib.auth.backends.ModelBackend"
    )
    named: QuerySet[User] = with_limits(staff.order_by("first_name", "last_name", "username"))
    return named
