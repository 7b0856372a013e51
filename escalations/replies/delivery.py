"""Find out whether replies reached the customer, from the events that the service stores in
`webhook_messages`.

Some deployments lack that table, and it may have no index, so the lookup is short and aborted if it takes too long. The
result is stored with the reply, so that a reply that was read is never looked up again.
"""

from datetime import timedelta
from typing import Any

from django.core.cache import cache
from django.db import DatabaseError, connection, transaction
from django.db.models import Q
from django.utils import timezone

from conversations.models import REPLIES
from escalations.models import Reply
from waops.database.errors import sqlstate
from waops.database.live_schema import live_tables

TABLE = "webhook_messages"
COLUMNS = frozenset({"event", "data"})
RECENT = timedelta(days=3)
"""A reply that the customer has not read by then is no longer looked up."""
MILLISECONDS = 300
REST_SECONDS = 600
"""Pause after a lookup that took too long."""
REST_KEY = "webhook-messages-slow"

Delivery = Reply.Delivery
WORDS = {
    "ERROR": Delivery.ERROR,
    "SERVER_ACK": Delivery.SENT,
    "DELIVERY_ACK": Delivery.DELIVERED,
    "READ": Delivery.READ,
    "PLAYED": Delivery.READ,
}
RANKS = ["", Delivery.SENT, Delivery.ERROR, Delivery.DELIVERED, Delivery.READ]
"""Events arrive in any order; the later one in this list counts. Version 2 calls the message's id keyId."""

LIMIT = """
    SELECT usual FROM (SELECT pg_catalog.current_setting('statement_timeout') AS usual OFFSET 0) AS before
    WHERE pg_catalog.set_config('statement_timeout', %s, true) IS NOT NULL
"""
EVENTS = """
    SELECT id, status FROM (
        SELECT coalesce(event.data ->> 'keyId', event.data ->> 'id') AS id, event.data ->> 'status' AS status
        FROM public.webhook_messages AS event
        WHERE event.event = 'messages.update' {since}
    ) AS told
    WHERE id = ANY (%(ids)s) AND status = ANY (%(statuses)s)
"""


def look_up(replies: list[Reply]) -> None:
    """Update the `delivery` of replies, here and in their rows. Reads with at most one short statement."""
    open_ = {(reply.message_id or "").removeprefix(REPLIES): reply for reply in replies if _is_open(reply)}
    if not open_ or not _can_be_read():
        return
    for message_id, delivery in _told(list(open_), min(reply.begun_at for reply in open_.values())):
        reply = open_[message_id]
        if RANKS.index(delivery) > RANKS.index(reply.delivery):
            reply.delivery = delivery
            Reply.objects.filter(~Q(delivery=Delivery.READ), pk=reply.pk).update(delivery=delivery)


def may_change(replies: list[Reply]) -> bool:
    """Whether a later lookup can change any of them."""
    return any(map(_is_open, replies)) and _can_be_read()


def _is_open(reply: Reply) -> bool:
    is_recent = reply.begun_at > timezone.now() - RECENT
    return bool(reply.message_id) and reply.delivery != Delivery.READ and is_recent


def _can_be_read() -> bool:
    return live_tables().get(TABLE, frozenset()) >= COLUMNS and not cache.get(REST_KEY)


def _told(ids: list[str], since: Any) -> list[tuple[str, Reply.Delivery]]:
    has_time = "received_at" in live_tables()[TABLE]
    statement = EVENTS.format(since="AND event.received_at >= %(since)s" if has_time else "")
    values = {"ids": ids, "statuses": list(WORDS), "since": since - timedelta(minutes=5)}
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(LIMIT, [str(MILLISECONDS)])
            [usual] = cursor.fetchone()
            cursor.execute(statement, values)
            told = [(message_id, WORDS[status]) for message_id, status in cursor.fetchall()]
            cursor.execute(LIMIT, [usual])
            return told
    except DatabaseError as error:
        # Too slow, no privilege to read it, or columns of other types: replies are shown without it.
        if not (sqlstate(error) or "").startswith(("57014", "42", "22")):
            raise
    cache.set(REST_KEY, True, REST_SECONDS)
    return []
