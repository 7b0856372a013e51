"""What the search page shows: from the request to the template's context."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from django import forms
from django.core.exceptions import BadRequest
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from conversations.models import Conversation, Message
from escalations.search.customers import Customers, cases_of, conversations_of, find_customers
from escalations.search.messages import TooManyMatchesError, messages_with
from escalations.search.paging import Cursor, Found
from escalations.search.snippets import Piece, snippet
from escalations.search.wording import Wording
from waops import personal
from waops.access_log import note_reading
from waops.admin.read_only import may_view

OVERVIEW, FULL = 10, 50
"""Results of each kind beside each other, and of one kind alone."""
KINDS = ("cases", "conversations", "messages")
LATEST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff"


class SearchForm(forms.Form):
    q = forms.CharField(
        label=gettext_lazy("Search"),
        max_length=200,
        required=False,
        widget=forms.TextInput(
            attrs={"type": "search", "dir": "auto", "placeholder": gettext_lazy("Number, name or words of a message")}
        ),
    )
    kind = forms.ChoiceField(choices=[(kind, kind) for kind in KINDS], required=False)
    after = forms.CharField(max_length=100, required=False)

    def clean_after(self) -> Cursor | None:
        text = self.cleaned_data["after"]
        try:
            return Cursor.parse(text) if text else None
        except ValueError:
            raise forms.ValidationError(_("This is not a place in a list of results.")) from None


@dataclass(frozen=True)
class FoundText:
    """A message as a result: its text in pieces, and the place in its conversation just after it."""

    message: Any
    pieces: list[Piece]

    @property
    def place(self) -> str:
        return f"{self.message.timestamp.isoformat()}_{LATEST_ID}"


def search_page(request: HttpRequest) -> dict[str, Any]:
    """Raises BadRequest."""
    form = SearchForm(request.GET)
    if not form.is_valid():
        raise BadRequest(next(iter(form.errors.values()))[0])
    wording = Wording(form.cleaned_data["q"])
    context: dict[str, Any] = {"form": form, "wording": wording, "kind": form.cleaned_data["kind"], "found": {}}
    if not wording.text:
        return context
    customers = find_customers(wording)
    readers = dict(_readers(request, customers))
    if form.cleaned_data["kind"]:
        readers = {kind: read for kind, read in readers.items() if kind == form.cleaned_data["kind"]}
    size = FULL if form.cleaned_data["kind"] else OVERVIEW
    context["is_common_name"] = customers.are_too_many
    for kind, read in readers.items():
        try:
            context["found"][kind] = read(form.cleaned_data["after"], size)
        except TooManyMatchesError:
            context["is_too_common"] = True
    if "messages" in context["found"]:
        note_reading(request, "conversations.message")
    context["is_empty"] = not any(found.rows for found in context["found"].values())
    return context


def _readers(
    request: HttpRequest, customers: Customers
) -> Iterator[tuple[str, Callable[[Cursor | None, int], Found[Any]]]]:
    """What this person may see, in the order of the page."""
    yield "cases", lambda after, size: cases_of(customers, after, size)
    if may_view(request, Conversation):
        yield "conversations", lambda after, size: conversations_of(customers, after, size)
    if may_view(request, Message):
        yield "messages", lambda after, size: _texts(messages_with(customers.wording, after, size), customers.wording)


def _texts(found: Found[Any], wording: Wording) -> Found[FoundText]:
    return replace(
        found, rows=[FoundText(row, snippet(personal.text(row.content), wording.words)) for row in found.rows]
    )
