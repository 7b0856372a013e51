"""What the search page shows: from the request to the template's context."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from django import forms
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from conversations.models import Conversation, Message
from escalations.desk.base import DeskPages
from escalations.folding import INDEXED
from escalations.search.customers import Customers, conversations_of, escalations_of, find_customers
from escalations.search.messages import TooManyMatchesError, messages_with
from escalations.search.wording import Piece, Wording, snippet
from waops.access import personal
from waops.access.log import note_reading, note_search
from waops.admin.read_only import may_view
from waops.database.paging import Cursor, Found

OVERVIEW, FULL = 10, 50
"""Results of each kind shown side by side, and of one kind alone."""
KINDS = ("escalations", "conversations", "messages")
LATEST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff"


class SearchPages(DeskPages):
    def get_urls(self) -> list[URLPattern]:
        return [self.page("search/", self.search_view, "search"), *super().get_urls()]

    def search_view(self, request: HttpRequest) -> HttpResponse:
        return self.show(request, "escalations/search/search.html", lambda: search_page(request))


class SearchForm(forms.Form):
    q = forms.CharField(
        label=gettext_lazy("Search"),
        max_length=200,
        required=False,
        widget=forms.TextInput(
            attrs={"type": "search", "dir": "auto", "placeholder": gettext_lazy("Number, name or words from a message")}
        ),
    )
    kind = forms.ChoiceField(choices=[(kind, kind) for kind in KINDS], required=False)
    after = forms.CharField(max_length=100, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not personal.sees_numbers():
            self.fields["q"].widget.attrs["placeholder"] = _("Name, last four digits or words from a message")

    def clean_q(self) -> str:
        text: str = self.cleaned_data["q"]
        if why_not := personal.refusal(text, by_number=True):
            raise forms.ValidationError(why_not)
        return text

    def clean_after(self) -> Cursor | None:
        text = self.cleaned_data["after"]
        try:
            return Cursor.parse(text) if text else None
        except ValueError:
            raise forms.ValidationError(_("This page of results does not exist.")) from None


@dataclass(frozen=True)
class FoundText:
    """A message as a result: its text in pieces, and the position in its conversation just after it."""

    message: Any
    pieces: list[Piece]

    @property
    def place(self) -> str:
        return f"{self.message.timestamp.isoformat()}_{LATEST_ID}"


def search_page(request: HttpRequest) -> dict[str, Any]:
    """The template's context. Raises BadRequest."""
    form = SearchForm(request.GET)
    if not form.is_valid():
        raise BadRequest(next(iter(form.errors.values()))[0])
    wording = Wording(form.cleaned_data["q"])
    context: dict[str, Any] = {"form": form, "wording": wording, "kind": form.cleaned_data["kind"], "found": {}}
    if not wording.text:
        return context
    note_search(request, "escalations.escalation", wording.text)
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
    yield "escalations", lambda after, size: escalations_of(customers, after, size)
    if may_view(request, Conversation):
        yield "conversations", lambda after, size: conversations_of(customers, after, size)
    if may_view(request, Message):
        yield "messages", lambda after, size: _texts(messages_with(customers.wording, after, size), customers.wording)


def _texts(found: Found[Any], wording: Wording) -> Found[FoundText]:
    rows = []
    for row in found.rows:
        content = personal.text(row.content, is_cut=len(row.content) >= INDEXED)
        rows.append(FoundText(row, snippet(content, wording.words)))
    return replace(found, rows=rows)
