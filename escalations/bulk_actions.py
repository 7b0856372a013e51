"""One action on many cases: a page that says what will happen to each, and, confirmed, one that says what did."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import URLPattern
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from escalations.action_forms import ActionForm
from escalations.actions import MOST, preview
from escalations.announcements import in_words
from escalations.case_state import with_state
from escalations.desk_actions import BULK, UNDO, Action
from escalations.pages import read_form
from escalations.people import person
from escalations.procedures import Result
from escalations.queries import all_cases, find, with_people

if TYPE_CHECKING:
    from escalations.admin import EscalationAdmin

Versions = dict[UUID, int]
"""Cases, in the queue's order, with the version of each that the preview showed."""

OFFERED = BULK | {action.name: action for action in UNDO.values()}
"""Taking back is offered on the page that says what was done."""


def urls(desk: "EscalationAdmin") -> list[URLPattern]:
    def bulk(request: HttpRequest) -> HttpResponse:
        """Whoever signs in again on the way arrives with GET, which changes nothing."""
        if request.method != "POST":
            return redirect("admin:escalations_escalation_changelist")
        action = OFFERED.get(request.POST.get("action", ""))
        if action is None:
            raise BadRequest("Not an action on many escalations.")
        if not action.is_allowed(request.user):
            raise PermissionDenied
        return desk.show(request, "escalations/bulk.html", lambda: bulk_page(request, action))

    return [desk.page("bulk/", bulk, "bulk")]


def bulk_page(request: HttpRequest, action: Action) -> dict[str, Any]:
    """Raises BadRequest."""
    user = person(request)
    query = request.POST.get("query", "")
    is_confirmed = "cases" in request.POST
    form = action.form(request.POST if is_confirmed else None)
    versions = _confirmed(request) if is_confirmed else _chosen(request, query)
    is_done = is_confirmed and form.is_valid()
    if is_done:
        results = action.run(versions, user, **form.arguments())
    else:
        results = preview(lambda: action.run(versions, user, **_expected(action)))
    done = {result.escalation_id: result.version for result in results if result.is_done and result.escalation_id}
    undo = UNDO.get(action.name)
    cases: dict[UUID | None, Any] = {case.pk: case for case in with_people(all_cases().filter(pk__in=versions))}
    return {
        "action": action,
        "query": query,
        "form": form,
        "fields": _fields(form),
        "is_done": is_done,
        "done": len(done),
        "refused": len(results) - len(done),
        "undo": undo if is_done and done and undo and undo.is_allowed(user) else None,
        "most": MOST,
        "rows": [(cases.get(result.escalation_id), result, _words(user.pk, result)) for result in results],
        "cases": ",".join(f"{pk}:{version}" for pk, version in (done if is_done else versions).items()),
    }


def _chosen(request: HttpRequest, query: str) -> Versions:
    """The cases ticked in the queue, or all that its filters find, MOST of them at most."""
    if request.POST.get("all"):
        cases = find(read_form(QueryDict(query)).criteria, person(request).pk)
        return {case.pk: case.version for case in cases[:MOST]}  # type: ignore[attr-defined]
    try:
        ids = [UUID(value) for value in request.POST.getlist("case")[:MOST]]
    except ValueError as error:
        raise BadRequest(_("The selection holds something that is no escalation.")) from error
    found = {case.pk: case.version for case in with_state(all_cases().filter(pk__in=ids))}  # type: ignore[attr-defined]
    return {pk: found.get(pk, 0) for pk in ids}


def _confirmed(request: HttpRequest) -> Versions:
    pairs = (item.partition(":") for item in request.POST["cases"].split(",")[:MOST] if item)
    try:
        return {UUID(pk): int(version) for pk, _colon, version in pairs}
    except ValueError as error:
        raise BadRequest(_("The selection holds something that is no escalation.")) from error


def _expected(action: Action) -> dict[str, Any]:
    """Arguments of a preview: what the person has not filled in yet changes nothing of who is refused."""
    blank: dict[str, dict[str, Any]] = {"claim": {}, "release": {}, "resolve": {"note": ""}, "snooze": {"until": None}}
    return blank.get(action.name, {})


def _fields(form: ActionForm) -> list[Any]:
    return list(form.visible_fields())


def _words(reader: int, result: Result) -> SafeString | str:
    words = in_words(result, reader)
    return words if result.is_done else format_html('<span class="refused">{}</span>', words)
