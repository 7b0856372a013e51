"""The queries of an escalation's page, and parsing of the JSON that the service wrote."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

from django.db.models import F, JSONField, OuterRef, Q, QuerySet, Subquery, TextField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, JSONObject, Left, Now
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

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
from escalations.models import Escalation, Event
from escalations.queries import all_escalations
from escalations.replies.written import replies_of
from waops.access.vocabulary import in_words
from waops.database import moments
from waops.database.live_schema import missing_fields, table_exists
from waops.database.long_text import cut

EARLIER = 20

LONGEST_JSON = 1_000_000
"""Longest JSON, in characters, that is read at all."""


YEARS = range(2000, 2200)

MOST_MESSAGES = 200
"""Messages of a context that a page shows; the service stores ten."""


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


@dataclass(frozen=True)
class KeptMessage:
    role: str
    content: str
    timestamp: datetime | None


@dataclass(frozen=True)
class KeptContext:
    """`messages`, oldest first, or, if the JSON is not a list of messages, all of it as `text`.

    `left_out` counts further messages before those.
    """

    messages: tuple[KeptMessage, ...] = ()
    text: str = ""
    left_out: int = 0


@dataclass(frozen=True)
class Insight:
    """One thing the AI detected in the conversation."""

    label: str | Promise
    value: str
    is_topic: bool = False
    """Whether it says what the customer wants."""


def read_context(text: str | None) -> KeptContext:
    """The context that the service stored: `[{role, content, timestamp}, …]`, even if it was encoded twice."""
    value = _parse(text)
    if isinstance(value, str):
        value = _parse(value) or value
    if not value:
        return KeptContext()
    if isinstance(value, list) and all(
        isinstance(item, dict) and isinstance(item.get("content"), str) for item in value
    ):
        latest = value[-MOST_MESSAGES:]
        return KeptContext(tuple(_message(item) for item in latest), left_out=len(value) - len(latest))
    return KeptContext(text=cut(value if isinstance(value, str) else str(text)))


def read_insights(text: str | None) -> list[Insight]:
    """What the AI noted in the `metadata` of a reply; missing or malformed keys are left out."""
    value = _parse(text)
    return list(_insights(value)) if isinstance(value, dict) else []


def _insights(value: dict[str, Any]) -> Iterator[Insight]:
    if intent := _word(value, "detected_intent"):
        yield Insight(_("Intent"), in_words(intent), is_topic=True)
    confidence = value.get("intent_confidence")
    if isinstance(confidence, int | float) and not isinstance(confidence, bool) and 0 <= confidence <= 1:
        yield Insight(_("Confidence"), f"{number_format(round(confidence * 100), use_l10n=True)} %")
    if emotion := _word(value, "emotion_analysis", "primary_emotion"):
        yield Insight(_("Emotion"), in_words(emotion))
    urgency = _inner(value, "emotion_analysis", "urgency_detected")
    if urgency is True or (isinstance(urgency, str) and urgency):
        yield Insight(_("Urgency"), in_words("urgent" if urgency is True else cut(urgency)))
    if stage := _word(value, "customer_journey", "current_stage"):
        yield Insight(_("Stage"), in_words(stage))
    if product := _word(value, "product_interest"):
        yield Insight(_("Interested in"), product, is_topic=True)
    if personality := _word(value, "personality_name"):
        yield Insight(_("Answered as"), personality)


def _parse(text: str | None) -> Any:
    try:
        return json.loads(text or "null")
    except (ValueError, RecursionError):
        return text


def _inner(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _word(value: Any, *keys: str) -> str:
    """A text, or a list of texts."""
    found = _inner(value, *keys)
    if isinstance(found, list) and all(isinstance(item, str) for item in found):
        found = ", ".join(found)
    return cut(found) if isinstance(found, str) else ""


def _message(item: dict[str, Any]) -> KeptMessage:
    return KeptMessage(cut(str(item.get("role", "")), 100), cut(item["content"]), _time(item.get("timestamp")))


def _time(value: Any) -> datetime | None:
    """From ISO 8601 or, as in JavaScript, milliseconds since 1970; a time without a zone is UTC.

    Implausible years are read as None: the reader's time zone could push them out of datetime's range.
    """
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            moment = datetime.fromtimestamp(value / 1000, tz=UTC)
        else:
            moment = datetime.fromisoformat(value)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment if moment.year in YEARS else None
