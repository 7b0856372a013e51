"""The reply box of an escalation's page, and the addresses its form is sent to."""

import logging
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillSending
from contextvars import copy_context
from functools import cache as once
from html import unescape
from typing import Any, cast
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import connections
from django.db.models import Exists, OuterRef, Q
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import URLPattern, reverse
from django.utils.html import strip_tags
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from escalations.annotations import AnnotatedEscalation, with_state
from escalations.desk.actions import LAST_VERSION
from escalations.desk.base import DeskPages, person
from escalations.desk.base import uuid_of as _uuid
from escalations.desk.canned import choices, fill_replies
from escalations.desk.messages import explain
from escalations.models import LONGEST_REPLY, Reply
from escalations.models.reply import recipient
from escalations.procedures import Outcome, see
from escalations.queries import all_escalations
from escalations.replies import delivery, gateway, sending
from escalations.replies.sending import Begun, Refusal, State
from waops.access.log import note_reply
from waops.access.readers import may
from waops.admin.drafts import sent_from

logger = logging.getLogger(__name__)

PERMISSION = f"escalations.{sending.PERMISSION}"
AT_ONCE = 32
"""Most requests to the gateway that one process has open."""
WAIT_SECONDS = 2.5
"""How long a request waits for the gateway; after that the page asks again."""
WAITING = threading.Semaphore(3)
"""Most requests of one process that wait like this, so that a hanging gateway leaves most threads free."""
SHOWN = 5
OVER = (Refusal.FORM_USED, Refusal.DONE_AGAIN, Refusal.ARRIVED, Refusal.NOT_KEPT)
"""Refusals of this form, not of its text: with a new one it can be sent."""
LAST_ROW = 2**63 - 1


TOO_LONG = gettext_lazy("A reply has at most %(limit_value)d characters.")


class ReplyText(forms.CharField):
    """Counts as the page does: browsers send a line end as two characters."""

    def to_python(self, value: Any) -> str:
        text = str(super().to_python(str(value or "").replace("\r\n", "\n")))
        # Marks of direction, and spaces without width, are no message.
        return text if any(one.isprintable() and not one.isspace() for one in text) else ""


class ReplyForm(forms.Form):
    """A reply. Without a text, that of `again` is sent once more, because the page may mask numbers in it."""

    text = ReplyText(
        max_length=LONGEST_REPLY,
        required=False,
        error_messages={"max_length": TOO_LONG},
    )
    key = forms.UUIDField()
    version = forms.IntegerField(min_value=0, max_value=LAST_VERSION, required=False)
    again = forms.IntegerField(min_value=1, max_value=LAST_ROW, required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if not self.errors and not data["text"] and not data["again"]:
            raise forms.ValidationError(_("Write a reply."))
        return data


class ReplyPages(DeskPages):
    """The addresses for the box's form, its questions, and a decision about an unknown reply."""

    def get_urls(self) -> list[URLPattern]:
        return [
            self.page("<path:object_id>/reply/", sent_from(_page_of)(self.send_reply), "reply"),
            self.page("<path:object_id>/replies/", _replies, "replies"),
            self.page("<path:object_id>/replies/<int:reply>/", sent_from(_page_of)(self.decide_reply), "decide_reply"),
            *super().get_urls(),
        ]

    def send_reply(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return _send(self, request, object_id)

    def decide_reply(self, request: HttpRequest, object_id: str, reply: int) -> HttpResponse:
        return _decide(self, request, object_id, reply)


def context(request: HttpRequest, escalation: AnnotatedEscalation) -> dict[str, Any]:
    """What the page shows about replies. `reply` is None for people who may not send any."""
    known = {"reply_states": unfinished(escalation), "may_reply": may(request, PERMISSION)}
    if not known["may_reply"] or escalation.resolved_at is not None:
        return known | {"reply": None}
    user = person(request)
    holder = escalation.claimant if escalation.claimant_id not in (None, user.pk) else ""
    number = escalation.instance
    return known | {
        "reply": {
            "is_reachable": recipient(escalation.whatsapp_number) is not None,
            "is_set": gateway.is_set(),
            "is_demo": settings.EVOLUTION_IS_DEMO,
            "holder": holder,
            "is_connected": number is not None and (number.status or "").lower() == sending.CONNECTED,
            "longest": LONGEST_REPLY,
            "too_long": TOO_LONG % {"limit_value": LONGEST_REPLY},
            "canned": fill_replies(choices().canned_replies, escalation, user),
        }
    }


def unfinished(escalation: AnnotatedEscalation) -> list[Reply]:
    """Replies to the customer that are being sent, whose outcome is unknown, or whose latest attempt failed; oldest
    first.
    """
    replies = Reply.objects.to_customer_of(escalation).with_outcome()
    later = Reply.objects.to_customer_of(escalation).filter(begun_at__gt=OuterRef("begun_at"))
    found = replies.filter(
        Q(state__in=Reply.UNDECIDED)
        | Q(state=State.FAILED, again=None) & ~Q(text="") & ~Exists(later.exclude(state=State.FAILED))
    )
    return list(found.order_by("-begun_at")[:SHOWN])[::-1]


def _send(desk: ReplyPages, request: HttpRequest, object_id: str) -> HttpResponse:
    if not may(request, PERMISSION):
        raise PermissionDenied
    pk = _seen(object_id)
    if pk is None:
        return desk.no_escalation(request, object_id)
    form = ReplyForm(request.POST)
    if not form.is_valid():
        return _answer(request, pk, "refused", str(next(iter(form.errors.values()))[0]))
    data = form.cleaned_data
    begun = sending.begin(
        pk,
        person(request),
        data["text"],
        data["key"],
        version=data["version"],
        again=data["again"],
        note=lambda reply: note_reply(request, "escalations.escalation", pk),
    )
    if begun.result and begun.result.outcome is Outcome.NOT_FOUND:
        return desk.no_escalation(request, object_id)
    if begun.reply is None:
        return _refused(request, pk, begun)
    reply = _send_and_wait(begun.reply) if begun.is_new else begun.reply
    return _tell(request, pk, reply, begun)


def _send_and_wait(reply: Reply) -> Reply:
    """The reply's row once the gateway has answered, or when that takes long."""
    deadline = sending.deadline()
    future: Future[Reply] = _senders().submit(copy_context().run, _deliver, reply, deadline)
    sending.close_connection()
    if WAITING.acquire(blocking=False):
        try:
            return future.result(timeout=WAIT_SECONDS)
        except StillSending:
            pass
        finally:
            WAITING.release()
    reply.outcome = State.SENDING  # type: ignore[attr-defined]
    return reply


def _deliver(reply: Reply, deadline: float) -> Reply:
    try:
        return sending.deliver(reply, deadline)
    finally:
        connections.close_all()


@once
def _senders() -> ThreadPoolExecutor:
    """Belongs to this process, created after the web server has forked. At exit it waits for replies being sent."""
    return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="reply")


def _refused(request: HttpRequest, pk: UUID, begun: Begun) -> HttpResponse:
    if begun.refusal:
        return _answer(request, pk, "refused", str(begun.refusal.words), renew=begun.refusal in OVER)
    assert begun.result is not None
    return _answer(request, pk, "refused", unescape(strip_tags(explain(begun.result, request.user.pk))))


def _tell(request: HttpRequest, pk: UUID, reply: Reply, begun: Begun) -> HttpResponse:
    state = reply.outcome  # type: ignore[attr-defined]
    words = in_words(reply, state)
    if not begun.is_new and state in (State.SENT, State.ARRIVED):
        words = _("This reply was already sent. It was not sent again.")
    claimed = begun.result is not None and begun.result.outcome == Outcome.CLAIMED
    version = begun.result.version if begun.result else None
    return _answer(request, pk, state, words, reply=reply.pk, version=version, claimed=claimed)


def in_words(reply: Reply, state: str) -> str:
    if state == State.FAILED:
        return _("Not sent. %(why)s") % {"why": reply.reason}
    if state == State.UNKNOWN:
        return _("It is not clear whether this was sent. %(why)s") % {"why": reply.reason}
    if state == State.SENT and not reply.message_id:
        return _("Sent, but it could not be stored in the conversation. Tell an operator.")
    if state == State.ARRIVED and not reply.message_id:
        return _("Marked as arrived, but it could not be stored in the conversation. Tell an operator.")
    return {
        State.SENDING: _("Being sent…"),
        State.SENT: _("Sent."),
        State.ARRIVED: _("Marked as arrived and added to the conversation."),
        State.NOT_SENT: _("Marked as not arrived."),
    }[State(state)]


def _answer(request: HttpRequest, pk: UUID, state: str, words: str, **more: Any) -> HttpResponse:
    """JSON for the box's script; a browser without it is redirected to the page, which says the same."""
    if request.headers.get("Accept", "").startswith("application/json"):
        return JsonResponse({"state": state, "words": words, **more})
    level = {State.SENT: messages.SUCCESS, State.ARRIVED: messages.SUCCESS, State.SENDING: messages.INFO}
    messages.add_message(request, level.get(state, messages.WARNING), words)  # type: ignore[call-overload]
    return redirect(f"{_page_of(str(pk))}#reply")


def _decide(desk: ReplyPages, request: HttpRequest, object_id: str, reply: int) -> HttpResponse:
    """Record what a person found out about a reply whose sending was unknown."""
    if not may(request, PERMISSION):
        raise PermissionDenied
    escalation = _escalation(object_id)
    if escalation is None:
        return desk.no_escalation(request, object_id)
    pk = escalation.pk
    found = Reply.objects.to_customer_of(escalation).filter(pk=reply).first() if reply <= LAST_ROW else None
    if found is None:
        return _answer(request, pk, "refused", _("This reply no longer exists."))
    has_arrived = request.POST.get("arrived") == "1"
    decided = sending.decide(found.pk, person(request), has_arrived=has_arrived)
    if isinstance(decided, Refusal):
        return _answer(request, pk, "refused", str(decided.words))
    return _answer(request, pk, decided.state, in_words(decided, decided.state))


def _replies(request: HttpRequest, object_id: str) -> HttpResponse:
    """The result of the reply with that `key`. Without one: unfinished replies as HTML, and the delivery of others."""
    if key := _uuid(request.GET.get("key", "")):
        return _outcome(object_id, key)
    escalation = _escalation(object_id)
    if escalation is None:
        raise Http404
    states = unfinished(escalation)
    parts = {"escalation": escalation, "reply_states": states, "may_reply": may(request, PERMISSION)}
    last = list(Reply.objects.to_customer_of(escalation).filter(message_id__isnull=False).order_by("-begun_at")[:SHOWN])
    delivery.look_up(last)
    return JsonResponse(
        {
            "html": render_to_string("escalations/desk/reply_states.html", parts, request),
            "news": _news(states, last),
            "delivery": {reply.message_id: reply.delivered for reply in last},
        }
    )


def _outcome(object_id: str, key: UUID) -> HttpResponse:
    """Asked ten times a second while a reply is being sent, so one statement."""
    pk = _seen(object_id)
    if pk is None:
        raise Http404
    reply = Reply.objects.with_outcome().filter(key=key, escalation_id=pk).first()
    if reply is None:
        return JsonResponse({"state": "", "words": ""})
    state = reply.outcome  # type: ignore[attr-defined]
    return JsonResponse({"state": state, "words": in_words(reply, state), "reply": reply.pk})


def _news(states: list[Reply], last: list[Reply]) -> str:
    """When to ask again: soon, later, or not until the next reply."""
    if any(reply.outcome == State.SENDING for reply in states):  # type: ignore[attr-defined]
        return "soon"
    return "later" if states or delivery.may_change(last) else "none"


def _seen(object_id: str) -> UUID | None:
    pk = _uuid(object_id)
    return pk if pk and see([pk]) else None


def _escalation(object_id: str) -> AnnotatedEscalation | None:
    """The escalation with its version."""
    pk = _uuid(object_id)
    return cast(AnnotatedEscalation | None, with_state(all_escalations().filter(pk=pk)).first()) if pk else None


def _page_of(object_id: str, **_: Any) -> str:
    return reverse("admin:escalations_escalation_change", args=[object_id])
