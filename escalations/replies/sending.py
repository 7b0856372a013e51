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
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, IntegrityError, connections, models, transaction
from django.db.models import Q
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from conversations.models import REPLIES, WhatsAppInstance
from escalations.models import Escalation, Event, Reply
from escalations.models.reply import recipient
from escalations.procedures import LEASE, Result
from escalations.procedures.calls import Actor, call, permitted
from escalations.replies import gateway, storing
from escalations.replies.gateway import Sent
from waops.access.people import User
from waops.database.unavailable import MISSING, trouble_of

logger = logging.getLogger(__name__)

PERMISSION = "reply_escalation"
SETTLE_SECONDS = 60
"""How long to wait for a database that went away after the gateway's response."""
PAUSES = (0.1, 0.3, 1.0, 2.0)
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
    FORM_USED = _("This was not sent, because another reply was sent from the same form. Send it again.")
    NOT_KEPT = _("The text of this reply has been deleted. Write it again.")
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
    try:
        return _begun(escalation_id, user, text, key, version, again, note)
    except IntegrityError as error:
        if not is_about(error, Reply):
            raise
        # Submitted at the same moment, or from another escalation of this customer, under another form of the number.
        return _sent_before(key, escalation_id, text) or Begun(refusal=Refusal.BEING_SENT)


def _begun(
    escalation_id: UUID,
    user: User,
    text: str,
    key: UUID,
    version: int | None,
    again: int | None,
    note: Callable[[Reply], None],
) -> Begun:
    if not gateway.is_set():
        return _sent_before(key, escalation_id, text) or Begun(refusal=Refusal.NO_GATEWAY)
    with transaction.atomic():
        ids = [escalation_id] if version is None else {escalation_id: version}
        [result] = call("claim_escalations", ids, user, p_lease=LEASE, p_force=False)
        if not result.is_done:
            # Not rolled back: an expired claim belongs in the history.
            return _sent_before(key, escalation_id, text) or Begun(result=result)
        begun = _begin(escalation_id, user, text, key, again)
        if begun.reply is None or not begun.is_new:
            transaction.set_rollback(True)
            return begun
        note(begun.reply)
    return Begun(begun.reply, is_new=True, result=result)


def is_about(error: IntegrityError, model: type[models.Model]) -> bool:
    return bool(error.__cause__.diag.table_name == model._meta.db_table)  # type: ignore[union-attr]


def _sent_before(key: UUID, escalation_id: UUID, text: str) -> Begun | None:
    reply = Reply.objects.with_outcome().filter(key=key).first()
    return _same(reply, escalation_id, text) if reply else None


def _same(reply: Reply, escalation_id: UUID, text: str) -> Begun:
    """A browser that goes back shows the form with its old key: another text in it has never been sent."""
    is_same = reply.escalation_id == escalation_id and text in ("", reply.text)
    return Begun(reply) if is_same else Begun(refusal=Refusal.FORM_USED)


def _begin(escalation_id: UUID, user: User, text: str, key: UUID, again: int | None) -> Begun:
    """With the customer's escalations locked."""
    may_store = RawSQL(storing.MAY_STORE, [], models.BooleanField())  # noqa: S611 a constant
    escalation = Escalation.objects.join("instance").annotate(may_store=may_store).get(pk=escalation_id)
    customer = recipient(escalation.whatsapp_number)
    to_customer = Q(instance_id=escalation.instance_id, whatsapp_number=customer)
    asked = Q(key=key) | to_customer & (Q(state__in=Reply.UNDECIDED) | Q(pk=again))
    earlier = list(Reply.objects.with_outcome().filter(asked).select_for_update())
    for reply in earlier:
        if reply.key == key:
            return _same(reply, escalation_id, text)
    number: WhatsAppInstance | None = escalation.instance
    if number is None or (number.status or "").lower() != CONNECTED or not USABLE_NAME.match(number.instance_name):
        return Begun(refusal=Refusal.NOT_CONNECTED)
    if customer is None:
        return Begun(refusal=Refusal.UNREACHABLE)
    if not escalation.may_store:
        return Begun(refusal=Refusal.NOT_STORABLE)
    replaced = next((reply for reply in earlier if reply.pk == again), None)
    if again and replaced is None:
        return Begun(refusal=Refusal.DONE_AGAIN)
    if replaced:
        if replaced.outcome in (State.SENT, State.ARRIVED):  # type: ignore[attr-defined]
            return Begun(refusal=Refusal.ARRIVED)
        if Reply.objects.filter(again_of=replaced).exists():
            return Begun(refusal=Refusal.DONE_AGAIN)
    for reply in earlier:
        if reply.state not in Reply.UNDECIDED:
            continue
        if reply.outcome == State.SENDING:  # type: ignore[attr-defined]
            return Begun(refusal=Refusal.BEING_SENT)
        if reply != replaced:
            return Begun(refusal=Refusal.UNDECIDED)
        _decide(reply, State.NOT_SENT, user)
    text = text or (replaced.text if replaced else "")
    if not text:
        return Begun(refusal=Refusal.NOT_KEPT)
    reply = Reply.objects.create(
        key=key,
        escalation_id=escalation.pk,
        instance_id=escalation.instance_id,
        instance_name=number.instance_name,
        whatsapp_number=customer,
        text=text,
        author=user,
        author_name=user.name,
        again_of=replaced,
    )
    return Begun(reply, is_new=True)


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
        logger.warning("Reply %s: %s (%s, HTTP %s)", reply.pk, sent.state.value, sent.why, sent.status or "none")
    return settle(reply, sent)


def settle(begun: Reply, sent: Sent) -> Reply:
    """Record the result of a reply, and return it as it is now.

    Safe to repeat, and repeated while the database is down.
    """
    give_up = time.monotonic() + SETTLE_SECONDS
    tries, store = 0, True
    while True:
        try:
            return _settle(begun, sent, store=store)
        except DatabaseError as error:
            if store and sent.state == State.SENT and not _may_pass(error):
                logger.exception("Reply %s was sent, and cannot be stored in its conversation", begun.pk)
                store = False
                continue
            if trouble_of(error) is None or time.monotonic() > give_up:
                logger.error("Reply %s: its outcome (%s) could not be written", begun.pk, sent.state.value)
                raise
            close_connection()
            time.sleep(PAUSES[min(tries, len(PAUSES) - 1)])
            tries += 1


def _may_pass(error: DatabaseError) -> bool:
    """Whether storing may succeed later: not if the database refused it, or the function is gone."""
    return trouble_of(error) not in (None, MISSING)


def _settle(begun: Reply, sent: Sent, *, store: bool = True) -> Reply:
    with transaction.atomic():
        # Locks the customer's escalations first, as `begin` does.
        [renewed] = call("renew_claims", [begun.escalation_id], begun.author, p_lease=LEASE)
        reply = Reply.objects.with_outcome().select_for_update().get(pk=begun.pk)
        reply.author = begun.author
        if sent.state == State.SENT:
            if reply.state == State.SENT:
                return reply
            is_stored = reply.state == State.ARRIVED
            reply.state, reply.why = State.SENT, ""
            if store and not is_stored:
                storing.store(reply, f"{REPLIES}{sent.id}")
            if not is_stored:
                _tell(reply, renewed.whatsapp_number)
        elif reply.state in Reply.UNDECIDED:
            reply.state, reply.why = sent.state, sent.why
        else:
            return reply
        reply.ended_at = Now()
        reply.save(update_fields=["state", "why", "ended_at", "message_id"])
    reply.outcome = reply.state  # type: ignore[attr-defined]
    return reply


def decide(pk: int, actor: Actor, *, has_arrived: bool) -> Reply | Refusal:
    """A person has checked whether an unknown reply arrived; if it did, it is stored in the conversation.

    Returns the reply, whose `message_id` is None if the database refused to store it. Raises PermissionDenied without
    reply_escalation, Reply.DoesNotExist.
    """
    user = permitted(actor, PERMISSION)
    try:
        return _decided(pk, user, has_arrived=has_arrived)
    except DatabaseError as error:
        if _may_pass(error) or not has_arrived:
            raise
        logger.exception("Reply %s has arrived, and cannot be stored in its conversation", pk)
        return _decided(pk, user, has_arrived=has_arrived, store=False)


def _decided(pk: int, user: User, *, has_arrived: bool, store: bool = True) -> Reply | Refusal:
    found = Reply.objects.get(pk=pk)
    with transaction.atomic():
        [renewed] = call("renew_claims", [found.escalation_id], user, p_lease=LEASE)
        reply = Reply.objects.with_outcome().select_for_update().get(pk=pk)
        if reply.outcome != State.UNKNOWN:  # type: ignore[attr-defined]
            return Refusal.DECIDED
        if has_arrived:
            if store:
                storing.store(reply, storing.own_id(reply))
            _tell(reply, renewed.whatsapp_number)
        _decide(reply, State.ARRIVED if has_arrived else State.NOT_SENT, user)
    return reply


def _decide(reply: Reply, state: Reply.State, user: User) -> None:
    reply.state, reply.decided_by_name = state, user.name
    reply.why = reply.why or Reply.Why.INTERRUPTED
    reply.ended_at = reply.ended_at or Now()
    reply.save(update_fields=["state", "why", "decided_by_name", "ended_at", "message_id"])


def _tell(reply: Reply, number: str | None) -> None:
    """The history, which uses the database's clock and the number as the escalation has it."""
    Event.objects.create(
        escalation_id=reply.escalation_id,
        instance_id=reply.instance_id,
        whatsapp_number=number or reply.whatsapp_number,
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
