"""The reads of one case's page."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import F, Q, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Cast, Left, Length

from conversations.models import AIInteraction, CustomerProfile, Message, WhatsAppInstance
from escalations.models import Escalation, Event
from escalations.queries import all_cases, with_conversation, with_open_rows, with_people, with_resolver
from waops.live_schema import missing_fields, table_exists

MESSAGES = 50
EARLIER = 20
LONGEST = 20_000
"""Characters of one message that the page shows."""
LONGEST_JSON = 1_000_000
"""Characters of JSON that are read at all."""


@dataclass(frozen=True)
class ShownMessage:
    id: UUID
    role: str
    content: str
    timestamp: datetime


@dataclass(frozen=True)
class MessagePage:
    """Messages, newest first. `older` is the id to continue before, None at the beginning of the conversation."""

    messages: tuple[ShownMessage, ...] = ()
    older: UUID | None = None
    is_newest: bool = True

    def reaches(self, moment: datetime) -> bool:
        """Whether that moment lies within this page of the conversation."""
        if not self.messages:
            return self.is_newest
        starts = self.older is None or moment >= self.messages[-1].timestamp
        return starts and (self.is_newest or moment < self.messages[0].timestamp)


def find_case(pk: UUID) -> Escalation | None:
    """With people, conversation, number of open rows, resolver, and `kept`: the context's JSON as text.

    As text, because nobody knows what JSON it is: nested deeply enough, Python's reader fails.
    """
    kept = (
        Value(None, TextField())
        if "conversation_context" in missing_fields(Escalation)
        else Left(Cast("conversation_context", TextField()), LONGEST_JSON)
    )
    cases = with_resolver(with_open_rows(with_conversation(with_people(all_cases()))))
    return cases.annotate(kept=kept).filter(pk=pk).first()


def messages_of(case: Escalation, before: UUID | None = None) -> MessagePage:
    """The newest MESSAGES, or those before that message of the conversation."""
    if case.conversation_id is None:
        return MessagePage()
    messages = Message.objects.filter(conversation_id=case.conversation_id)
    if before is not None:
        messages = messages.filter(_before(messages, before))
    rows = list(
        messages.order_by("-timestamp", "-pk").values_list(
            "pk", "role", Left("content", LONGEST), "timestamp", Length("content")
        )[: MESSAGES + 1]
    )
    shown = tuple(
        ShownMessage(pk, role, content if length <= LONGEST else f"{content} …", timestamp)
        for pk, role, content, timestamp, length in rows[:MESSAGES]
    )
    return MessagePage(shown, older=shown[-1].id if len(rows) > MESSAGES else None, is_newest=before is None)


def earlier_cases(case: Escalation) -> QuerySet[Escalation]:
    """The customer's other escalations at that number, the latest EARLIER of them; open ones are duplicates."""
    same = Q(whatsapp_number=case.whatsapp_number, instance_id=case.instance_id)
    return with_resolver(all_cases().filter(same).exclude(pk=case.pk)).order_by(
        F("waiting_since").desc(nulls_last=True)
    )[:EARLIER]


def history_of(case: Escalation) -> QuerySet[Event]:
    """What staff did with it, oldest first."""
    return Event.objects.filter(escalation_id=case.pk).order_by("at", "pk")


def last_answer(case: Escalation) -> AIInteraction | None:
    """The AI's latest answer to the customer, with its metadata's JSON as text in `read`."""
    answers = AIInteraction.objects.filter(instance_id=case.instance_id, user_phone=case.whatsapp_number)
    if "metadata" in missing_fields(AIInteraction):
        return None
    read = Left(Cast("metadata", TextField()), LONGEST_JSON)
    found: AIInteraction | None = (
        answers.annotate(read=read).only("pk", "created_at", "response_model").order_by("-created_at").first()
    )
    return found


def customer_of(case: Escalation) -> CustomerProfile | None:
    if case.instance_id is None or not table_exists(CustomerProfile):
        return None
    found: CustomerProfile | None = CustomerProfile.objects.filter(
        instance_id=case.instance_id, phone_number=case.whatsapp_number
    ).first()
    return found


def instance_of(case: Escalation) -> WhatsAppInstance | None:
    found: WhatsAppInstance | None = WhatsAppInstance.objects.filter(pk=case.instance_id).first()
    return found


def _before(messages: QuerySet[Message], pk: UUID) -> Q:
    """By time, ties by id. The first condition is what the index is searched with."""
    moment = Subquery(messages.filter(pk=pk).values("timestamp"))
    return Q(timestamp__lte=moment) & (Q(timestamp__lt=moment) | Q(pk__lt=pk))
