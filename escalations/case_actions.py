"""What is done with one case: a POST address per action, and where the person goes from there."""

from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import URLPattern, reverse

from escalations.announcements import announce
from escalations.case import find_case
from escalations.desk_actions import ACTIONS, Action
from escalations.people import person
from escalations.procedures import Outcome, Result, see
from escalations.queries import next_case

if TYPE_CHECKING:
    from escalations.admin import EscalationAdmin


def urls(desk: "EscalationAdmin") -> list[URLPattern]:
    return [
        desk.page(f"<path:object_id>/{action.name}/", partial(_act, desk, action), action.name)
        for action in ACTIONS.values()
    ]


def _act(desk: "EscalationAdmin", action: Action, request: HttpRequest, object_id: str) -> HttpResponse:
    """Do it, say what became of it, go on. A refused action that came with a note shows the case with the note.

    Whoever signs in again on the way arrives with GET, which changes nothing.
    """
    if not action.is_allowed(request.user):
        raise PermissionDenied
    try:
        pk = UUID(object_id)
    except ValueError:
        return desk.no_case(request, object_id)
    if not see([pk]):
        return desk.no_case(request, object_id)
    if request.method != "POST":
        return redirect("admin:escalations_escalation_change", pk)
    form = action.form(request.POST)
    if form.is_valid():
        version = form.cleaned_data["version"]
        [result] = action.run([pk] if version is None else {pk: version}, request.user, **form.arguments())
        if result.outcome is Outcome.NOT_FOUND:
            return desk.no_case(request, object_id)
        announce(request, [result])
        if result.is_done:
            return _onwards(request, result)
    else:
        messages.error(request, str(next(iter(form.errors.values()))[0]))
    return _refused(desk, request, pk)


def _refused(desk: "EscalationAdmin", request: HttpRequest, pk: UUID) -> HttpResponse:
    draft = request.POST.get("note", "").strip()
    case = find_case(pk) if draft else None
    if case is None:
        return redirect("admin:escalations_escalation_change", pk)
    return desk.show_case(request, case, draft=draft, status=409)


def _onwards(request: HttpRequest, result: Result) -> HttpResponseRedirect:
    """To the next case, back to the queue as it was, or to the case: as `then` says."""
    then = request.POST.get("then", "")
    if then == "next":
        case = find_case(result.escalation_id) if result.escalation_id else None
        following = case and next_case(case, person(request).pk)
        if following:
            return redirect("admin:escalations_escalation_change", following.pk)
    elif then.startswith("queue"):
        query = then.removeprefix("queue")
        return HttpResponseRedirect(reverse("admin:escalations_escalation_changelist") + query)
    return redirect("admin:escalations_escalation_change", result.escalation_id)
