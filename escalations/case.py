"""The reads of one case's page."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.db.models import F, JSONField, OuterRef, Q, QuerySet, Subquery, TextField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, JSONObject, Left, Now

from conversations.models import AIInteraction, Conversation, CustomerProfile
from conversations.queries import message_page
from escalations.case_state import with_note_required, with_state
from escalations.criteria import Case, Cases
from escalations.last_messages import with_writing_times
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
    is_hold_text: bool


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


class LastAnswerField(JSONField):
    """A JSON object of an AI answer's columns, read as a LastAnswer."""

    def from_db_value(self, *args: Any) -> LastAnswer | None:
        value = super().from_db_value(*args)
        return value and LastAnswer(datetime.fromisoformat(value["created_at"]), value["metadata"])


def find_case(pk: UUID) -> Case | None:
    """With all that the queue knows of it, instance, the AI's last `answer` and, as text, the context's JSON: `kept`.

    As text, because nobody knows what JSON it is: nested deeply enough, Python's reader fails. `read_at` is by the
    database's clock, like all that came before and comes after it.
    """
    kept = (
        Value(None, TextField())
        if "conversation_context" in missing_fields(Escalation)
        else Left(Cast("conversation_context", TextField()), LONGEST_JSON)
    )
    cases = with_writing_times(with_conversation(with_people(with_state(cast(Any, all_cases()).join("instance")))))
    cases = with_note_required(with_resolver(with_open_rows(cases))).annotate(
        kept=kept, answer=_last_answer(), read_at=Now()
    )
    return cast(Case | None, cases.filter(pk=pk).first())


def talk_of(case: Case, before: str = "") -> Talk:
    """The newest messages, or those before a cursor. Raises ValueError for a malformed cursor."""
    if case.conversation_id is None:
        return Talk()
    page = message_page(Conversation(pk=case.conversation_id), before)
    messages = tuple(
        ShownMessage(item.role, cut(item.content), item.timestamp, item.is_hold_text) for item in page.messages
    )
    return Talk(messages, page.older, is_newest=not before)


def earlier_cases(case: Case) -> Cases:
    """The customer's other escalations at that number, the latest EARLIER of them; open ones are duplicates."""
    same = Q(whatsapp_number=case.whatsapp_number, instance_id=case.instance_id)
    return with_resolver(all_cases().filter(same).exclude(pk=case.pk)).order_by(
        F("waiting_since").desc(nulls_last=True)
    )[:EARLIER]


def cases_within(case: Case, talk: Talk) -> Cases:
    """The customer's other escalations at that number that began or ended while those messages were written."""
    same = Q(whatsapp_number=case.whatsapp_number, instance_id=case.instance_id)
    if not talk.messages:
        return all_cases().none()
    span = (talk.messages[-1].timestamp, talk.messages[0].timestamp)
    return (
        all_cases()
        .filter(same)
        .filter(Q(waiting_since__range=span) | Q(resolved_at__range=span))
        .exclude(pk=case.pk)
        .order_by(F("waiting_since").asc())[:EARLIER]
    )


def history_of(case: Case) -> QuerySet[Event]:
    """What staff did with it, oldest first."""
    return Event.objects.filter(escalation_id=case.pk).order_by("at", "pk")


def customer_of(case: Case) -> CustomerProfile | None:
    if case.instance_id is None or not table_exists(CustomerProfile):
        return None
    found: CustomerProfile | None = CustomerProfile.objects.filter(
        instance_id=case.instance_id, phone_number=case.whatsapp_number
    ).first()
    return found


def _last_answer() -> Combinable:
    if "metadata" in missing_fields(AIInteraction):
        return Value(None, TextField())
    answers = AIInteraction.objects.filter(instance_id=OuterRef("instance_id"), user_phone=OuterRef("whatsapp_number"))
    columns = JSONObject(created_at="created_at", metadata=Left(Cast("metadata", TextField()), LONGEST_JSON))
    return Subquery(answers.order_by("-created_at").values(columns=columns)[:1], output_field=LastAnswerField())
