"""The escalations of the queue's views and filters. Each function narrows a queryset."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, cast
from uuid import UUID

from django.db.models import BooleanField, Count, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet, TextField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Left
from django.utils import timezone

from conversations.models import Conversation, Message
from escalations.annotations import (
    AnnotatedEscalation,
    Escalations,
    awake,
    claimed_by,
    customers_of_escalations,
    snoozed,
    unclaimed,
    with_conversation,
    with_last_message,
    with_open_rows,
    with_people,
    with_resolver,
    with_state,
    with_writing_times,
    written_in,
)
from escalations.folding import Folded, fold
from escalations.models import Escalation
from waops.access.personal import last_digits, may_search
from waops.access.phones import digits
from waops.database.live_schema import missing_fields
from waops.database.long_text import LONGEST_NAME
from waops.database.moments import midnight
from waops.database.plausible import Plausible

NO_REASON = "none-given"


LATEST = 1000
"""Resolved escalations from which the filters' choices are read."""

MOST_FACETS = 3_000
"""Most choices of a filter; no one reads through more."""

FEWEST_DIGITS = 4
"""Fewer last digits than these would match too many customers."""


class View(StrEnum):
    """The lists of the queue. Snoozed escalations are shown only in SNOOZED."""

    MINE = "mine"
    UNCLAIMED = "unclaimed"
    OPEN = "open"
    SNOOZED = "snoozed"
    TODAY = "today"
    RESOLVED = "resolved"

    @property
    def is_open(self) -> bool:
        return self not in (View.TODAY, View.RESOLVED)


@dataclass(frozen=True)
class Criteria:
    """`text` is a customer's name, or a phone number in any written form; NO_REASON as `reason` finds those
    without.

    `language` is "ar" or "en": whether the customer's last message contains Arabic letters; `minutes` the least wait;
    `claimant` the id of the person who claimed it; `only` these escalations.
    """

    view: View = View.OPEN
    text: str = ""
    business: UUID | None = None
    number: UUID | None = None
    reason: str = ""
    language: str = ""
    minutes: int | None = None
    claimant: int | None = None
    only: tuple[UUID, ...] = ()

    @property
    def is_narrowed(self) -> bool:
        return self != Criteria(self.view)


@dataclass(frozen=True)
class Facet:
    """How many escalations one number of one business has for one reason, claimed by one person."""

    business_id: UUID | None
    business_name: str | None
    instance_id: UUID | None
    number_name: str | None
    why: str | None
    claimant_id: int | None
    claimant: str | None
    count: int


def all_escalations() -> Escalations:
    """Adds `waiting_since`, None if no plausible time is known, and `why`, the reason, cut."""
    missing = missing_fields(Escalation)
    since: Combinable = Plausible("escalated_at")
    if "created_at" not in missing:
        since = Coalesce(since, Plausible("created_at"))
    why = Value(None, TextField()) if "reason" in missing else Left("reason", LONGEST_NAME)
    # The context is large, and only an escalation's own page reads it.
    escalations: Escalations = Escalation.objects.defer("conversation_context")
    return escalations.annotate(waiting_since=since, why=why)


def open_escalations() -> Escalations:
    """Open escalations, longest waiting first. An unknown waiting time comes before all others, so that it is not
    overlooked.
    """
    return all_escalations().filter(resolved_at=None).order_by(F("waiting_since").asc(nulls_first=True), "pk")


def open_escalation_of(conversation: Conversation) -> AnnotatedEscalation | None:
    """The open escalation of a conversation's customer; of several, the one waiting longest."""
    escalations = open_escalations().filter(
        instance_id=conversation.instance_id, whatsapp_number=conversation.user_phone
    )
    return cast(AnnotatedEscalation | None, escalations.first())


def resolved_escalations() -> Escalations:
    """Resolved escalations, latest first."""
    return all_escalations().filter(resolved_at__isnull=False).order_by("-resolved_at", "pk")


def in_view(view: View, user_id: int) -> Escalations:
    """The escalations of a view, in its order; `user_id` is the person whose view it is."""
    if view is View.RESOLVED:
        return resolved_escalations()
    if view is View.TODAY:
        today = midnight(timezone.localdate())
        return resolved_escalations().filter(resolved_at__range=(today, today + timedelta(days=2)))
    escalations = open_escalations()
    if view is View.SNOOZED:
        return snoozed(escalations)
    if view is View.MINE:
        return claimed_by(awake(escalations), user_id)
    return unclaimed(escalations) if view is View.UNCLAIMED else awake(escalations)


def find(criteria: Criteria, user_id: int) -> Escalations:
    """The escalations of that person's view that meet all criteria, in their order."""
    escalations = in_view(criteria.view, user_id)
    if criteria.only:
        escalations = escalations.filter(pk__in=criteria.only)
    if criteria.business:
        escalations = escalations.filter(instance__business_id=criteria.business)
    if criteria.number:
        escalations = escalations.filter(instance_id=criteria.number)
    if criteria.reason:
        escalations = escalations.filter(
            Q(why=None) | Q(why="") if criteria.reason == NO_REASON else Q(why=criteria.reason)
        )
    if criteria.claimant:
        escalations = claimed_by(escalations, criteria.claimant)
    if criteria.minutes:
        escalations = escalations.filter(Q(waiting_since__lte=timezone.now() - timedelta(minutes=criteria.minutes)))
    if criteria.language:
        escalations = written_in(with_conversation(escalations), criteria.language)
    if criteria.text:
        escalations = escalations.filter(_is_written(criteria.text))
    return escalations


def queue_rows(criteria: Criteria, found: Escalations) -> Escalations:
    """Everything a row of the queue shows, for a slice of what `find` found, in its order.

    Only for that slice: loading names and messages for thousands on other pages would cost more than the page.
    """
    view = criteria.view
    escalations = open_escalations() if view.is_open else resolved_escalations()
    # The view already says what is snoozed, so the conversations need not be checked again.
    escalations = escalations.filter(pk__in=found.values("pk")).annotate(is_snoozed=Value(view is View.SNOOZED))
    escalations = with_last_message(with_open_rows(with_people(with_conversation(with_state(escalations)))))
    return with_writing_times(escalations) if view.is_open else with_resolver(escalations)


def facets(view: View, user_id: int) -> list[Facet]:
    """Escalations by number, reason and claimant: the most frequent of a whole view, or of the LATEST resolved ones."""
    escalations = in_view(view, user_id)
    if view is View.RESOLVED:
        escalations = escalations.filter(pk__in=resolved_escalations().values("pk")[:LATEST])
    named = cast(QuerySet[Any, Any], with_people(with_state(escalations)).order_by())
    rows = named.values_list(
        "business_id", "business_name", "instance_id", "number_name", "why", "claimant_id", "claimant"
    )
    return [Facet(*row) for row in rows.annotate(count=Count("pk")).order_by("-count")[:MOST_FACETS]]


def waiting_for(user_id: int, criteria: Criteria | None = None) -> Escalations:
    """What that person can claim: open, not snoozed, not claimed by a colleague, and meeting the criteria."""
    if criteria and criteria.view not in (View.MINE, View.UNCLAIMED):
        criteria = replace(criteria, view=View.OPEN)
    escalations = with_state(find(criteria, user_id) if criteria else open_escalations()).filter(Q(is_snoozed=False))
    return escalations.filter(Q(claimant_id=None) | Q(claimant_id=user_id))


def written_since(ids: Iterable[UUID], moment: datetime) -> dict[UUID, str]:
    """Those escalations whose customers have written after that time, with their numbers."""
    messages = Message.objects.filter(
        conversation__instance=OuterRef("instance"),
        conversation__user_phone=OuterRef("whatsapp_number"),
        role="user",
        timestamp__gt=moment,
    )
    found = Escalation.objects.filter(Exists(messages), pk__in=list(ids))
    return dict(found.values_list("pk", "whatsapp_number"))


def next_escalation(
    escalation: AnnotatedEscalation, user_id: int, criteria: Criteria | None = None
) -> AnnotatedEscalation | None:
    """The next customer's escalation for that person, of those that meet the criteria.

    The longest waiting; after an escalation that stays open, the next in the queue, then the first again.
    """
    escalations = waiting_for(user_id, criteria)
    escalations = escalations.exclude(whatsapp_number=escalation.whatsapp_number, instance_id=escalation.instance_id)
    if escalation.resolved_at is None:
        later = (
            Q(waiting_since__gt=escalation.waiting_since)
            if escalation.waiting_since
            else Q(waiting_since__isnull=False)
        )
        is_later = ExpressionWrapper(
            later | Q(waiting_since=escalation.waiting_since, pk__gt=escalation.pk), BooleanField()
        )
        escalations = escalations.order_by(Coalesce(is_later, False).desc(), *escalations.query.order_by)
    return _first(escalations)


def _first(escalations: Escalations) -> AnnotatedEscalation | None:
    """The first of many, with people: only that one is looked up."""
    return cast(
        AnnotatedEscalation | None, with_people(all_escalations().filter(pk__in=escalations.values("pk")[:1])).first()
    )


def _is_written(text: str) -> Q:
    """The number in any written form, also local (leading zero) or only its last digits; or part of the name."""
    if not may_search(text):
        last = last_digits(text)
        return Q(whatsapp_number__endswith=last) if last else Q(pk=None)
    found = Q(whatsapp_number=text)
    number = digits(text).lstrip("0")
    if len(number) >= FEWEST_DIGITS:
        found |= Q(whatsapp_number__endswith=number) | Q(whatsapp_number__startswith=number)
    customers, name = customers_of_escalations(), fold(text).strip()
    if customers is not None and name:
        found |= Q(Exists(customers.alias(folded=Folded("name")).filter(folded__icontains=name)))
    return found
