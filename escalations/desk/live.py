"""Live updates of the desk: each open page asks every two seconds and is answered from the board."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.cache import get_conditional_response, patch_cache_control
from django.utils.dateparse import parse_datetime

from escalations.desk.base import DeskPages, person
from escalations.desk.board import KEY as BOARD
from escalations.desk.board import Listener, board
from escalations.desk.queue import QueueForm
from escalations.procedures import LEASE, renew, see
from escalations.queries import Criteria, View, find
from waops.access.readers import current
from waops.accounts.second_factor import Need, need_of
from waops.admin.drafts import sent_from
from waops.database import kept, live_schema

KNOWN_SECONDS = 60
"""How long a person who was allowed to watch continues without being looked up again."""
RENEWED_AT = LEASE - timedelta(minutes=2)
"""A claim with more time left than this is not renewed yet."""


# Also deletes yesterday's rows, except those that another such statement is deleting right now.
LOOK = """
    WITH seen AS (
        INSERT INTO waops.escalations_viewing (escalation_id, user_id, seen_at)
        VALUES (%(escalation)s, %(user)s, pg_catalog.statement_timestamp())
        ON CONFLICT (escalation_id, user_id) DO UPDATE SET seen_at = EXCLUDED.seen_at
    )
    DELETE FROM waops.escalations_viewing WHERE id IN (
        SELECT id FROM waops.escalations_viewing
        WHERE seen_at < pg_catalog.statement_timestamp() - interval '1 day'
          AND (escalation_id, user_id) <> (%(escalation)s, %(user)s)
        ORDER BY id FOR UPDATE SKIP LOCKED
    )
"""


def look(escalation_id: UUID, user_id: int) -> None:
    """Record that this person has the escalation's page open."""
    with connection.cursor() as cursor:
        cursor.execute(LOOK, {"escalation": escalation_id, "user": user_id})


def page_of(escalation: UUID) -> str:
    return reverse("admin:escalations_escalation_change", args=[escalation])


class LivePages(DeskPages):
    """What the scripts of the desk's pages request and send."""

    def get_urls(self) -> list[URLPattern]:
        page = self.page("live/<uuid:escalation>/", sent_from(page_of)(looking), "looking")

        def looking_again(request: HttpRequest, escalation: UUID) -> HttpResponseBase:
            """Record the look in one statement for people who already listen and see all; others are handled as on a
            page.
            """
            listener: Listener | None = cache.get(_key(request))
            if request.method == "POST" and listener and listener.instances is None:
                return still_looking(request, escalation, listener)
            answer: HttpResponseBase = page.callback(request, escalation=escalation)
            return answer

        return [
            path("live/", changes, name="escalations_escalation_live"),
            path("live/<uuid:escalation>/", looking_again, name=page.name),
            *super().get_urls(),
        ]


def changes(request: HttpRequest) -> HttpResponseBase:
    """What the board has for this page, or 304 if the browser already has it.

    The address contains when the page was loaded, as `since`, the escalation it shows, and the queue's filters, which
    reported arrivals must match.
    """
    listener = _listener(request)
    if listener is None:
        return HttpResponse(status=403)
    since = _moment(request.GET.get("since", ""))
    told = board(since).told(listener, since, request.GET.get("escalation", ""))
    told["arrived"] = _meeting(request, told["arrived"], listener)
    told["session"] = _session(request)[:8]
    text = json.dumps(told)
    response = HttpResponse(text, content_type="application/json")
    etag = f'"{sha256(text.encode()).hexdigest()[:32]}"'
    answer = get_conditional_response(request, etag=etag, response=response) or response
    answer["ETag"] = etag
    patch_cache_control(answer, private=True, no_cache=True)
    return answer


def looking(request: HttpRequest, escalation: UUID) -> HttpResponse:
    """Record that the person has the escalation open or, with `away`, has left it. With `active` they are working on
    it, which renews their claim.
    """
    if not see([escalation]):
        raise Http404
    if not request.POST.get("away"):
        look(escalation, person(request).pk)
    if request.POST.get("active") and person(request).has_perm("escalations.claim_escalation"):
        renew([escalation], person(request))
    return HttpResponse(status=204)


def still_looking(request: HttpRequest, escalation: UUID, listener: Listener) -> HttpResponse:
    """As `looking`, without looking the person up again. A claim is renewed every two minutes."""
    if not request.POST.get("away"):
        look(escalation, listener.user_id)
    if request.POST.get("active"):
        now = board()
        ends = now.claim_ends(escalation, listener)
        if ends and ends - now.taken_at.timestamp() < RENEWED_AT.total_seconds():
            renew([escalation], person(request))
    return HttpResponse(status=204)


def _key(request: HttpRequest) -> str:
    return f"waops:desk-listener:{_session(request)}"


def _listener(request: HttpRequest) -> Listener | None:
    """None if they may not see escalations, or still have to enter the second factor.

    Looked up once per session in KNOWN_SECONDS.
    """
    key = _key(request)
    kept.ask(key, BOARD, live_schema.key())
    listener: Listener | None = kept.known(key)
    if listener is None:
        user = person(request)
        if not (user.is_active and user.is_staff and user.has_perm("escalations.view_escalation")):
            return None
        if need_of(request) is not Need.NOTHING:
            return None
        listener = Listener(user.pk, current().instances)
        kept.keep(key, listener, KNOWN_SECONDS)
    return listener


def _session(request: HttpRequest) -> str:
    """A name for the session that reveals nothing about it. It changes with every login."""
    return sha256(request.COOKIES.get(settings.SESSION_COOKIE_NAME, "").encode()).hexdigest()


def _meeting(request: HttpRequest, arrived: dict[str, float], listener: Listener) -> dict[str, float]:
    """Arrivals that match the page's filters: looked up again when there are new ones."""
    if not arrived:
        return arrived
    form = QueueForm(request.GET)
    # Among all open escalations, whatever the page's view, because arrivals are in no other view yet.
    criteria = replace(form.criteria, view=View.OPEN, only=()) if form.is_valid() else Criteria()
    if not criteria.is_narrowed:
        return arrived
    key = f"escalations:arrived:{listener.user_id}:{sha256(f'{criteria} {arrived}'.encode()).hexdigest()}"
    met: list[str] | None = cache.get(key)
    if met is None:
        found = find(criteria, listener.user_id).filter(pk__in=arrived)
        met = [str(escalation.pk) for escalation in found]
        cache.set(key, met, KNOWN_SECONDS)
    return {pk: arrived[pk] for pk in met if pk in arrived}


def _moment(text: str) -> datetime | None:
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment and moment.tzinfo else None
