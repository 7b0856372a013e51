"""Add what every page needs to escalations: their state at the desk, customer, business and messages.

Each function takes a queryset of escalations and annotates or narrows it, without a further query. Expired claims and
snoozes read as none.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models import (
    BooleanField,
    Count,
    ExpressionWrapper,
    F,
    Func,
    JSONField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, JSONObject, Left, Now
from django.db.models.sql.compiler import SQLCompiler

from conversations.models import HOLD_TEXTS, REPLIES, Conversation, CustomerProfile, Message
from escalations.models import ClosingRule, Escalation, Event
from usage.models.profile import Profile, name_at
from waops.database.live_schema import missing_fields, table_exists

if TYPE_CHECKING:
    from conversations.models import WhatsAppInstance
    from escalations.detail import LastAnswer


Escalations = QuerySet[Escalation]
"""Each function says what it adds."""


class AnnotatedEscalation(Protocol):
    """An escalation with what every read adds, and what the reads of a single escalation add."""

    pk: UUID
    whatsapp_number: str
    instance_id: UUID | None
    instance: "WhatsAppInstance | None"
    resolved_at: datetime | None
    waiting_since: datetime | None
    why: str | None
    customer_name: str | None
    business_name: str | None
    number_name: str | None
    conversation_id: UUID | None
    wrote_at: list[datetime]
    business_id: UUID | None
    kept: str | None
    answer: "LastAnswer | None"
    read_at: datetime
    version: int
    claimant_id: int | None
    claimant: str | None
    is_snoozed: bool


SNIPPET = 300
"""Characters of the last message that the queue shows."""

COUNTED = 50
"""The customer's messages are counted up to this many."""

ARABIC = "[\u0600-\u06ff]"


# Decided like waops.woke_at, many times faster than a function call per row. The conversation is read only while the
# snooze has not expired.
IS_SNOOZED = """CASE
    WHEN {snoozed_at} IS NULL OR {snoozed_until} <= pg_catalog.statement_timestamp() THEN false
    ELSE NOT EXISTS (
        SELECT FROM public.whatsapp_conversations AS conversation
        JOIN public.whatsapp_conversation_messages AS message ON message.conversation_id = conversation.id
        WHERE conversation.instance_id = {instance_id}
          AND conversation.user_phone = {whatsapp_number}
          AND message.role = 'user'
          AND message."timestamp" > COALESCE({snoozed_seen_after}, {snoozed_at})
          AND message.id <> ALL ({snoozed_seen})
    )
END"""
"""For an open escalation."""


class IsSnoozed(Func):
    """Whether an escalation is open and snoozed."""

    output_field = BooleanField()
    columns = ("snoozed_at", "snoozed_until", "snoozed_seen_after", "snoozed_seen")

    def __init__(self) -> None:
        super().__init__("resolved_at", "instance_id", "whatsapp_number", *(f"state__{name}" for name in self.columns))

    def as_sql(self, compiler: SQLCompiler, *_: Any, **__: Any) -> tuple[str, tuple[str | int, ...]]:
        resolved_at, instance_id, number, *rest = (compiler.compile(one)[0] for one in self.source_expressions)
        columns = dict(zip(self.columns, rest, strict=True), instance_id=instance_id, whatsapp_number=number)
        return f"({resolved_at} IS NULL AND {IS_SNOOZED.format(**columns)})", ()


class IsNotDistinctFrom(Func):
    """Equality that treats two NULLs as equal."""

    template = "(%(expressions)s)"
    arg_joiner = " IS NOT DISTINCT FROM "
    output_field = BooleanField()


IS_CLAIMED = Q(resolved_at=None, state__claimed_by__isnull=False, state__lease_until__gt=Now())


def with_state(escalations: Escalations) -> Escalations:
    """Adds `version`, which actions expect; `claimant_id` and `claimant` (a name), with `lease_until`;
    `is_snoozed`, with `snoozer` (a name) and `snoozed_until` (None: until the customer writes); and for
    resolved escalations `outcome_code`, `outcome_en`, `outcome_ar` and `closing_note`.

    `lease_until`, `snoozer` and `snoozed_until` are those of the last claim and snooze, which may have expired: a
    condition on each would look up the conversation again.
    """
    return _with_snooze(escalations).annotate(
        version=Coalesce("state__version", 0),
        claimant_id=_if_claimed("state__claimed_by_id"),
        claimant=_if_claimed("state__claimed_by_name"),
        lease_until=F("state__lease_until"),
        snoozer=F("state__snoozed_by_name"),
        snoozed_until=F("state__snoozed_until"),
        outcome_code=F("state__outcome_id"),
        outcome_en=F("state__outcome__name_en"),
        outcome_ar=F("state__outcome__name_ar"),
        closing_note=Coalesce("state__note", Value("", TextField())),
    )


def with_note_required(escalations: Escalations) -> Escalations:
    """Adds `note_required`: whether the business requires a note when an escalation is resolved."""
    rules = ClosingRule.objects.filter(Q(business=None) | Q(business=OuterRef("instance__business")))
    required = rules.order_by(F("business_id").asc(nulls_last=True)).values("note_required")[:1]
    return escalations.annotate(note_required=Coalesce(Subquery(required), False))


def claimed(escalations: Escalations) -> Escalations:
    return escalations.filter(IS_CLAIMED)


def claimed_by(escalations: Escalations, user_id: int) -> Escalations:
    return escalations.filter(IS_CLAIMED, state__claimed_by=user_id)


def unclaimed(escalations: Escalations) -> Escalations:
    """Open escalations that are neither claimed nor snoozed."""
    return awake(escalations).filter(Q(state__claimed_by=None) | Q(state__lease_until__lte=Now()))


def snoozed(escalations: Escalations) -> Escalations:
    return _with_snooze(escalations).filter(Q(is_snoozed=True))


def awake(escalations: Escalations) -> Escalations:
    """Open escalations that are not snoozed, claimed or not."""
    return _with_snooze(escalations).filter(Q(resolved_at=None, is_snoozed=False))


def _with_snooze(escalations: Escalations) -> Escalations:
    """Adds `is_snoozed`."""
    return (
        escalations if "is_snoozed" in escalations.query.annotations else escalations.annotate(is_snoozed=IsSnoozed())
    )


def _if_claimed(name: str) -> Combinable:
    return models.Case(When(IS_CLAIMED, then=F(name)), default=None)


def with_people(escalations: Escalations) -> Escalations:
    """Adds `customer_name`; and, None without an instance: `number_name`, `business_id`, `business_name`,
    `plan_type`.
    """
    return escalations.annotate(
        business_id=F("instance__business_id"),
        business_name=name_at("instance__business"),
        plan_type=Value(None, TextField())
        if "plan_type" in missing_fields(Profile)
        else F("instance__business__plan_type"),
        number_name=F("instance__instance_name"),
        customer_name=_customer_name(),
    )


def with_conversation(escalations: Escalations) -> Escalations:
    """Adds `conversation_id`, None if the customer has no conversation with that number."""
    conversations = Conversation.objects.filter(
        instance_id=OuterRef("instance_id"), user_phone=OuterRef("whatsapp_number")
    )
    return escalations.annotate(conversation_id=Subquery(conversations.values("pk")[:1]))


def with_open_rows(escalations: Escalations) -> Escalations:
    """Adds `open_rows`: how many open escalations this customer has with this number."""
    rows = (
        Escalation.objects.filter(resolved_at=None, whatsapp_number=OuterRef("whatsapp_number"))
        .filter(IsNotDistinctFrom(F("instance_id"), OuterRef("instance_id")))
        .order_by()
        .values("whatsapp_number")
        .annotate(rows=Count("pk"))
    )
    return escalations.annotate(open_rows=Coalesce(Subquery(rows.values("rows")), 0))


def with_resolver(escalations: Escalations) -> Escalations:
    """Adds `resolver`, the name of the person who resolved it here; None if it is open or was resolved elsewhere."""
    events = Event.objects.filter(escalation_id=OuterRef("pk"), at=OuterRef("resolved_at"))
    return escalations.annotate(resolver=Subquery(events.values("actor_name")[:1]))


@dataclass(frozen=True)
class LastMessage:
    role: str
    content: str
    is_reply: bool
    """Whether staff wrote it."""


class LastMessageField(JSONField):
    """A JSON object of a message's columns, loaded as a LastMessage."""

    def from_db_value(self, *args: Any) -> LastMessage | None:
        value = super().from_db_value(*args)
        return value and LastMessage(value["role"], value["content"], (value["id"] or "").startswith(REPLIES))


def _messages() -> QuerySet[Message]:
    """An escalation's messages, newest first, read from the end of idx_messages_conversation."""
    messages: QuerySet[Message] = Message.objects.filter(conversation_id=OuterRef("conversation_id"))
    return messages.order_by("-timestamp", "-pk")


def with_last_message(escalations: Escalations) -> Escalations:
    """Adds `last_message`, cut to SNIPPET characters.

    Skips the text that the service sends to waiting customers, because it is the latest message of every customer in
    the queue.
    """
    messages = _messages().exclude(reduce(or_, (Q(message_id__startswith=prefix) for prefix in HOLD_TEXTS)))
    columns = JSONObject(role="role", content=Left("content", SNIPPET), id=Left("message_id", len(REPLIES)))
    last = Subquery(messages.values(columns=columns)[:1], output_field=LastMessageField())
    return escalations.annotate(last_message=last)


def with_writing_times(escalations: Escalations) -> Escalations:
    """Adds `wrote_at`: when the customer wrote, latest first, at most COUNTED times."""
    return escalations.annotate(wrote_at=ArraySubquery(_messages().filter(role="user").values("timestamp")[:COUNTED]))


def written_in(escalations: Escalations, language: str) -> Escalations:
    """Escalations whose customer's last message contains Arabic letters ("ar"), or none ("en")."""
    is_arabic = ExpressionWrapper(Q(beginning__regex=ARABIC), output_field=BooleanField())
    text = _messages().filter(role="user").annotate(beginning=Left("content", SNIPPET)).values(is_arabic=is_arabic)[:1]
    return escalations.alias(is_arabic=Subquery(text)).filter(is_arabic=language == "ar")


def customers_of_escalations() -> QuerySet[CustomerProfile] | None:
    """The profile of an escalation's customer; None if the deployment stores no names."""
    if not table_exists(CustomerProfile) or "name" in missing_fields(CustomerProfile):
        return None
    customers: QuerySet[CustomerProfile] = CustomerProfile.objects.filter(
        instance_id=OuterRef("instance_id"), phone_number=OuterRef("whatsapp_number")
    )
    return customers


def _customer_name() -> Combinable:
    customers = customers_of_escalations()
    return Value(None, TextField()) if customers is None else Subquery(customers.values("name")[:1])
