"""What changes while people look at the desk: one cheap request every ten seconds, one statement each."""

import json
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.cache import get_conditional_response, patch_cache_control
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_POST

from escalations.models import Escalation
from escalations.people import person
from escalations.presence import look
from escalations.procedures import renew, see
from waops.access import current
from waops.live_schema import missing_fields
from waops.sign_in.second_factor import Need, need_of

if TYPE_CHECKING:
    from escalations.admin import EscalationAdmin

KNOWN_SECONDS = 30
"""How long somebody who was allowed to listen goes on listening without being looked up again."""

SNAPSHOT = """
    WITH open_case AS (
        SELECT
            escalation.id,
            {since} AS waiting_since,
            CASE WHEN state.lease_until > statement_timestamp() THEN state.claimed_by_id END AS claimant_id,
            state.claimed_by_name AS claimant,
            -- As waops.woke_at decides it, many times faster than a call for each case.
            state.snoozed_at IS NOT NULL
                AND (state.snoozed_until IS NULL OR state.snoozed_until > statement_timestamp())
                AND NOT EXISTS (
                    SELECT FROM public.whatsapp_conversations AS conversation
                    JOIN public.whatsapp_conversation_messages AS message ON message.conversation_id = conversation.id
                    WHERE conversation.instance_id = escalation.instance_id
                      AND conversation.user_phone = escalation.whatsapp_number
                      AND message.role = 'user'
                      AND message."timestamp" > state.snoozed_at
                ) AS is_snoozed
        FROM public.escalated_conversations AS escalation
        LEFT JOIN waops.escalations_casestate AS state ON state.escalation_id = escalation.id
        WHERE escalation.resolved_at IS NULL AND {seen}
    ),
    closed AS (
        SELECT escalation.id, coalesce(event.actor_name, '') AS name
        FROM public.escalated_conversations AS escalation
        LEFT JOIN waops.escalations_event AS event
            ON event.escalation_id = escalation.id AND event.at = escalation.resolved_at
        WHERE escalation.resolved_at > coalesce(%(since)s, statement_timestamp()) AND {seen}
        ORDER BY escalation.resolved_at DESC
        LIMIT 200
    ),
    viewing AS (
        SELECT
            viewing.escalation_id AS id,
            jsonb_agg(coalesce(nullif(btrim(person.first_name || ' ' || person.last_name), ''), person.username)
                ORDER BY viewing.user_id) AS names
        FROM waops.escalations_viewing AS viewing
        JOIN waops.waops_user AS person ON person.id = viewing.user_id
        JOIN public.escalated_conversations AS escalation ON escalation.id = viewing.escalation_id AND {seen}
        WHERE viewing.seen_at > statement_timestamp() - interval '30 seconds' AND viewing.user_id <> %(user)s
        GROUP BY viewing.escalation_id
    )
    SELECT jsonb_build_object(
        'counts', (
            SELECT jsonb_build_object(
                'mine', count(*) FILTER (WHERE claimant_id = %(user)s AND NOT is_snoozed),
                'unclaimed', count(*) FILTER (WHERE claimant_id IS NULL AND NOT is_snoozed),
                'open', count(*) FILTER (WHERE NOT is_snoozed),
                'snoozed', count(*) FILTER (WHERE is_snoozed),
                'today', (
                    SELECT count(*) FROM public.escalated_conversations AS escalation
                    WHERE escalation.resolved_at >= %(midnight)s AND {seen}
                )
            ) FROM open_case
        ),
        'arrived', (
            SELECT count(*) FROM open_case
            WHERE waiting_since > coalesce(%(since)s, statement_timestamp()) AND NOT is_snoozed
        ),
        'claims', (
            SELECT coalesce(jsonb_object_agg(id, claimant), '{{}}') FROM open_case WHERE claimant_id IS NOT NULL
        ),
        'closed', (SELECT coalesce(jsonb_object_agg(id, name), '{{}}') FROM closed),
        'viewers', (SELECT coalesce(jsonb_object_agg(id, names), '{{}}') FROM viewing)
    )::text, statement_timestamp()
"""

SEEN = "(%(instances)s::uuid[] IS NULL OR escalation.instance_id = ANY (%(instances)s))"


@dataclass(frozen=True)
class Listener:
    """Who listens, and the WhatsApp numbers whose cases they see; None: all."""

    user_id: int
    instances: frozenset[UUID] | None


@dataclass(frozen=True)
class Snapshot:
    """The desk at this moment. `text` is the JSON that browsers get:

    `counts` by view; `arrived`, how many cases came after a moment; by id of case `claims`, who has it, `closed`, who
    has resolved it since that moment, and `viewers`, which others look at it. `taken_at` is by the database's clock:
    that of this machine may be another.
    """

    text: str
    taken_at: datetime

    @property
    def counts(self) -> dict[str, int]:
        counts: dict[str, int] = json.loads(self.text)["counts"]
        return counts


def snapshot(listener: Listener, since: datetime | None = None) -> Snapshot:
    """The desk as that person sees it; `since` is when their page was made, by the database's clock."""
    waiting_since = "coalesce(escalation.escalated_at, escalation.created_at)"
    if "created_at" in missing_fields(Escalation):
        waiting_since = "escalation.escalated_at"
    now = timezone.localtime()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    with connection.cursor() as cursor:
        cursor.execute(
            SNAPSHOT.format(since=waiting_since, seen=SEEN),
            {
                "user": listener.user_id,
                "instances": None if listener.instances is None else list(listener.instances),
                "since": since,
                "midnight": midnight,
            },
        )
        return Snapshot(*cursor.fetchone())


def urls(desk: "EscalationAdmin") -> list[URLPattern]:
    def changes(request: HttpRequest) -> HttpResponseBase:
        """The snapshot, or 304 where it is the one that the browser has."""
        listener = _listener(request)
        if listener is None:
            return HttpResponse(status=403)
        since = _moment(request.GET.get("since", ""))
        text = snapshot(listener, since).text
        response = HttpResponse(text, content_type="application/json")
        etag = f'"{sha256(text.encode()).hexdigest()[:32]}"'
        answer = get_conditional_response(request, etag=etag, response=response) or response
        answer["ETag"] = etag
        patch_cache_control(answer, private=True, no_cache=True)
        return answer

    def looking(request: HttpRequest, case: UUID) -> HttpResponse:
        """Somebody has that case before them; with `active` they work on it, which renews their claim."""
        if not see([case]):
            raise Http404
        look(case, person(request))
        if request.POST.get("active") and person(request).has_perm("escalations.claim_escalation"):
            renew([case], person(request))
        return HttpResponse(status=204)

    return [
        path("live/", changes, name="escalations_escalation_live"),
        desk.page("live/<uuid:case>/", require_POST(looking), "looking"),
    ]


def _listener(request: HttpRequest) -> Listener | None:
    """None if they may not see escalations, or owe the second factor.

    Looked up once in KNOWN_SECONDS for each session.
    """
    session = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    key = f"waops:desk-listener:{sha256(session.encode()).hexdigest()}"
    listener: Listener | None = cache.get(key)
    if listener is None:
        user = person(request)
        if not (user.is_active and user.is_staff and user.has_perm("escalations.view_escalation")):
            return None
        if need_of(request) is not Need.NOTHING:
            return None
        listener = Listener(user.pk, current().instances)
        cache.set(key, listener, KNOWN_SECONDS)
    return listener


def _moment(text: str) -> datetime | None:
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment and moment.tzinfo else None
