"""Send a reply at most once.

1. `begin` writes the row, in the transaction that claims the escalation. 2. `deliver` asks the gateway, once, without a
database connection. 3. `settle` records the result; only this step is retried. If a process is killed between two
steps, the row reads as unknown a while later, and a person decides about it (`decide`).
"""

import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, IntegrityError, connection, connections, transaction
from django.db.models.functions import Now
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from conversations.legacy import whatsapp_customer
from conversations.models import REPLIES, WhatsAppInstance
from escalations.models import Escalation, Event, Reply
from escalations.procedures import LEASE, Result
from escalations.procedures.calls import Actor, call, permitted
from escalations.replies import gateway
from escalations.replies.gateway import Sent
from waops.access.people import User
from waops.database.unavailable import trouble_of

logger = logging.getLogger(__name__)

PERMISSION = "reply_escalation"
SETTLE_SECONDS = 60
"""How long to wait for a database that went away after the gateway's response."""
PAUSES = (0.1, 0.3, 1.0, 2.0)
REACHABLE = re.compile(r"\d{5,17}|\d{5,20}@lid", re.ASCII)
"""Longest number of a single customer: longer ones are groups."""
USABLE_NAME = re.compile(r"(?!\.+$).+", re.DOTALL)
"""A name of dots only would lead to another address of the gateway."""
CONNECTED = "connected"

State = Reply.State


class Refusal(Enum):
    """Why nothing was sent, and no row was written."""

    NO_GATEWAY = _("Replies are off: EVOLUTION_API_URL and EVOLUTION_API_KEY are not set.")
    NOT_CONNECTED = _("This WhatsApp number is not connected. Ask the business to reconnect it.")
    UNREACHABLE = _("This customer's number cannot receive replies.")
    BEING_SENT = _("Another reply to this customer is being sent. Wait until it is done.")
    UNDECIDED = _("It is not clear whether the last reply arrived. Decide that first, above the reply box.")
    DONE_AGAIN = _("That reply was already sent again.")
    ARRIVED = _("That reply has arrived, so it was not sent again.")
    DECIDED = _("Someone has already decided about this reply.")
    NOT_STORABLE = _(
        "This app may not store replies in the database, so nothing was sent. An operator can print the missing "
        "rights: manage.py role_sql"
    )

    @property
    def words(self) -> Promise:
        return self.value


@dataclass(frozen=True)
class Begun:
    """What `begin` did: exactly one of these is set, except that `result`, the claim that came with it, may accompany
    `reply`.

    `is_new` is false if the form was submitted before: `reply` is then its result.
    """

    reply: Reply | None = None
    is_new: bool = False
    result: Result | None = None
    refusal: Refusal | None = None


def begin(
    escalation_id: UUID,
    actor: Actor,
    text: str,
    key: UUID,
    *,
    version: int | None = None,
    again: int | None = None,
    note: Callable[[Reply], None] = lambda reply: None,
) -> Begun:
    """Write the row of a reply that is about to be sent, and claim the escalation or renew the claim.

    `again` is the failed or unknown reply that this one replaces, with its text if `text` is empty. `note` is called in
    the same transaction. Raises PermissionDenied without reply_escalation.
    """
    user = permitted(actor, PERMISSION)
    if earlier := _sent_before(key, escalation_id):
        return earlier
    if not gateway.is_set():
        return Begun(refusal=Refusal.NO_GATEWAY)
    with transaction.atomic():
        cases = [escalation_id] if version is None else {escalation_id: version}
        [result] = call("claim_escalations", cases, user, p_lease=LEASE, p_force=False)
        if not result.is_done:
            # Not rolled back: an expired claim belongs in the history.
            return _sent_before(key, escalation_id) or Begun(result=result)
        begun = _sent_before(key, escalation_id) or _begin(escalation_id, user, text, key, again)
        if begun.reply is None or not begun.is_new:
            transaction.set_rollback(True)
            return begun
        note(begun.reply)
    return Begun(begun.reply, is_new=True, result=result)


def _sent_before(key: UUID, escalation_id: UUID) -> Begun | None:
    reply = Reply.objects.with_outcome().filter(key=key, escalation_id=escalation_id).first()
    return Begun(reply) if reply else None


def _begin(escalation_id: UUID, user: User, text: str, key: UUID, again: int | None) -> Begun:
    """With the customer's escalations locked."""
    case = Escalation.objects.join("instance").get(pk=escalation_id)
    number: WhatsAppInstance | None = case.instance
    if number is None or (number.status or "").lower() != CONNECTED or not USABLE_NAME.match(number.instance_name):
        return Begun(refusal=Refusal.NOT_CONNECTED)
    if not REACHABLE.fullmatch(case.whatsapp_number):
        return Begun(refusal=Refusal.UNREACHABLE)
    if not may_store():
        return Begun(refusal=Refusal.NOT_STORABLE)
    earlier = Reply.objects.to_customer_of(case).with_outcome().select_for_update()
    replaced = earlier.filter(pk=again).first() if again else None
    if again and replaced is None:
        return Begun(refusal=Refusal.DONE_AGAIN)
    if replaced:
        if replaced.outcome in (State.SENT, State.ARRIVED):  # type: ignore[attr-defined]
            return Begun(refusal=Refusal.ARRIVED)
        if Reply.objects.filter(again_of=replaced).exists():
            return Begun(refusal=Refusal.DONE_AGAIN)
    for reply in earlier.filter(state__in=Reply.UNDECIDED):
        if reply.outcome == State.SENDING:  # type: ignore[attr-defined]
            return Begun(refusal=Refusal.BEING_SENT)
        if reply != replaced:
            return Begun(refusal=Refusal.UNDECIDED)
        _decide(reply, State.NOT_SENT, user)
    text = text or (replaced.text if replaced else "")
    try:
        with transaction.atomic():
            reply = Reply.objects.create(
                key=key,
                escalation_id=case.pk,
                instance_id=case.instance_id,
                instance_name=number.instance_name,
                whatsapp_number=case.whatsapp_number,
                text=text,
                author=user,
                author_name=user.name,
                again_of=replaced,
            )
    except IntegrityError:  # the same key, for another escalation
        return Begun(refusal=Refusal.BEING_SENT)
    return Begun(reply, is_new=True)


def may_store() -> bool:
    """Whether this role can do what `settle` will do: better to know before the customer has the message."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT coalesce(
                pg_catalog.has_function_privilege(
                    pg_catalog.to_regprocedure('public.store_message_with_update(uuid,text,text,text)'), 'EXECUTE'
                ), false
            ) AND pg_catalog.has_table_privilege('public.whatsapp_conversations', 'INSERT')
              AND pg_catalog.has_table_privilege('public.whatsapp_conversations', 'UPDATE')
              AND pg_catalog.has_table_privilege('public.whatsapp_conversation_messages', 'INSERT')
            """
        )
        return bool(cursor.fetchone() == (True,))


def deliver(reply: Reply, deadline: float) -> Reply:
    """Ask the gateway until `deadline`, by time.monotonic(), and record the result.

    Holds no database connection in the meantime. Raises DatabaseError if the result could not be recorded.
    """
    close_connection()
    try:
        sent = gateway.send(reply.instance_name, reply.whatsapp_number, reply.text, deadline - time.monotonic())
    except Exception as error:  # whatever the error is, the message may have been sent
        logger.exception("Reply %s: sending raised", reply.pk, exc_info=error)
        sent = Sent(State.UNKNOWN, Reply.Why.ODD)
    if sent.state != State.SENT:
        logger.warning("Reply %s: %s (%s)", reply.pk, sent.state.value, sent.why)
    return settle(reply.pk, sent)


def settle(pk: int, sent: Sent) -> Reply:
    """Record the result of a reply and return its new row. Safe to repeat, and repeated while the database is down."""
    give_up = time.monotonic() + SETTLE_SECONDS
    tries = 0
    while True:
        try:
            return _settle(pk, sent)
        except DatabaseError as error:
            if trouble_of(error) is None and sent.state == State.SENT:
                logger.exception("Reply %s was sent, and cannot be stored in its conversation", pk)
                return _settle(pk, sent, store=False)
            if trouble_of(error) is None or time.monotonic() > give_up:
                logger.error("Reply %s: its outcome (%s) could not be written", pk, sent.state.value)
                raise
            close_connection()
            time.sleep(PAUSES[min(tries, len(PAUSES) - 1)])
            tries += 1


def _settle(pk: int, sent: Sent, *, store: bool = True) -> Reply:
    reply = Reply.objects.get(pk=pk)
    with transaction.atomic():
        # Locks the customer's escalations first, as `begin` does.
        call("renew_claims", [reply.escalation_id], reply.author, p_lease=LEASE)
        reply = Reply.objects.select_for_update(of=("self",)).select_related("author").get(pk=pk)
        if sent.state == State.SENT:
            if reply.state == State.SENT:
                return reply
            is_stored = reply.state == State.ARRIVED
            reply.state, reply.why = State.SENT, ""
            if store and not is_stored:
                _store(reply, f"{REPLIES}{sent.id}")
            if not is_stored:
                _tell(reply)
        elif reply.state in Reply.UNDECIDED:
            reply.state, reply.why = sent.state, sent.why
        else:
            return reply
        reply.ended_at = Now()
        reply.save(update_fields=["state", "why", "ended_at", "message_id"])
    return Reply.objects.with_outcome().get(pk=pk)


def decide(pk: int, actor: Actor, *, has_arrived: bool) -> Refusal | None:
    """A person has checked whether an unknown reply arrived; if it did, it is stored in the conversation.

    Raises PermissionDenied without reply_escalation, Reply.DoesNotExist.
    """
    user = permitted(actor, PERMISSION)
    found = Reply.objects.get(pk=pk)
    with transaction.atomic():
        call("renew_claims", [found.escalation_id], user, p_lease=LEASE)
        reply = Reply.objects.with_outcome().select_for_update().get(pk=pk)
        if reply.outcome != State.UNKNOWN:  # type: ignore[attr-defined]
            return Refusal.DECIDED
        if has_arrived:
            _store(reply, f"{REPLIES}reply_{reply.pk}")
            _tell(reply)
        _decide(reply, State.ARRIVED if has_arrived else State.NOT_SENT, user)
    return None


def _decide(reply: Reply, state: Reply.State, user: User) -> None:
    reply.state, reply.decided_by_name = state, user.name
    reply.why = reply.why or Reply.Why.INTERRUPTED
    reply.ended_at = reply.ended_at or Now()
    reply.save(update_fields=["state", "why", "decided_by_name", "ended_at", "message_id"])


def _store(reply: Reply, message_id: str) -> None:
    """In the conversation, which the AI reads once it takes over again."""
    with connection.cursor() as cursor:
        # The service may have stored the number in another form than the escalation.
        phone = whatsapp_customer(reply.instance_id, reply.whatsapp_number) or reply.whatsapp_number
        values: dict[str, Any] = {"instance": reply.instance_id, "phone": phone}
        cursor.execute(CONVERSATION, values)
        found = cursor.fetchone()
        if found is None:
            cursor.execute(NEW_CONVERSATION, values)
            # Nothing, if the customer's own message has created it at the same moment.
            found = cursor.fetchone() or (cursor.execute(CONVERSATION, values), cursor.fetchone())[1]
        cursor.execute(
            "SELECT public.store_message_with_update(%s, 'assistant', %s, %s)", [*found, reply.text, message_id]
        )
    reply.message_id = message_id


CONVERSATION = """
    SELECT id FROM public.whatsapp_conversations WHERE instance_id = %(instance)s AND user_phone = %(phone)s
"""
NEW_CONVERSATION = """
    INSERT INTO public.whatsapp_conversations (instance_id, user_phone) VALUES (%(instance)s, %(phone)s)
    ON CONFLICT (instance_id, user_phone) DO NOTHING
    RETURNING id
"""


def _tell(reply: Reply) -> None:
    """The history, which uses the database's clock."""
    Event.objects.create(
        escalation_id=reply.escalation_id,
        instance_id=reply.instance_id,
        whatsapp_number=reply.whatsapp_number,
        kind=Event.Kind.REPLIED,
        at=Now(),
        actor=reply.author,
        actor_name=reply.author_name,
        details={"reply": reply.pk},
    )


def close_connection() -> None:
    """Return the connection to the pool."""
    for one in connections.all(initialized_only=True):
        if not one.in_atomic_block:
            one.close()


def deadline() -> float:
    """The deadline of a reply that begins now."""
    return time.monotonic() + float(settings.EVOLUTION_API_TIMEOUT)
