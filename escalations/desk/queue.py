"""The queue: its views and filters from the address, its page, and the panel on the home page."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast
from uuid import UUID

from django import forms
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import URLPattern
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from conversations.models import WhatsAppInstance
from escalations import sla
from escalations.annotations import Escalations
from escalations.desk.actions import BULK, CLAIM
from escalations.desk.base import DeskPages, person, unknown
from escalations.desk.board import Listener, fresh_board
from escalations.desk.rows import QueueRows
from escalations.models import reason_in_words
from escalations.queries import (
    NO_REASON,
    Criteria,
    Facet,
    View,
    facets,
    find,
    queue_rows,
)
from usage.models import Profile
from waops.access.log import note_search
from waops.access.personal import refusal, sees_numbers, shows, text
from waops.access.readers import current
from waops.admin.paginator import BoundedPaginator
from waops.database import live_schema

LAST_PAGE = 100_000
LONGEST_LIST = 50 * 37
"""Length of fifty ids in characters."""

ALL = ("", pgettext_lazy("no filter", "All"))

CACHED: dict[str, Callable[[], Any]] = {live_schema.key(): live_schema.read_tables, sla.KEY: sla.SLATargets.read}
"""What the queue reads from the cache."""

PER_PAGE = 50

SHOWN = 5
"""Most escalations on the home page."""

VIEWS = {
    View.MINE: _("Mine"),
    View.UNCLAIMED: _("Unclaimed"),
    View.OPEN: pgettext_lazy("escalations", "All open"),
    View.SNOOZED: pgettext_lazy("escalations", "Snoozed"),
    View.TODAY: _("Resolved today"),
}
"""The queue's tabs; RESOLVED is reached from the last one."""


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
        label=_("Customer's language"), choices=[ALL, ("ar", _("Arabic")), ("en", _("Not Arabic"))], required=False
    )
    minutes = forms.TypedChoiceField(
        label=_("Waiting for"),
        choices=[ALL, (60, _("More than 1 hour")), (240, _("More than 4 hours")), (1440, _("More than a day"))],
        coerce=int,
        empty_value=None,
        required=False,
    )
    claimant = forms.IntegerField(label=_("Claimed by"), min_value=1, required=False, widget=forms.Select)
    only = forms.CharField(max_length=LONGEST_LIST, required=False, widget=forms.HiddenInput)
    p = forms.IntegerField(min_value=1, max_value=LAST_PAGE, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not sees_numbers():
            self.fields["q"].widget.attrs["placeholder"] = _("Name or last four digits")

    def clean_q(self) -> str:
        typed: str = self.cleaned_data["q"]
        if why_not := refusal(typed, by_number=True):
            raise forms.ValidationError(why_not)
        return typed

    def clean_reason(self) -> str:
        reason: str = self.cleaned_data["reason"]
        if not shows(reason):
            raise forms.ValidationError(_("You cannot see full phone numbers, and this text contains one."))
        return reason

    def clean_only(self) -> tuple[UUID, ...]:
        try:
            return tuple(UUID(pk) for pk in self.cleaned_data["only"].split(",") if pk)
        except ValueError:
            raise forms.ValidationError(_("This list of escalations does not exist.")) from None

    @property
    def criteria(self) -> Criteria:
        """The criteria of a valid form."""
        data = self.cleaned_data
        return Criteria(
            view=View(data["view"] or View.OPEN),
            text=data["q"],
            **{name: data[name] for name in ("business", "number", "reason", "language", "minutes", "claimant")},
            only=data["only"],
        )

    @property
    def page(self) -> int:
        return self.cleaned_data["p"] or 1

    @property
    def filters(self) -> list[forms.BoundField]:
        """Filters that make sense in the view."""
        hidden = {"view", "p", "only"} | (set() if self.criteria.view.is_open else {"minutes", "claimant"})
        return [field for field in self if field.name not in hidden]

    def offer(self, facets: Iterable[Facet]) -> None:
        """Offer the existing choices in the form's lists, and those that were chosen already."""
        facets = list(facets)
        businesses = {
            facet.business_id: str(Profile(pk=facet.business_id, business_name=facet.business_name))
            for facet in facets
            if facet.business_id
        }
        self._choices("business", businesses, lambda pk: str(Profile.objects.filter(pk=pk).first() or unknown()))
        numbers = {facet.instance_id: facet.number_name for facet in facets}
        self._choices("number", numbers, lambda pk: str(WhatsAppInstance.objects.filter(pk=pk).first() or unknown()))
        reasons = {facet.why or NO_REASON: reason_in_words(facet.why) for facet in facets}
        self._choices("reason", reasons, lambda why: reason_in_words(None if why == NO_REASON else why))
        self._choices("claimant", {facet.claimant_id: facet.claimant for facet in facets}, str)

    def _choices(self, name: str, found: Mapping[Any, str | None], named: Callable[[Any], str]) -> None:
        """`found` has the labels for each value; `named` returns those for chosen values that are not among them."""
        words = {
            str(value): text(word or unknown())
            for value, word in found.items()
            if value is not None and (not isinstance(value, str) or shows(value))
        }
        chosen = self.cleaned_data[name]
        if chosen and str(chosen) not in words:
            words[str(chosen)] = named(chosen)
        ordered = sorted(words.items(), key=lambda choice: choice[1].casefold())
        select = self.fields[name].widget
        select.choices = [ALL, *ordered]


class QueuePages(DeskPages):
    """The queue instead of Django's list of rows."""

    def get_urls(self) -> list[URLPattern]:
        return [
            self.page("", self.changelist_view, "changelist", CACHED),
            self.page("filters/", self.filters_view, "filters"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return self.show(request, "escalations/desk/queue.html", lambda: queue_page(request))

    def filters_view(self, request: HttpRequest) -> HttpResponse:
        """Part of a page: the filters of a view with all their choices."""
        try:
            form = read_form(request.GET)
        except BadRequest as error:
            return self.refuse(request, error)
        form.offer(facets(form.criteria.view, person(request).pk))
        return HttpResponse(filter_fields(form))


def filter_fields(form: QueueForm) -> SafeString:
    """The filters that make sense in the form's view, each with its label."""
    return format_html_join(
        "\n",
        '<div class="narrow__field narrow__field--{}"><label for="{}">{}</label>{}</div>',
        ((field.name, field.id_for_label, field.label, field) for field in form.filters),
    )


def home_panel(request: HttpRequest) -> dict[str, Any]:
    """The panel of people who resolve escalations: their own, how many customers are waiting, and who waits longest."""
    user_id = person(request).pk
    mine, free = Criteria(View.MINE), Criteria(View.UNCLAIMED)
    return {
        "counts": fresh_board().counts(Listener(user_id, current().instances)),
        "mine": list(queue_rows(mine, find(mine, user_id)[:SHOWN])),
        "escalation": next(iter(queue_rows(free, find(free, user_id)[:1])), None),
        "may_claim": CLAIM.is_allowed(request.user),
    }


def read_form(data: Any) -> QueueForm:
    """Read the queue's view and filters from the address. Raises BadRequest."""
    form = QueueForm(data, label_suffix="")
    if not form.is_valid():
        field, errors = next(iter(form.errors.items()))
        raise BadRequest(
            gettext("“%(value)s” is not a valid filter: %(error)s")
            % {"value": str(data.get(field, ""))[:100], "error": errors[0]}
        )
    return form


def queue_of(request: HttpRequest) -> tuple[str, Criteria | None]:
    """The queue's address from which an escalation was opened, and its filters; empty if it was opened otherwise."""
    query = (request.POST if request.method == "POST" else request.GET).get("queue", "")
    form = QueueForm(QueryDict(query))
    return (query, form.criteria) if query and form.is_valid() else ("", None)


def queue_page(request: HttpRequest) -> dict[str, Any]:
    """The template's context. Raises BadRequest.

    A page beyond the end shows the last one, because the queue shrinks while people work. The filters' choices are left
    to `filters_view`, which browsers request when someone opens them.
    """
    form = read_form(request.GET)
    criteria = form.criteria
    note_search(request, "escalations.escalation", criteria.text)
    user_id = person(request).pk
    has_choices = criteria.is_narrowed or "choices" in request.GET
    now = fresh_board()
    counts = now.counts(Listener(user_id, current().instances))
    form.offer(facets(criteria.view, user_id) if has_choices else ())
    counted = None if criteria.is_narrowed else counts.get(criteria.view)
    page = BoundedPaginator(find(criteria, user_id), PER_PAGE, counted=counted).get_page(form.page)
    escalations = list(queue_rows(criteria, cast(Escalations, page.object_list)))
    bulk = [action for action in BULK.values() if action.is_allowed(request.user)]
    rows = QueueRows(
        is_open=criteria.view.is_open,
        is_selectable=criteria.view.is_open and bool(bulk),
        may_claim=CLAIM.is_allowed(request.user),
        reader=user_id,
        query=request.GET.urlencode(),
    )
    return {
        "form": form,
        "has_choices": has_choices,
        "criteria": criteria,
        "view": criteria.view,
        "is_open": criteria.view.is_open,
        "tabs": [(view, name, counts[view]) for view, name in VIEWS.items()],
        "counts": counts,
        "since": now.taken_at,
        "page": page,
        "escalations": escalations,
        "rows": rows(escalations),
        "bulk": bulk,
    }
