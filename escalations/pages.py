"""What the desk's two pages show: from the request to the template's context."""

from collections.abc import Iterable
from typing import Any, cast
from urllib.parse import urlencode

from django.core.exceptions import BadRequest
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from conversations.templatetags.chat import ChatMark
from escalations import case as reads
from escalations.action_forms import SnoozeForm
from escalations.canned import fill
from escalations.choices import choices
from escalations.criteria import Case, Cases, View
from escalations.desk_actions import BULK, RESOLVE
from escalations.forms import QueueForm
from escalations.live import Listener, snapshot
from escalations.outside_json import read_context, read_insights
from escalations.people import person
from escalations.queries import facets, find, next_case, queue_rows
from escalations.reasons import in_words
from waops.access import Reader, current
from waops.admin.paginator import BoundedPaginator
from waops.phones import PLAUSIBLE

PER_PAGE = 50

VIEWS = {
    View.MINE: gettext_lazy("Mine"),
    View.UNCLAIMED: gettext_lazy("Unclaimed"),
    View.OPEN: pgettext_lazy("escalations", "All open"),
    View.SNOOZED: pgettext_lazy("escalations", "Snoozed"),
    View.TODAY: gettext_lazy("Resolved today"),
}
"""The queue's tabs; RESOLVED is reached from the last one."""


def read_form(data: Any) -> QueueForm:
    """The queue's view and filters. Raises BadRequest."""
    form = QueueForm(data, label_suffix="")
    if not form.is_valid():
        field, errors = next(iter(form.errors.items()))
        raise BadRequest(
            _("The list cannot be narrowed to “%(value)s”: %(error)s")
            % {"value": str(data.get(field, ""))[:100], "error": errors[0]}
        )
    return form


def queue_page(request: HttpRequest) -> dict[str, Any]:
    """Raises BadRequest. A page beyond the end is the last one: the queue shrinks while people work in it.

    What the filters offer is left to `filters`, which browsers ask for when somebody opens them.
    """
    form = read_form(request.GET)
    criteria = form.criteria
    user_id = person(request).pk
    has_choices = criteria.is_narrowed or "choices" in request.GET
    now = snapshot(Listener(user_id, current().instances))
    counts = now.counts
    form.offer(facets(criteria.view, user_id) if has_choices else ())
    page = BoundedPaginator(find(criteria, user_id), PER_PAGE).get_page(form.page)
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
        "cases": list(queue_rows(criteria, cast(Cases, page.object_list))),
        "bulk": [action for action in BULK.values() if action.is_allowed(request.user)],
        "me": user_id,
    }


def filters(request: HttpRequest) -> dict[str, Any]:
    """The filters of a view with all that they offer. Raises BadRequest."""
    form = read_form(request.GET)
    form.offer(facets(form.criteria.view, person(request).pk))
    return {"form": form}


def case_page(request: HttpRequest, case: Case) -> dict[str, Any]:
    """Raises BadRequest."""
    user = person(request)
    earlier = cast(list[Case], list(reads.earlier_cases(case)))
    number = case.whatsapp_number if current().sees_numbers else ""
    is_free = case.claimant_id in (None, user.pk)
    return {
        "case": case,
        **older_messages(request, case, earlier),
        "kept": read_context(case.kept),
        "customer": reads.customer_of(case),
        "instance": case.instance,
        "insights": read_insights(case.answer.metadata) if case.answer else [],
        "history": list(reads.history_of(case)),
        "earlier": earlier,
        "next": next_case(case, user.pk),
        "choices": (offered := choices()),
        "canned_notes": fill(offered.canned_notes, case, user),
        "colleagues": [one for one in offered.colleagues if Reader(one).sees(case.business_id)],
        "snoozes": SnoozeForm.CHOICES,
        "since": case.read_at,
        "is_mine": case.claimant_id == user.pk,
        "is_closable": case.resolved_at is None and is_free and RESOLVE.is_allowed(user),
        "number": number,
        "wa_me": f"https://wa.me/{number}" if PLAUSIBLE.fullmatch(number) else "",
    }


def older_messages(request: HttpRequest, case: Case, latest: Iterable[Case] = ()) -> dict[str, Any]:
    """A page of the conversation: the newest, or the one that the address asks for. Raises BadRequest.

    `latest` are the customer's other escalations, as far as the page knows them already.
    """
    before = request.GET.get("before", "")
    try:
        talk = reads.talk_of(case, before)
    except ValueError as error:
        raise BadRequest(_("“%(value)s” is not a place in this conversation.") % {"value": before[:100]}) from error
    others = latest if talk.is_newest else cast(Iterable[Case], reads.cases_within(case, talk))
    marks = [mark for one in (case, *others) for mark in _marks(one, is_this=one is case)]
    return {
        "talk": talk,
        "older": f"?{urlencode({'before': talk.older})}#chat" if talk.older else "",
        "marks": [mark for mark in marks if talk.reaches(mark.timestamp)],
    }


def _marks(case: Case, *, is_this: bool) -> list[ChatMark]:
    """Where a case began and ended; `is_this` is the page's own, another one leads to its page."""
    address = "" if is_this else reverse("admin:escalations_escalation_change", args=[case.pk])
    marks = []
    if case.waiting_since:
        text = _("Handed to a person: %(reason)s") if is_this else _("Handed to a person before: %(reason)s")
        kind = "escalation" if is_this else "earlier"
        marks.append(ChatMark(case.waiting_since, text % {"reason": in_words(case.why)}, kind, address))
    if case.resolved_at:
        marks.append(ChatMark(case.resolved_at, _("Resolved"), "resolved" if is_this else "earlier", address))
    return marks
