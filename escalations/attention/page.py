"""The page of what needs attention, and its fixes. Items that were fixed in the meantime are skipped."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import connection, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from escalations.attention.findings import SHOWN, Kind
from escalations.attention.queries import find_all, fresh_count
from escalations.desk.base import DeskPages
from escalations.models import KnownReason
from escalations.procedures import escalate, note, see
from escalations.repairs import DuplicateEscalations, find_missed, open_missed
from waops.access.people import User
from waops.access.readers import current, may
from waops.admin.drafts import sent_from
from waops.admin.once import once, say_twice

PAGE = "admin:escalations_escalation_attention"

Remedy = Callable[[Sequence[str], User], int]


class AttentionPages(DeskPages):
    def get_urls(self) -> list[URLPattern]:
        return [
            self.page("attention/", self.attention_view, "attention"),
            self.page("attention/count/", count, "attention_count"),
            self.page("attention/<slug:kind>/", remedy, "remedy"),
            *super().get_urls(),
        ]

    def attention_view(self, request: HttpRequest) -> HttpResponse:
        return self.show(request, "escalations/attention/attention.html", lambda: attention_page(request))


def count(request: HttpRequest) -> HttpResponse:
    """Part of a page: how many things need attention; nothing if none does."""
    return HttpResponse(fresh_count(), content_type="text/plain; charset=utf-8")


def attention_page(request: HttpRequest) -> dict[str, Any]:
    findings = [finding for finding in find_all() if finding.items]
    return {
        "findings": [
            (finding, bool(finding.kind.remedy) and may(request, finding.kind.permission)) for finding in findings
        ]
    }


@sent_from(PAGE)
def remedy(request: HttpRequest, kind: str) -> HttpResponse:
    """Fix the items named in the form."""
    try:
        found = Kind.of(kind)
    except ValueError:
        raise Http404 from None
    if not may(request, found.permission):
        raise PermissionDenied
    if found.is_resolved or not found.remedy:
        raise Http404
    keys = request.POST.getlist("item")[:SHOWN]
    if keys:
        try:
            cured = once(request, lambda: apply(found, keys, request.user), bool)  # type: ignore[arg-type]
        except ValueError as error:
            raise BadRequest("Not the name of something found.") from error
        if cured is None:
            say_twice(request)
        else:
            _announce(request, len(keys), cured)
    return redirect(PAGE)


def _announce(request: HttpRequest, asked: int, cured: int) -> None:
    if cured:
        text = ngettext("%(count)d fixed.", "%(count)d fixed.", cured)
        messages.success(request, text % {"count": cured})
    if left := asked - cured:
        text = ngettext(
            "%(count)d was skipped: someone else has claimed it or already fixed it, or it needs a note before it "
            "can be resolved.",
            "%(count)d were skipped: someone else has claimed them or already fixed them, or they need a note "
            "before they can be resolved.",
            left,
        )
        messages.warning(request, text % {"count": left})
    if not asked:
        messages.warning(request, _("Nothing is selected."))


def apply(kind: Kind, keys: Sequence[str], actor: User) -> int:
    """How many items were fixed. Raises PermissionDenied; ValueError for a key that names no item."""
    if not actor.has_perm(kind.permission):
        raise PermissionDenied
    return _REMEDIES[kind](keys, actor)


def _recover(keys: Sequence[str], actor: User) -> int:
    """Keys are ids of conversations."""
    with transaction.atomic():
        found = find_missed(connection, instances=current().instances, conversations=[UUID(key) for key in keys])
        return open_missed(connection, found, actor)


def _open(keys: Sequence[str], actor: User) -> int:
    conversations = [UUID(key) for key in keys]
    with transaction.atomic():
        return sum(escalate(conversation, actor).is_done for conversation in conversations)


def _merge(keys: Sequence[str], actor: User) -> int:
    """Keys are ids of the escalations to keep. The repair records what it closed in the history, with the
    person's name.
    """
    kept = {str(pk) for pk in see(UUID(key) for key in keys)}
    repair = DuplicateEscalations()
    with transaction.atomic():
        groups = [group for group in repair.find(connection) if group.kept in kept]
        if groups and repair.apply(connection, groups):
            note([UUID(group.kept) for group in groups], actor, _("This customer's duplicates were closed."))
    return len(groups)


def _accept(keys: Sequence[str], actor: User) -> int:
    accepted = [KnownReason(reason=key, accepted_by=actor) for key in keys]
    KnownReason.objects.bulk_create(accepted, ignore_conflicts=True)
    return len(accepted)


_REMEDIES: dict[Kind, Remedy] = {
    Kind.MISSED: _recover,
    Kind.DUPLICATE: _merge,
    Kind.UNANSWERED: _open,
    Kind.UNCONFIRMED: _open,
    Kind.REASON: _accept,
}
