"""The queue's view and filters, as the address holds them."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from escalations.criteria import NO_REASON, Criteria, Facet, View
from escalations.reasons import in_words

LAST_PAGE = 100_000
ALL = ("", pgettext_lazy("no filter", "All"))


class QueueForm(forms.Form):
    view = forms.ChoiceField(choices=[(view.value, view.value) for view in View], required=False)
    q = forms.CharField(
        label=_("Customer"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"type": "search", "dir": "auto", "placeholder": _("Phone number or name")}),
    )
    business = forms.UUIDField(label=_("Business"), required=False, widget=forms.Select)
    number = forms.UUIDField(label=_("WhatsApp number"), required=False, widget=forms.Select)
    reason = forms.CharField(label=_("Reason"), max_length=200, required=False, widget=forms.Select)
    language = forms.ChoiceField(
        label=_("Customer writes"), choices=[ALL, ("ar", _("Arabic")), ("en", _("Not Arabic"))], required=False
    )
    minutes = forms.TypedChoiceField(
        label=_("Waiting for"),
        choices=[ALL, (60, _("More than 1 hour")), (240, _("More than 4 hours")), (1440, _("More than a day"))],
        coerce=int,
        empty_value=None,
        required=False,
    )
    claimant = forms.IntegerField(label=_("Claimed by"), min_value=1, required=False, widget=forms.Select)
    p = forms.IntegerField(min_value=1, max_value=LAST_PAGE, required=False)

    @property
    def criteria(self) -> Criteria:
        """What a valid form asks for."""
        data = self.cleaned_data
        return Criteria(
            view=View(data["view"] or View.OPEN),
            text=data["q"],
            **{name: data[name] for name in ("business", "number", "reason", "language", "minutes", "claimant")},
        )

    @property
    def page(self) -> int:
        return self.cleaned_data["p"] or 1

    @property
    def filters(self) -> list[forms.BoundField]:
        """Those that make sense in the view."""
        hidden = {"view", "p"} if self.criteria.view.is_open else {"view", "p", "minutes", "claimant"}
        return [field for field in self if field.name not in hidden]

    def offer(self, facets: Iterable[Facet]) -> None:
        """Fill the lists with what there is, and with what is chosen already."""
        facets = list(facets)
        self._choices("business", {facet.business_id: facet.business_name for facet in facets})
        self._choices("number", {facet.instance_id: facet.number_name for facet in facets})
        self._choices("reason", {facet.why or NO_REASON: in_words(facet.why) for facet in facets})
        self._choices("claimant", {facet.claimant_id: facet.claimant for facet in facets})

    def _choices(self, name: str, found: dict[Any, str | None]) -> None:
        words = {str(value): word or str(value) for value, word in found.items() if value is not None}
        chosen = self.cleaned_data[name]
        if chosen:
            words.setdefault(str(chosen), in_words(str(chosen) if chosen != NO_REASON else None))
        ordered = sorted(words.items(), key=lambda choice: choice[1].casefold())
        select = self.fields[name].widget
        select.choices = [ALL, *ordered]
