"""One action on several escalations: a page that previews what will happen to each and, once confirmed, one
that shows what did.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.core.exceptions import BadRequest, PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import URLPattern
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from escalations.annotations import with_people, with_state
from escalations.desk.actions import BULK, LAST_VERSION, UNDO, Action, ActionForm
from escalations.desk.base import DeskPages, person
from escalations.desk.board import board
from escalations.desk.messages import in_words
from escalations.desk.queue import read_form
from escalations.procedures import Result
from escalations.queries import all_escalations, find
from waops.admin.drafts import sent_from

MOST = 500
"""Most escalations per action: their rows stay locked until all are done."""

Versions = dict[UUID, int]
"""Escalations in the queue's order, with the version of each shown in the preview."""

OFFERED = BULK | {action.name: action for action in UNDO.values()}
"""Undo is offered on the result page."""


class BulkPages(DeskPages):
    def get_urls(self) -> list[URLPattern]:
        queue = "admin:escalations_escalation_changelist"
        return [
            self.page("bulk/", sent_from(queue, confirmed_by="escalations")(self.bulk_view), "bulk"),
            *super().get_urls(),
        ]

    def bulk_view(self, request: HttpRequest) -> HttpResponse:
        action = OFFERED.get(request.POST.get("action", ""))
        if action is None:
            raise BadRequest("Not an action on many escalations.")
        if not action.is_allowed(request.user):
            raise PermissionDenied
        return self.show(request, "escalations/desk/bulk.html", lambda: bulk_page(request, action))


def preview(action: Callable[[], list[Result]]) -> list[Result]:
    """What an action, such as `lambda: claim(ids, user)`, would do to each escalation now.

    The action is run and rolled back, so the preview differs from the result only by what happens in between.
    """
    with transaction.atomic():
        results = action()
        transaction.set_rollback(True)
    return results


def bulk_page(request: HttpRequest, action: Action) -> dict[str, Any]:
    """The template's context, before or after confirming. Raises BadRequest."""
    user = person(request)
    query = request.POST.get("query", "")
    is_confirmed = "escalations" in request.POST
    seen = request.POST.get("seen") or board().taken_at.isoformat()
    form = action.form(request.POST if is_confirmed else None, initial=request.POST.dict())
    versions = _confirmed(request) if is_confirmed else _chosen(request, query)
    is_done = is_confirmed and form.is_valid()
    if is_done:
        results = action.run(versions, user, **form.arguments())
    else:
        results = preview(lambda: action.run(versions, user, **_expected(action, seen)))
    done = {result.escalation_id: result.version for result in results if result.is_done and result.escalation_id}
    undo = UNDO.get(action.name)
    escalations: dict[UUID | None, Any] = {
        escalation.pk: escalation for escalation in with_people(all_escalations().filter(pk__in=versions))
    }
    return {
        "action": action,
        "query": query,
        "seen": seen,
        "form": form,
        "fields": _fields(form),
        "is_done": is_done,
        "done": len(done),
        "refused": len(results) - len(done),
        "undo": undo if is_done and done and undo and undo.is_allowed(user) else None,
        "most": MOST,
        "chosen": () if request.POST.get("all") else versions,
        "rows": [(escalations.get(result.escalation_id), result, _words(user.pk, result)) for result in results],
        "escalations": ",".join(f"{pk}:{version}" for pk, version in (done if is_done else versions).items()),
    }


def _chosen(request: HttpRequest, query: str) -> Versions:
    """The escalations selected in the queue, or all that its filters find, at most MOST."""
    if request.POST.get("all"):
        escalations = with_state(find(read_form(QueryDict(query)).criteria, person(request).pk))
        return {escalation.pk: escalation.version for escalation in escalations[:MOST]}  # type: ignore[attr-defined]
    try:
        ids = [UUID(value) for value in request.POST.getlist("escalation")[:MOST]]
    except ValueError as error:
        raise BadRequest(_("The selection contains an invalid id.")) from error
    found = {one.pk: one.version for one in with_state(all_escalations().filter(pk__in=ids))}  # type: ignore[attr-defined]
    return {pk: found.get(pk, 0) for pk in ids}


def _confirmed(request: HttpRequest) -> Versions:
    pairs = (item.partition(":") for item in request.POST["escalations"].split(",")[:MOST] if item)
    try:
        versions = {UUID(pk): int(version) for pk, _colon, version in pairs}
        if not all(0 <= version <= LAST_VERSION for version in versions.values()):
            raise ValueError
        return versions
    except ValueError as error:
        raise BadRequest(_("The selection contains an invalid id.")) from error


def _expected(action: Action, seen: str) -> dict[str, Any]:
    """Arguments for a preview: what the person has not filled in yet does not affect who is refused."""
    blank: dict[str, dict[str, Any]] = {"resolve": {"note": "", "seen": seen}, "snooze": {"until": None}}
    return blank.get(action.name, {})


def _fields(form: ActionForm) -> list[Any]:
    return list(form.visible_fields())


def _words(reader: int, result: Result) -> SafeString | str:
    words = in_words(result, reader)
    return words if result.is_done else format_html('<span class="refused">{}</span>', words)
