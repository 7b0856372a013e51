"""What staff can do with escalations at the desk: form, permission and database function of each action."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from escalations import procedures
from escalations.models import ClosingOutcome
from escalations.procedures import Outcome, Result
from escalations.procedures.calls import Actor, EscalationIds
from escalations.queries import written_since
from waops.access.people import User
from waops.access.readers import with_limits
from waops.database import moments

LONGEST_NOTE = 5_000

MORNING = time(9)

LAST_VERSION = 2**31 - 1
"""Limit of the database's column."""


class CarefulChoiceField(forms.ModelChoiceField):  # type: ignore[type-arg]  # not generic at run time
    """Rejects keys with NUL, which Django's field would send to the database."""

    def to_python(self, value: Any) -> Any:
        if "\0" in str(value):
            raise ValidationError(self.error_messages["invalid_choice"], code="invalid_choice", params={"value": ""})
        return super().to_python(value)


class ActionForm(forms.Form):
    """`version` is the escalation's version shown on the page; without one, the action applies to the current state."""

    version = forms.IntegerField(min_value=0, max_value=LAST_VERSION, required=False, widget=forms.HiddenInput)
    override = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def arguments(self) -> dict[str, Any]:
        """The valid form's arguments for the action's procedure, by name."""
        return {}


class ClaimForm(ActionForm):
    """Claim and release; `override` allows acting on a colleague's claim."""

    def arguments(self) -> dict[str, Any]:
        return {"override": self.cleaned_data["override"]}


class ResolveForm(ActionForm):
    outcome = CarefulChoiceField(
        ClosingOutcome.objects.filter(is_active=True), label=_("Outcome"), required=False, empty_label="—"
    )
    note = forms.CharField(
        label=_("Note"),
        max_length=LONGEST_NOTE,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
    )

    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def arguments(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in ("outcome", "note", "override", "seen")}


class NoteForm(ActionForm):
    note = forms.CharField(label=_("Note"), max_length=LONGEST_NOTE, error_messages={"required": _("Write a note.")})

    def arguments(self) -> dict[str, Any]:
        return {"text": self.cleaned_data["note"]}


class EscalateForm(forms.Form):
    note = forms.CharField(label=_("Note"), max_length=LONGEST_NOTE, required=False)


class HandOverForm(ActionForm):
    to = CarefulChoiceField(
        User.objects.none(), label=_("Colleague"), error_messages={"required": _("Choose a colleague.")}
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["to"].queryset = colleagues()  # type: ignore[attr-defined]

    def arguments(self) -> dict[str, Any]:
        return {"to": self.cleaned_data["to"], "override": self.cleaned_data["override"]}


class LocalMomentField(forms.DateTimeField):
    """A time in the configured time zone, which skips an hour when clocks go forward."""

    def to_python(self, value: Any) -> datetime | None:
        try:
            moment: datetime | None = super().to_python(value)
        except forms.ValidationError as error:
            if error.code != "ambiguous_timezone":
                raise
            raise forms.ValidationError(
                _("The clock changes at that time. Choose a time one hour earlier or later.")
            ) from error
        return moment


class SnoozeForm(ActionForm):
    """Until a time chosen by name or date or, with the name `customer`, until the customer writes."""

    CUSTOMER = "customer"
    CHOICES = [
        ("1h", _("For 1 hour")),
        ("4h", _("For 4 hours")),
        ("tomorrow", _("Until tomorrow morning")),
        ("week", _("For a week")),
        (CUSTOMER, _("Until the customer writes")),
    ]

    until = forms.ChoiceField(label=_("Snooze"), choices=[("", "—"), *CHOICES], required=False)
    at = LocalMomentField(
        label=_("Until"),
        required=False,
        input_formats=["%Y-%m-%dT%H:%M"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors and not data["until"] and not data["at"]:
            raise forms.ValidationError(_("Choose an end time."))
        if data.get("at") and data["at"] <= timezone.now():
            raise forms.ValidationError(_("A snooze must end in the future."))
        return data

    def arguments(self) -> dict[str, Any]:
        chosen = self.cleaned_data["until"]
        if chosen == self.CUSTOMER:
            return {"until": None}
        return {"until": moment(chosen) if chosen else self.cleaned_data["at"]}


def moment(choice: str) -> datetime:
    """When a snooze with that name, other than CUSTOMER, ends if it begins now."""
    if choice == "tomorrow":
        return datetime.combine(timezone.localdate() + timedelta(days=1), MORNING, timezone.get_current_timezone())
    if choice == "week":
        return timezone.localtime() + timedelta(weeks=1)  # the same time of day, also across a change of the clock
    return timezone.now() + {"1h": timedelta(hours=1), "4h": timedelta(hours=4)}[choice]


def colleagues() -> QuerySet[User]:
    """People who may claim escalations, sorted by name, with their limits."""
    staff: QuerySet[User] = User.objects.with_perm(
        "escalations.claim_escalation", backend="django.contrib.auth.backends.ModelBackend"
    )
    named: QuerySet[User] = with_limits(staff.order_by("first_name", "last_name", "username"))
    return named


@dataclass(frozen=True)
class Action:
    """An action. `name` is used in addresses, `permission` is one of Escalation's `Meta`, and `run(escalations, actor,
    **arguments)` performs it.
    """

    name: str
    label: Promise
    permission: str
    form: type[ActionForm]
    run: Callable[..., list[Result]]

    def is_allowed(self, user: Any) -> bool:
        return bool(user.has_perm(f"escalations.{self.permission}"))


def resolve_read(ids: EscalationIds, actor: Actor, *, seen: str = "", **arguments: Any) -> list[Result]:
    """Resolve, except escalations with a customer message later than the time `seen`: UNREAD. An empty
    `seen` checks nothing.

    Checked before the function, not inside it: a message can still arrive in between, just as it can right after.
    """
    try:
        since = moments.parse(seen)
    except ValueError:
        since = None
    unread = written_since(ids, since) if since and since.tzinfo else {}
    read = [pk for pk in ids if pk not in unread]
    results = procedures.resolve({pk: ids[pk] for pk in read} if isinstance(ids, Mapping) else read, actor, **arguments)
    return [*results, *(Result(pk, number, Outcome.UNREAD) for pk, number in unread.items())]


CLAIM = Action("claim", pgettext_lazy("escalations", "Claim"), "claim_escalation", ClaimForm, procedures.claim)

RELEASE = Action("release", pgettext_lazy("escalations", "Release"), "claim_escalation", ClaimForm, procedures.release)

RESOLVE = Action("resolve", pgettext_lazy("escalations", "Resolve"), "resolve_escalation", ResolveForm, resolve_read)

SNOOZE = Action("snooze", pgettext_lazy("escalations", "Snooze"), "claim_escalation", SnoozeForm, procedures.snooze)

WAKE = Action("wake", pgettext_lazy("escalations", "Wake"), "claim_escalation", ActionForm, procedures.wake)

HAND_OVER = Action("hand-over", _("Hand over"), "claim_escalation", HandOverForm, procedures.hand_over)

NOTE = Action("note", _("Add note"), "claim_escalation", NoteForm, procedures.note)

REOPEN = Action("reopen", _("Reopen"), "reopen_escalation", ActionForm, procedures.reopen)

ACTIONS = {action.name: action for action in (CLAIM, RELEASE, RESOLVE, SNOOZE, WAKE, HAND_OVER, NOTE, REOPEN)}

BULK = {action.name: action for action in (CLAIM, RELEASE, RESOLVE, SNOOZE)}
"""Actions that the queue offers for several escalations."""

UNDO = {RESOLVE.name: REOPEN, SNOOZE.name: WAKE, CLAIM.name: RELEASE, RELEASE.name: CLAIM}
"""What undoes each of BULK."""
