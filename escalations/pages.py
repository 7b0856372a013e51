"""What the desk's two pages show: from the request to the template's context."""

from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import BadRequest
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from conversations.templatetags.chat import ChatMark
from escalations import case as reads
from escalations.action_forms import SnoozeForm
from escalations.choices import choices
from escalations.criteria import Case, View
from escalations.desk_actions import BULK, RESOLVE
from escalations.forms import QueueForm
from escalations.live import snapshot
from escalations.outside_json import read_context, read_insights
from escalations.people import person
from escalations.queries import facets, next_case, queue
from escalations.reasons import in_words
from waops.admin.paginator import BoundedPaginator
from waops.phones import PLAUSIBLE

PER_PAGE = 100

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
    form = QueueForm(data)
    if not form.is_valid():
        field, errors = next(iter(form.errors.items()))
        raise BadRequest(
            _("The list cannot be narrowed to “%(value)s”: %(error)s")
            % {"value": str(data.get(field, ""))[:100], "error": errors[0]}
        )
    return form


def queue_page(request: HttpRequest) -> dict[str, Any]:
    """Raises BadRequest. A page beyond the end is the last one: the queue shrinks while people work in it."""
    form = read_form(request.GET)
    criteria = form.criteria
    user_id = person(request).pk
    since = timezone.now()
    counts = snapshot(user_id, since).counts
    form.offer(facets(criteria.view, user_id))
    paginator = BoundedPaginator(queue(criteria, user_id), PER_PAGE)
    return {
        "form": form,
        "criteria": criteria,
        "view": criteria.view,
        "is_open": criteria.view.is_open,
        "tabs": [(view, name, counts[view]) for view, name in VIEWS.items()],
        "counts": counts,
        "since": since,
        "page": paginator.get_page(form.page),
        "bulk": [action for action in BULK.values() if action.is_allowed(request.user)],
        "me": user_id,
    }


def case_page(request: HttpRequest, case: Case) -> dict[str, Any]:
    """Raises BadRequest."""
    user = person(request)
    is_free = case.claimant_id in (None, user.pk)
    return {
        "case": case,
        **older_messages(request, case),
        "kept": read_context(case.kept),
        "customer": reads.customer_of(case),
        "instance": case.instance,
        "insights": read_insights(case.answer.metadata) if case.answer else [],
        "history": list(reads.history_of(case)),
        "earlier": list(reads.earlier_cases(case)),
        "next": next_case(case, user.pk),
        "choices": choices(),
        "snoozes": SnoozeForm.CHOICES,
        "since": timezone.now(),
        "is_mine": case.claimant_id == user.pk,
        "is_closable": case.resolved_at is None and is_free and RESOLVE.is_allowed(user),
        "wa_me": f"https://wa.me/{case.whatsapp_number}" if PLAUSIBLE.fullmatch(case.whatsapp_number) else "",
    }


def older_messages(request: HttpRequest, case: Case) -> dict[str, Any]:
    """A page of the conversation: the newest, or the one that the address asks for. Raises BadRequest."""
    before = request.GET.get("before", "")
    try:
        talk = reads.talk_of(case, before)
    except ValueError as error:
        raise BadRequest(_("“%(value)s” is not a place in this conversation.") % {"value": before[:100]}) from error
    return {
        "talk": talk,
        "older": f"?{urlencode({'before': talk.older})}#chat" if talk.older else "",
        "marks": [mark for mark in _marks(case) if talk.reaches(mark.timestamp)],
    }


def _marks(case: Case) -> list[ChatMark]:
    marks = []
    if case.waiting_since:
        text = _("Handed to a person: %(reason)s") % {"reason": in_words(case.why)}
        marks.append(ChatMark(case.waiting_since, text))
    if case.resolved_at:
        marks.append(ChatMark(case.resolved_at, _("Resolved"), kind="resolved"))
    return marks
