"""What the desk's two pages show: from the request to the template's context."""

from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import BadRequest
from django.http import HttpRequest
from django.utils.translation import gettext as _

from conversations.templatetags.chat import ChatMark
from escalations import case as reads
from escalations.criteria import Case, State
from escalations.forms import QueueForm
from escalations.outside_json import read_context, read_insights
from escalations.queries import facets, next_case, queue
from escalations.reasons import in_words
from waops.admin.paginator import BoundedPaginator
from waops.phones import PLAUSIBLE

PER_PAGE = 100


def queue_page(request: HttpRequest) -> dict[str, Any]:
    """Raises BadRequest. A page beyond the end is the last one: the queue shrinks while people work in it."""
    form = QueueForm(request.GET)
    if not form.is_valid():
        field, errors = next(iter(form.errors.items()))
        raise BadRequest(
            _("The list cannot be narrowed to “%(value)s”: %(error)s")
            % {"value": str(request.GET.get(field, ""))[:100], "error": errors[0]}
        )
    criteria = form.criteria
    choices = facets(criteria)
    form.offer(choices)
    paginator = BoundedPaginator(queue(criteria), PER_PAGE)
    return {
        "form": form,
        "criteria": criteria,
        "is_open": criteria.state is State.OPEN,
        "open_count": sum(facet.cases for facet in choices) if criteria.state is State.OPEN else None,
        "page": paginator.get_page(form.page),
    }


def case_page(request: HttpRequest, case: Case) -> dict[str, Any]:
    """Raises BadRequest."""
    before = request.GET.get("before", "")
    try:
        talk = reads.talk_of(case, before)
    except ValueError as error:
        raise BadRequest(_("“%(value)s” is not a place in this conversation.") % {"value": before[:100]}) from error
    earlier = list(reads.earlier_cases(case))
    answer = reads.last_answer(case)
    return {
        "case": case,
        "talk": talk,
        "older": f"?{urlencode({'before': talk.older})}#chat" if talk.older else "",
        "marks": [mark for mark in _marks(case) if talk.reaches(mark.timestamp)],
        "kept": read_context(case.kept),
        "customer": reads.customer_of(case),
        "instance": reads.instance_of(case),
        "answer": answer,
        "insights": read_insights(answer.metadata) if answer else [],
        "history": list(reads.history_of(case)),
        "earlier": earlier,
        "next": next_case(case),
        "wa_me": f"https://wa.me/{case.whatsapp_number}" if PLAUSIBLE.fullmatch(case.whatsapp_number) else "",
    }


def _marks(case: Case) -> list[ChatMark]:
    marks = []
    if case.waiting_since:
        text = _("Handed to a person: %(reason)s") % {"reason": in_words(case.why)}
        marks.append(ChatMark(case.waiting_since, text))
    if case.resolved_at:
        marks.append(ChatMark(case.resolved_at, _("Resolved"), kind="resolved"))
    return marks
