"""The queue's filters, as the address holds them."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from escalations.criteria import NO_REASON, Criteria, Facet, State
from escalations.reasons import in_words

LAST_PAGE = 100_000


class QueueForm(forms.Form):
    state = forms.ChoiceField(choices=[(state.value, state.value) for state in State], required=False)
    q = forms.CharField(
        label=_("Customer"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"type": "search", "dir": "auto", "placeholder": _("Phone number or name")}),
    )
    business = forms.UUIDField(label=_("Business"), required=False, widget=forms.Select)
    number = forms.UUIDField(label=_("WhatsApp number"), required=False, widget=forms.Select)
    reason = forms.CharField(label=_("Reason"), max_length=200, required=False, widget=forms.Select)
    p = forms.IntegerField(min_value=1, max_value=LAST_PAGE, required=False)

    @property
    def criteria(self) -> Criteria:
        """What a valid form asks for."""
        data = self.cleaned_data
        return Criteria(
            state=State(data["state"] or State.OPEN),
            text=data["q"],
            business=data["business"],
            number=data["number"],
            reason=data["reason"],
        )

    @property
    def page(self) -> int:
        return self.cleaned_data["p"] or 1

    def offer(self, facets: Iterable[Facet]) -> None:
        """Fill the lists with what there is, and with what is chosen already."""
        facets = list(facets)
        self._choices("business", {facet.business_id: facet.business_name for facet in facets})
        self._choices("number", {facet.instance_id: facet.number_name for facet in facets})
        self._choices("reason", {facet.why or NO_REASON: in_words(facet.why) for facet in facets})

    def _choices(self, name: str, found: dict[Any, str | None]) -> None:
        words = {str(value): word or str(value) for value, word in found.items() if value is not None}
        chosen = self.cleaned_data[name]
        if chosen:
            words.setdefault(str(chosen), in_words(chosen if chosen != NO_REASON else None))
        ordered = sorted(words.items(), key=lambda choice: choice[1].casefold())
        select = self.fields[name].widget
        select.choices = [("", pgettext_lazy("no filter", "All")), *ordered]
