"""An escalation's page, its parts, and the actions on that escalation."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, cast
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from conversations.answers import UnreadableJson
from conversations.procedures import get_conversation_with_context
from conversations.templatetags.chat import BLANK, ChatMark, chat
from escalations import detail as reads
from escalations.annotations import AnnotatedEscalation
from escalations.context import read_context, read_insights
from escalations.desk import canned
from escalations.desk.actions import ACTIONS, RESOLVE, Action, SnoozeForm
from escalations.desk.base import DeskPages, person, uuid_of
from escalations.desk.brief import brief_of
from escalations.desk.canned import choices, fill
from escalations.desk.messages import announce, state_in_words
from escalations.desk.queue import CACHED as QUEUE_CACHED
from escalations.desk.queue import queue_of
from escalations.desk.reply import context as reply_context
from escalations.desk.rows import in_queue
from escalations.detail import ShownMessage, find_escalation
from escalations.models import reason_in_words
from escalations.procedures import Outcome, Result, see
from escalations.queries import next_escalation
from waops.access.log import note_reading
from waops.access.phones import PLAUSIBLE
from waops.access.readers import current
from waops.admin.drafts import sent_from, typed_before
from waops.admin.once import once, say_twice
from waops.database.calls import CallRefused
from waops.database.long_text import LONGEST_WHOLE
from waops.database.moments import parse as parse_moment
from waops.database.moments import read as read_moment

START = "-infinity"
"""The position before every message."""
CACHED: Mapping[str, Callable[[], Any]] = QUEUE_CACHED | {canned.KEY: canned.read}
"""What an escalation's page reads from the cache."""


class DetailPages(DeskPages):
    """Addresses below an escalation's id, which is why they come last: one POST address per action, and pages."""

    def get_urls(self) -> list[URLPattern]:
        return [
            *(self.action(action) for action in ACTIONS.values()),
            self.reading("ai-context/", self.context_view, "ai_context"),
            self.reading("messages/", self.messages_view, "messages"),
            self.reading("change/", self.change_page, "change", CACHED),
            *super().get_urls(),
        ]

    def reading(
        self,
        route: str,
        view: Callable[[HttpRequest, AnnotatedEscalation], HttpResponse],
        name: str,
        cached: Mapping[str, Callable[[], Any]] | None = None,
    ) -> URLPattern:
        """Decorate a page that shows an escalation, so that reading it is recorded."""

        def read(request: HttpRequest, object_id: str) -> HttpResponse:
            pk = uuid_of(object_id)
            escalation = find_escalation(pk) if pk else None
            if escalation is None:
                return self.no_escalation(request, object_id)
            note_reading(request, "escalations.escalation", escalation.pk)
            return view(request, escalation)

        return self.page(f"<path:object_id>/{route}", read, name, cached)

    def action(self, action: Action) -> URLPattern:
        @sent_from(page_of, keeps_typed=True)
        def act(request: HttpRequest, object_id: str) -> HttpResponse:
            return self.act(request, action, object_id)

        return self.page(f"<path:object_id>/{action.name}/", act, action.name)

    def change_page(self, request: HttpRequest, escalation: AnnotatedEscalation) -> HttpResponse:
        return self.show_escalation(request, escalation, draft=typed_before(request).get("note", ""))

    def show_escalation(
        self, request: HttpRequest, escalation: AnnotatedEscalation, *, draft: str = "", status: int = 200
    ) -> HttpResponse:
        """An escalation's page; `draft` is a note that was not stored, to be sent again."""
        return self.show(
            request,
            "escalations/desk/detail.html",
            lambda: escalation_page(request, escalation) | {"draft": draft},
            status=status,
        )

    def messages_view(self, request: HttpRequest, escalation: AnnotatedEscalation) -> HttpResponse:
        """Part of a page: messages of an escalation's conversation or, as `whole`, a text that is too long
        for the page.
        """

        def read() -> dict[str, Any]:
            page = older_messages(request, escalation)
            return page | chat(page["talk"].messages, page["marks"], page["older"], page["newer"], page["whole"])

        if "whole" in request.GET:
            return self.show(request, "escalations/desk/whole_message.html", lambda: whole_message(request, escalation))
        return self.show(request, "conversations/chat.html", read)

    def context_view(self, request: HttpRequest, escalation: AnnotatedEscalation) -> HttpResponse:
        """What the AI would read if it replied to the customer now, requested as the service does."""
        return self.show(request, "escalations/desk/ai_context.html", lambda: ai_context(escalation))

    def act(self, request: HttpRequest, action: Action, object_id: str) -> HttpResponse:
        """Run the action, show the result, go on. A refused action with a note shows the escalation with the
        note again.
        """
        if not action.is_allowed(request.user):
            raise PermissionDenied
        pk = uuid_of(object_id)
        if pk is None or not see([pk]):
            return self.no_escalation(request, object_id)
        form = action.form(request.POST)
        if form.is_valid():
            version = form.cleaned_data["version"]
            escalations = [pk] if version is None else {pk: version}
            results = once(request, lambda: action.run(escalations, request.user, **form.arguments()), _all_done)
            if results is None:
                escalation = find_escalation(pk)
                say_twice(request, state_in_words(escalation, person(request).pk) if escalation else "")
                return _to_escalation(request, pk)
            [result] = results
            if result.outcome is Outcome.NOT_FOUND:
                return self.no_escalation(request, object_id)
            announce(request, [result])
            if result.is_done:
                return _onwards(request, result)
        else:
            messages.error(request, str(next(iter(form.errors.values()))[0]))
        return self._refused(request, pk)

    def _refused(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        draft = request.POST.get("note", "").strip()
        escalation = find_escalation(pk) if draft else None
        if escalation is None:
            return _to_escalation(request, pk)
        return self.show_escalation(request, escalation, draft=draft, status=409)


def page_of(object_id: str | UUID) -> str:
    """The address of an escalation's page."""
    return reverse("admin:escalations_escalation_change", args=[object_id])


def _all_done(results: list[Result]) -> bool:
    return all(result.is_done for result in results)


def _onwards(request: HttpRequest, result: Result) -> HttpResponseRedirect:
    """To the next escalation, back to the queue, or to the escalation, depending on `then`."""
    then = request.POST.get("then", "")
    if then == "next":
        escalation = find_escalation(result.escalation_id) if result.escalation_id else None
        following = escalation and next_escalation(escalation, person(request).pk, queue_of(request)[1])
        if following:
            return _to_escalation(request, following.pk)
    elif then.startswith("queue"):
        query = then.removeprefix("queue")
        return HttpResponseRedirect(reverse("admin:escalations_escalation_changelist") + query)
    return _to_escalation(request, result.escalation_id)


def _to_escalation(request: HttpRequest, pk: UUID | None) -> HttpResponseRedirect:
    """The escalation's page, within the queue that the form came from."""
    return HttpResponseRedirect(in_queue(page_of(str(pk)), queue_of(request)[0]))


def escalation_page(request: HttpRequest, escalation: AnnotatedEscalation) -> dict[str, Any]:
    """An escalation's page. Raises BadRequest."""
    user = person(request)
    earlier = cast(list[AnnotatedEscalation], list(reads.earlier_escalations(escalation)))
    number = escalation.whatsapp_number if current().sees_numbers else ""
    is_free = escalation.claimant_id in (None, user.pk)
    queue, criteria = queue_of(request)
    talk = older_messages(request, escalation, earlier)
    known: dict[str, Any] = {
        "kept": read_context(escalation.kept),
        "customer": reads.customer_of(escalation),
        "insights": read_insights(escalation.answer.metadata) if escalation.answer else [],
    }
    return {
        "escalation": escalation,
        **talk,
        **known,
        **reply_context(request, escalation),
        "brief": brief_of(escalation, talk=talk["talk"], earlier=earlier, **known),
        "instance": escalation.instance,
        "history": list(reads.history_of(escalation)),
        "earlier": earlier,
        "next": next_escalation(escalation, user.pk, criteria),
        "queue": queue,
        "seen": (escalation.wrote_at[0] if escalation.wrote_at else escalation.read_at).isoformat(),
        "choices": (offered := choices()),
        "canned_notes": fill(offered.canned_notes, escalation, user),
        "colleagues": [one for one in offered.colleagues if one.sees(escalation.business_id)],
        "snoozes": SnoozeForm.CHOICES,
        "since": escalation.read_at,
        "is_mine": escalation.claimant_id == user.pk,
        "is_closable": escalation.resolved_at is None and is_free and RESOLVE.is_allowed(user),
        "number": number,
        "wa_me": f"https://wa.me/{number}" if PLAUSIBLE.fullmatch(number) else "",
    }


def ai_context(escalation: AnnotatedEscalation) -> dict[str, Any]:
    """What the AI would read if it replied to this customer now; `context` is None if the service could not
    look it up.
    """
    context, is_unreadable = None, False
    if escalation.instance_id and escalation.whatsapp_number:
        try:
            context = get_conversation_with_context(escalation.instance_id, escalation.whatsapp_number)
        except UnreadableJson:
            is_unreadable = True
        except CallRefused:
            pass
    return {
        "escalation": escalation,
        "context": context,
        "is_unreadable": is_unreadable,
        "chat_messages": [
            ShownMessage(None, one["role"], one["content"], read_moment(one["timestamp"]), is_hold_text=False)
            for one in (context.recent_messages if context else ())
        ],
        "interactions": [
            (one["user_message"], read_moment(one["created_at"]))
            for one in (context.recent_interactions if context else ())
        ],
    }


def older_messages(
    request: HttpRequest, escalation: AnnotatedEscalation, latest: Iterable[AnnotatedEscalation] = ()
) -> dict[str, Any]:
    """A page of the conversation: the newest, or the one the address asks for. Raises BadRequest.

    `latest` are the customer's other escalations, if the page has already loaded them.
    """
    place = {name: value for name in ("before", "after", "at") if (value := request.GET.get(name, ""))}
    try:
        talk = reads.talk_of(escalation, **place | {"at": _moment(place["at"])} if "at" in place else place)
    except ValueError as error:
        value = next(iter(place.values()))[:100]
        raise BadRequest(_("“%(value)s” is not a position in this conversation.") % {"value": value}) from error
    others = (
        latest if talk.is_newest else cast(Iterable[AnnotatedEscalation], reads.escalations_within(escalation, talk))
    )
    marks = [mark for one in (escalation, *others) for mark in _marks(one, is_this=one is escalation)]
    return {
        "talk": talk,
        "older": _place(request, before=talk.older) if talk.older else "",
        "newer": _place(request, after=talk.newer) if talk.newer else "",
        "whole": f"{reverse('admin:escalations_escalation_messages', args=[escalation.pk])}?whole={BLANK}",
        "start": _place(request, "start", at=START),
        "escalated": _place(request, "escalation", at=escalation.waiting_since.isoformat())
        if escalation.waiting_since
        else "",
        "marks": [mark for mark in marks if talk.reaches(mark.timestamp)],
    }


def whole_message(request: HttpRequest, escalation: AnnotatedEscalation) -> dict[str, Any]:
    """A message of the escalation's conversation with all of its text. Raises BadRequest."""
    try:
        message = reads.message_of(escalation, UUID(request.GET["whole"]))
    except ValueError:
        message = None
    if message is None:
        raise BadRequest(_("This message is not in this conversation."))
    return {"message": message, "longest": LONGEST_WHOLE}


def _place(request: HttpRequest, fragment: str = "chat", **place: str) -> str:
    """The address of a position in the conversation, within this page."""
    queue = queue_of(request)[0]
    return f"?{urlencode(place | ({'queue': queue} if queue else {}))}#{fragment}"


def _moment(text: str) -> datetime:
    """A time, or the start of a day. Raises ValueError."""
    moment = parse_moment(text)
    return moment if moment.tzinfo else timezone.make_aware(moment)


def _marks(escalation: AnnotatedEscalation, *, is_this: bool) -> list[ChatMark]:
    """Where an escalation began and ended; `is_this` is the page's own, others link to their page."""
    address = "" if is_this else reverse("admin:escalations_escalation_change", args=[escalation.pk])
    marks = []
    if escalation.waiting_since:
        text = _("Escalated: %(reason)s") if is_this else _("Escalated earlier: %(reason)s")
        kind = "escalation" if is_this else "earlier"
        marks.append(
            ChatMark(escalation.waiting_since, text % {"reason": reason_in_words(escalation.why)}, kind, address)
        )
    if escalation.resolved_at:
        marks.append(ChatMark(escalation.resolved_at, _("Resolved"), "resolved" if is_this else "earlier", address))
    return marks
