"""The queries of an escalation's page."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.db.models import F, JSONField, OuterRef, Q, QuerySet, Subquery, TextField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, JSONObject, Left, Now

from conversations.models import AIInteraction, Conversation, CustomerProfile, Message
from conversations.queries import message_page
from escalations.annotations import (
    AnnotatedEscalation,
    Escalations,
    with_conversation,
    with_note_required,
    with_open_rows,
    with_people,
    with_resolver,
    with_state,
    with_writing_times,
)
from escalations.context import LONGEST_JSON
from escalations.models import Escalation, Event
from escalations.queries import all_escalations
from escalations.replies.written import replies_of
from waops.database import moments
from waops.database.live_schema import missing_fields, table_exists

EARLIER = 20


@dataclass(frozen=True)
class ShownMessage:
    pk: UUID | None
    role: str
    content: str
    timestamp: datetime
    is_hold_text: bool
    is_reply: bool = False
    author: str = ""
    """The staff member who wrote it."""
    message_id: str = ""
    delivery: str = ""
    """What WhatsApp says about a reply, in words."""


@dataclass(frozen=True)
class Talk:
    """A page of the conversation, newest message first, and the cursors of the pages before and after it, if any."""

    messages: tuple[ShownMessage, ...] = ()
    older: str = ""
    newer: str = ""

    @property
    def is_newest(self) -> bool:
        return not self.newer

    def reaches(self, moment: datetime) -> bool:
        """Whether that time lies within this page of the conversation."""
        if not self.messages:
            return self.is_newest
        starts = not self.older or moment >= self.messages[-1].timestamp
        return starts and (self.is_newest or moment < self.messages[0].timestamp)


@dataclass(frozen=True)
class LastAnswer:
    """The AI's latest reply to the customer: when, and its metadata's JSON as text."""

    created_at: datetime
    metadata: str | None


class LastAnswerField(JSONField):
    """A JSON object of an AI reply's columns, loaded as a LastAnswer."""

    def from_db_value(self, *args: Any) -> LastAnswer | None:
        value = super().from_db_value(*args)
        return value and LastAnswer(moments.read(value["created_at"]), value["metadata"])


def find_escalation(pk: UUID) -> AnnotatedEscalation | None:
    """An escalation with everything the queue shows, its instance, the AI's last `answer` and, as text, the context's
    JSON: `kept`.

    As text, because the JSON may be anything: nested deeply enough, Python's parser fails. `read_at` is by the
    database's clock, like every other time here.
    """
    kept = (
        Value(None, TextField())
        if "conversation_context" in missing_fields(Escalation)
        else Left(Cast("conversation_context", TextField()), LONGEST_JSON)
    )
    escalations = with_writing_times(
        with_conversation(with_people(with_state(cast(Any, all_escalations()).join("instance"))))
    )
    escalations = with_note_required(with_resolver(with_open_rows(escalations))).annotate(
        kept=kept, answer=_last_answer(), read_at=Now()
    )
    return cast(AnnotatedEscalation | None, escalations.filter(pk=pk).first())


def talk_of(escalation: AnnotatedEscalation, before: str = "", *, after: str = "", at: datetime | None = None) -> Talk:
    """A page of the conversation, as found by `message_page`. Raises ValueError for a malformed cursor."""
    if escalation.conversation_id is None:
        return Talk()
    page = message_page(Conversation(pk=escalation.conversation_id), before, after=after, at=at)
    replies = replies_of(page.messages)
    messages = tuple(
        ShownMessage(
            item.pk,
            item.role,
            item.content,
            item.timestamp,
            item.is_hold_text,
            item.is_reply,
            *replies.get(item.pk, ()),
        )
        for item in page.messages
    )
    return Talk(messages, page.older, page.newer)


def message_of(escalation: AnnotatedEscalation, pk: UUID) -> Message | None:
    """A message of the escalation's conversation, with all of its text."""
    found: Message | None = Message.objects.filter(conversation_id=escalation.conversation_id, pk=pk).first()
    return found


def earlier_escalations(escalation: AnnotatedEscalation) -> Escalations:
    """The customer's other escalations at that number, the latest EARLIER of them; open ones are duplicates."""
    same = Q(whatsapp_number=escalation.whatsapp_number, instance_id=escalation.instance_id)
    return with_resolver(all_escalations().filter(same).exclude(pk=escalation.pk)).order_by(
        F("waiting_since").desc(nulls_last=True)
    )[:EARLIER]


def escalations_within(escalation: AnnotatedEscalation, talk: Talk) -> Escalations:
    """The customer's other escalations at that number that began or ended while those messages were written."""
    same = Q(whatsapp_number=escalation.whatsapp_number, instance_id=escalation.instance_id)
    if not talk.messages:
        return all_escalations().none()
    span = (talk.messages[-1].timestamp, talk.messages[0].timestamp)
    return (
        all_escalations()
        .filter(same)
        .filter(Q(waiting_since__range=span) | Q(resolved_at__range=span))
        .exclude(pk=escalation.pk)
        .order_by(F("waiting_since").asc())[:EARLIER]
    )


def history_of(escalation: AnnotatedEscalation) -> QuerySet[Event]:
    """What staff did with an escalation, oldest first."""
    return Event.objects.filter(escalation_id=escalation.pk).order_by("at", "pk")


def customer_of(escalation: AnnotatedEscalation) -> CustomerProfile | None:
    if escalation.instance_id is None or not table_exists(CustomerProfile):
        return None
    found: CustomerProfile | None = CustomerProfile.objects.filter(
        instance_id=escalation.instance_id, phone_number=escalation.whatsapp_number
    ).first()
    return found


def _last_answer() -> Combinable:
    if "metadata" in missing_fields(AIInteraction):
        return Value(None, TextField())
    answers = AIInteraction.objects.filter(instance_id=OuterRef("instance_id"), user_phone=OuterRef("whatsapp_number"))
    columns = JSONObject(created_at="created_at", metadata=Left(Cast("metadata", TextField()), LONGEST_JSON))
    return Subquery(answers.order_by("-created_at").values(columns=columns)[:1], output_field=LastAnswerField())
