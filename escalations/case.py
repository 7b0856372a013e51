"""The reads of one case's page."""

from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from django.db.models import F, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, Left

from conversations.models import AIInteraction, Conversation, CustomerProfile, WhatsAppInstance
from conversations.queries import message_page
from escalations.criteria import Case, Cases
from escalations.models import Escalation, Event
from escalations.outside_json import cut
from escalations.queries import all_cases, with_conversation, with_open_rows, with_people, with_resolver
from waops.live_schema import missing_fields, table_exists

EARLIER = 20
LONGEST_JSON = 1_000_000
"""Characters of JSON that are read at all."""


@dataclass(frozen=True)
class ShownMessage:
    role: str
    content: str
    timestamp: datetime


@dataclass(frozen=True)
class Talk:
    """A page of the conversation, newest message first. `older` is the cursor of the page before, empty if none."""

    messages: tuple[ShownMessage, ...] = ()
    older: str = ""
    is_newest: bool = True

    def reaches(self, moment: datetime) -> bool:
        """Whether that moment lies within this page of the conversation."""
        if not self.messages:
            return self.is_newest
        starts = not self.older or moment >= self.messages[-1].timestamp
        return starts and (self.is_newest or moment < self.messages[0].timestamp)


@dataclass(frozen=True)
class LastAnswer:
    """The AI's latest answer to the customer: when, and its metadata's JSON as text."""

    created_at: datetime
    metadata: str | None


def find_case(pk: UUID) -> Case | None:
    """With people, conversation, number of open rows, resolver, and `kept`: the context's JSON as text.

    As text, because nobody knows what JSON it is: nested deeply enough, Python's reader fails.
    """
    kept = (
        Value(None, TextField())
        if "conversation_context" in missing_fields(Escalation)
        else Left(Cast("conversation_context", TextField()), LONGEST_JSON)
    )
    cases = with_resolver(with_open_rows(with_conversation(with_people(all_cases()))))
    return cast(Case | None, cases.annotate(kept=kept).filter(pk=pk).first())


def talk_of(case: Case, before: str = "") -> Talk:
    """The newest messages, or those before a cursor. Raises ValueError for a malformed cursor."""
    if case.conversation_id is None:
        return Talk()
    page = message_page(Conversation(pk=case.conversation_id), before)
    messages = tuple(ShownMessage(item.role, cut(item.content), item.timestamp) for item in page.messages)
    return Talk(messages, page.older, is_newest=not before)


def earlier_cases(case: Case) -> Cases:
    """The customer's other escalations at that number, the latest EARLIER of them; open ones are duplicates."""
    same = Q(whatsapp_number=case.whatsapp_number, instance_id=case.instance_id)
    return with_resolver(all_cases().filter(same).exclude(pk=case.pk)).order_by(
        F("waiting_since").desc(nulls_last=True)
    )[:EARLIER]


def history_of(case: Case) -> QuerySet[Event]:
    """What staff did with it, oldest first."""
    return Event.objects.filter(escalation_id=case.pk).order_by("at", "pk")


def last_answer(case: Case) -> LastAnswer | None:
    if "metadata" in missing_fields(AIInteraction):
        return None
    answers = AIInteraction.objects.filter(instance_id=case.instance_id, user_phone=case.whatsapp_number)
    metadata = Left(Cast("metadata", TextField()), LONGEST_JSON)
    row = answers.order_by("-created_at").values_list("created_at", metadata).first()
    return row and LastAnswer(*row)


def customer_of(case: Case) -> CustomerProfile | None:
    if case.instance_id is None or not table_exists(CustomerProfile):
        return None
    found: CustomerProfile | None = CustomerProfile.objects.filter(
        instance_id=case.instance_id, phone_number=case.whatsapp_number
    ).first()
    return found


def instance_of(case: Case) -> WhatsAppInstance | None:
    found: WhatsAppInstance | None = WhatsAppInstance.objects.filter(pk=case.instance_id).first()
    return found
