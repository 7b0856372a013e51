"""The current state of the desk, read once for everyone who is watching.

Every open page asks every two seconds. One statement serves all requests within KEPT_SECONDS, so the load on the
database does not grow with the number of people. Here each person's part is selected.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any
from uuid import UUID

from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from escalations.annotations import IS_SNOOZED, IsSnoozed
from escalations.models import Escalation
from waops.database import plausible
from waops.database.kept import known
from waops.database.live_schema import missing_fields
from waops.database.moments import midnight

KEPT_SECONDS = 0.7
"""With the two seconds between a page's requests, plus network time, events appear within three seconds."""
REMEMBERED = timedelta(hours=12)
"""A page loaded longer ago is not told what arrived or was closed before that."""
FRESH = timedelta(seconds=30)
"""An open page reports itself more often than this."""
MOST = 300
"""The number of newest arrivals and closings that are sent."""
KEY = "escalations:board"

STATEMENT = """
    WITH open_escalation AS MATERIALIZED (
        SELECT
            escalation.id,
            escalation.instance_id,
            escalation.whatsapp_number,
            {since} AS waiting_since,
            CASE WHEN state.lease_until > statement_timestamp() THEN state.claimed_by_id END AS claimant_id,
            state.claimed_by_name AS claimant,
            state.claimed_at,
            state.lease_until,
            state.snoozed_at,
            state.snoozed_until,
            state.snoozed_seen_after,
            state.snoozed_seen,
            {snoozed} AS is_snoozed
        FROM public.escalated_conversations AS escalation
        LEFT JOIN waops.escalations_escalationstate AS state ON state.escalation_id = escalation.id
        WHERE escalation.resolved_at IS NULL
    ),
    views AS (
        SELECT
            instance_id,
            count(*) FILTER (WHERE claimant_id IS NULL AND NOT is_snoozed) AS unclaimed,
            count(*) FILTER (WHERE NOT is_snoozed) AS open,
            count(*) FILTER (WHERE is_snoozed) AS snoozed
        FROM open_escalation
        GROUP BY instance_id
    ),
    today AS (
        SELECT escalation.instance_id, count(*) AS today
        FROM public.escalated_conversations AS escalation
        WHERE escalation.resolved_at BETWEEN %(midnight)s AND %(midnight)s + interval '2 days'
        GROUP BY escalation.instance_id
    ),
    claims AS (
        SELECT
            open_escalation.id,
            open_escalation.instance_id,
            open_escalation.claimant_id,
            open_escalation.claimant,
            open_escalation.claimed_at,
            open_escalation.lease_until,
            CASE WHEN event.kind = 'handed_over' THEN event.actor_name END AS giver
        FROM open_escalation
        LEFT JOIN LATERAL (
            SELECT event.kind, event.actor_name
            FROM waops.escalations_event AS event
            WHERE event.escalation_id = open_escalation.id
              AND event.at = open_escalation.claimed_at
              AND event.kind IN ('claimed', 'handed_over')
            LIMIT 1
        ) AS event ON true
        WHERE open_escalation.claimant_id IS NOT NULL
    ),
    arrived AS (
        SELECT id, instance_id, appeared_at
        FROM (
            SELECT
                id,
                instance_id,
                CASE
                    WHEN snoozed_at IS NULL THEN waiting_since
                    ELSE least(
                        statement_timestamp(),
                        waops.woke_at(
                            instance_id, whatsapp_number, snoozed_at, snoozed_until, snoozed_seen_after, snoozed_seen
                        )
                    )
                END AS appeared_at
            FROM open_escalation
            WHERE NOT is_snoozed
        ) AS awake
        WHERE appeared_at > statement_timestamp() - %(remembered)s
        ORDER BY appeared_at DESC
        LIMIT %(most)s
    ),
    closed AS (
        SELECT escalation.id, escalation.instance_id, escalation.resolved_at, coalesce(event.actor_name, '') AS name
        FROM public.escalated_conversations AS escalation
        LEFT JOIN LATERAL (
            SELECT event.actor_name
            FROM waops.escalations_event AS event
            WHERE event.escalation_id = escalation.id AND event.at = escalation.resolved_at
            LIMIT 1
        ) AS event ON true
        WHERE escalation.resolved_at BETWEEN statement_timestamp() - %(remembered)s
            AND statement_timestamp() + interval '1 hour'
        ORDER BY escalation.resolved_at DESC
        LIMIT %(most)s
    ),
    written AS (
        SELECT open_escalation.id, open_escalation.instance_id, open_escalation.claimant_id, message.id AS message_id
        FROM public.whatsapp_conversation_messages AS message
        JOIN public.whatsapp_conversations AS conversation ON conversation.id = message.conversation_id
        JOIN open_escalation
            ON open_escalation.instance_id = conversation.instance_id
            AND open_escalation.whatsapp_number = conversation.user_phone
        WHERE message."timestamp" BETWEEN statement_timestamp() - interval '30 seconds'
            AND statement_timestamp() + interval '30 seconds'
          AND message.role = 'user'
        ORDER BY message."timestamp", message.id
    ),
    looking AS (
        SELECT
            viewing.escalation_id,
            viewing.user_id,
            coalesce(nullif(btrim(person.first_name || ' ' || person.last_name), ''), person.username) AS name
        FROM waops.escalations_viewing AS viewing
        JOIN waops.waops_user AS person ON person.id = viewing.user_id
        WHERE viewing.seen_at > statement_timestamp() - %(fresh)s
    ),
    viewed AS (
        SELECT
            escalation.id,
            escalation.instance_id,
            newest.id AS newest,
            (
                SELECT jsonb_agg(jsonb_build_array(looking.user_id, looking.name) ORDER BY looking.user_id)
                FROM looking WHERE looking.escalation_id = escalation.id
            ) AS people
        FROM public.escalated_conversations AS escalation
        LEFT JOIN LATERAL (
            SELECT message.id
            FROM public.whatsapp_conversation_messages AS message
            WHERE message.conversation_id = (
                SELECT conversation.id FROM public.whatsapp_conversations AS conversation
                WHERE conversation.instance_id = escalation.instance_id
                  AND conversation.user_phone = escalation.whatsapp_number
            )
              AND message."timestamp" < statement_timestamp() + interval '1 day'
            ORDER BY message."timestamp" DESC, message.id DESC
            LIMIT 1
        ) AS newest ON true
        WHERE escalation.id IN (SELECT looking.escalation_id FROM looking)
    )
    SELECT
        jsonb_build_object(
            'views', (SELECT jsonb_agg(jsonb_build_array(instance_id, unclaimed, open, snoozed)) FROM views),
            'today', (SELECT jsonb_agg(jsonb_build_array(instance_id, today)) FROM today),
            'claims', (
                SELECT jsonb_agg(
                    jsonb_build_array(
                        instance_id, id, claimant_id, claimant, giver,
                        extract(epoch FROM claimed_at), extract(epoch FROM lease_until)
                    )
                ) FROM claims
            ),
            'arrived', (
                SELECT jsonb_agg(jsonb_build_array(instance_id, id, extract(epoch FROM appeared_at))) FROM arrived
            ),
            'closed', (
                SELECT jsonb_agg(jsonb_build_array(instance_id, id, extract(epoch FROM resolved_at), name)) FROM closed
            ),
            'written', (
                SELECT jsonb_agg(jsonb_build_array(instance_id, id, claimant_id, message_id)) FROM written
            ),
            'viewed', (SELECT jsonb_agg(jsonb_build_array(instance_id, id, newest, people)) FROM viewed)
        )::text,
        statement_timestamp()
"""

COLUMNS = {
    "instance_id": "escalation.instance_id",
    "whatsapp_number": "escalation.whatsapp_number",
    **{name: f"state.{name}" for name in IsSnoozed.columns},
}
"""What IS_SNOOZED reads, under the names in STATEMENT."""

_turn = Lock()


@dataclass(frozen=True)
class Listener:
    """A person who is watching, and the WhatsApp numbers whose escalations they see; None for all."""

    user_id: int
    instances: frozenset[UUID] | None

    @property
    def scope(self) -> frozenset[str] | None:
        return None if self.instances is None else frozenset(map(str, self.instances))


@dataclass(frozen=True)
class Board:
    """The result of STATEMENT: rows by name, each beginning with its WhatsApp number's id. `taken_at` is by
    the database's clock, which may differ from this machine's.
    """

    text: str
    taken_at: datetime

    def counts(self, listener: Listener) -> dict[str, int]:
        """The number of escalations in each view of the queue."""
        return _counts(self._rows(listener), listener)

    def claim_ends(self, escalation: UUID, listener: Listener) -> float | None:
        """When a person's own claim of the escalation ends, in seconds since 1970; None without one."""
        rows = self._rows(listener)["claims"]
        return next((row[-1] for row in rows if row[1] == str(escalation) and row[2] == listener.user_id), None)

    def told(self, listener: Listener, since: datetime | None = None, escalation: str = "") -> dict[str, Any]:
        """What a page of that person must know; `since` is when it was loaded, `escalation` the id of the
        escalation it shows.

        `since`: that time, or else now. `counts` by view. By escalation id: `arrived`, when it arrived or woke since
        then; `claims`, who claimed it (id and name); `handed`, who handed over the person's own ones and when;
        `closed`, who resolved it since then; `viewers`, others who are viewing it; `written`, the customer's newest
        message of the last half minute. For `escalation`: `newest`, the id of its conversation's newest message, and
        `until`, when its claim ends.
        """
        rows, me = self._rows(listener), listener.user_id
        since = since or self.taken_at
        since_epoch = since.timestamp()
        told: dict[str, Any] = {
            "since": since.isoformat(),
            "counts": _counts(rows, listener),
            "arrived": {pk: at for _, pk, at in rows["arrived"] if at > since_epoch},
            "claims": {pk: [user_id, name] for _, pk, user_id, name, *_ in rows["claims"]},
            "handed": {
                pk: [giver, at] for _, pk, user_id, _, giver, at, _ in rows["claims"] if giver and user_id == me
            },
            "closed": {pk: name for _, pk, at, name in rows["closed"] if at > since_epoch},
            "written": {pk: message for _, pk, _, message in rows["written"]},
            "viewers": {
                pk: others
                for _, pk, _, people in rows["viewed"]
                if (others := [name for user_id, name in people or () if user_id != me])
            },
        }
        if escalation:
            told["newest"] = next((newest for _, pk, newest, _ in rows["viewed"] if pk == escalation), None)
            told["until"] = next((until for _, pk, *_, until in rows["claims"] if pk == escalation), None)
        return told

    def _rows(self, listener: Listener) -> dict[str, list[Any]]:
        scope = listener.scope
        found: dict[str, list[Any] | None] = json.loads(self.text)
        return {name: [row for row in rows or () if scope is None or row[0] in scope] for name, rows in found.items()}


def _counts(rows: dict[str, list[Any]], listener: Listener) -> dict[str, int]:
    return {
        "mine": sum(row[2] == listener.user_id for row in rows["claims"]),
        "unclaimed": sum(row[1] for row in rows["views"]),
        "open": sum(row[2] for row in rows["views"]),
        "snoozed": sum(row[3] for row in rows["views"]),
        "today": sum(row[1] for row in rows["today"]),
    }


def fresh_board() -> Board:
    """The desk right now: for a page that is rendered after its reader has just done something."""
    waiting_since = plausible.SQL.format("escalation.escalated_at")
    if "created_at" not in missing_fields(Escalation):
        waiting_since = f"coalesce({waiting_since}, {plausible.SQL.format('escalation.created_at')})"
    parameters: dict[str, Any] = {
        "midnight": midnight(timezone.localdate()),
        "remembered": REMEMBERED,
        "fresh": FRESH,
        "most": MOST,
    }
    with connection.cursor() as cursor:
        cursor.execute(
            STATEMENT.format(since=waiting_since, snoozed=IS_SNOOZED.format(**COLUMNS)),
            parameters,
        )
        board = Board(*cursor.fetchone())
    cache.set(KEY, board, KEPT_SECONDS)
    return board


def board(after: datetime | None = None) -> Board:
    """The desk as of at most KEPT_SECONDS ago, and not older than `after`. One thread of a process reads at a time."""
    if found := _fit(known(KEY), after):
        return found
    has_waited = not _turn.acquire(blocking=False)
    if has_waited:
        _turn.acquire()
    try:
        # The thread that this one waited for has stored a new one.
        return (_fit(cache.get(KEY), after) if has_waited else None) or fresh_board()
    finally:
        _turn.release()


def _fit(found: Board | None, after: datetime | None) -> Board | None:
    return found if found and (after is None or found.taken_at >= after) else None
