"""The reads of the queue. Each function takes cases and narrows them, or adds what a page shows of them."""

from datetime import timedelta
from typing import Any, cast

from django.db.models import (
    BooleanField,
    Count,
    Exists,
    ExpressionWrapper,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, NullIf
from django.utils import timezone

from conversations.models import Conversation, CustomerProfile
from escalations.case_state import with_state
from escalations.criteria import NO_REASON, Case, Cases, Criteria, Facet, View
from escalations.last_messages import with_last_message, with_writing_times, written_in
from escalations.models import Escalation, Event
from usage.models import Profile
from waops.live_schema import missing_fields, table_exists
from waops.personal import last_digits, sees_numbers
from waops.phones import digits

LATEST = 1000
"""Resolved cases from which the filters' choices are read."""
MOST_FACETS = 3_000
"""More choices than that nobody reads through."""

FEWEST_DIGITS = 4
"""Fewer last digits than these would find everybody."""


class IsNotDistinctFrom(Func):
    """Equality for which two nulls are the same."""

    template = "(%(expressions)s)"
    arg_joiner = " IS NOT DISTINCT FROM "
    output_field = BooleanField()


def all_cases() -> Cases:
    """Adds `waiting_since`, None if nobody knows it, and `why`, the reason."""
    missing = missing_fields(Escalation)
    since = F("escalated_at") if "created_at" in missing else Coalesce("escalated_at", "created_at")
    why = Value(None, TextField()) if "reason" in missing else F("reason")
    # The context is large, and only a case's own page reads it.
    cases: Cases = Escalation.objects.defer("conversation_context")
    return cases.annotate(waiting_since=since, why=why)


def open_cases() -> Cases:
    """The longest waiting first; a case of unknown age before all others, lest nobody ever gets to it."""
    return all_cases().filter(resolved_at=None).order_by(F("waiting_since").asc(nulls_first=True), "pk")


def open_case_of(conversation: Conversation) -> Case | None:
    """The open escalation of a conversation's customer; of several the one that waits longest."""
    cases = open_cases().filter(instance_id=conversation.instance_id, whatsapp_number=conversation.user_phone)
    return cast(Case | None, cases.first())


def resolved_cases() -> Cases:
    """The latest first."""
    return all_cases().filter(resolved_at__isnull=False).order_by("-resolved_at", "pk")


def in_view(view: View, user_id: int) -> Cases:
    """The cases of a view, in its order, each with its state; `user_id` is whose view it is."""
    if view is View.RESOLVED:
        return with_state(resolved_cases())
    if view is View.TODAY:
        midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
        return with_state(resolved_cases().filter(resolved_at__gte=midnight))
    cases = with_state(open_cases()).filter(Q(is_snoozed=view is View.SNOOZED))
    if view is View.MINE:
        return cases.filter(Q(claimant_id=user_id))
    return cases.filter(Q(claimant_id=None)) if view is View.UNCLAIMED else cases


def find(criteria: Criteria, user_id: int) -> Cases:
    """The cases of that person's view that meet all criteria, in their order."""
    cases = in_view(criteria.view, user_id)
    if criteria.business:
        cases = cases.filter(instance__business_id=criteria.business)
    if criteria.number:
        cases = cases.filter(instance_id=criteria.number)
    if criteria.reason:
        cases = cases.filter(Q(why=None) | Q(why="") if criteria.reason == NO_REASON else Q(why=criteria.reason))
    if criteria.claimant:
        cases = cases.filter(Q(claimant_id=criteria.claimant))
    if criteria.minutes:
        cases = cases.filter(Q(waiting_since__lte=timezone.now() - timedelta(minutes=criteria.minutes)))
    if criteria.language:
        cases = written_in(with_conversation(cases), criteria.language)
    if criteria.text:
        cases = cases.filter(_is_written(criteria.text))
    return cases


def with_people(cases: Cases) -> Cases:
    """Adds `customer_name`; None without an instance: `number_name`, `business_id`, `business_name`, `plan_type`."""
    named = NullIf("instance__business__business_name", Value("", TextField()))
    return cases.annotate(
        business_id=F("instance__business_id"),
        business_name=Coalesce(named, "instance__business__full_name"),
        plan_type=Value(None, TextField())
        if "plan_type" in missing_fields(Profile)
        else F("instance__business__plan_type"),
        number_name=F("instance__instance_name"),
        customer_name=_customer_name(),
    )


def with_conversation(cases: Cases) -> Cases:
    """Adds `conversation_id`, None where the customer has no conversation with that number."""
    conversations = Conversation.objects.filter(
        instance_id=OuterRef("instance_id"), user_phone=OuterRef("whatsapp_number")
    )
    return cases.annotate(conversation_id=Subquery(conversations.values("pk")[:1]))


def with_open_rows(cases: Cases) -> Cases:
    """Adds `open_rows`: how many open escalations this customer has with this number."""
    rows = (
        Escalation.objects.filter(resolved_at=None, whatsapp_number=OuterRef("whatsapp_number"))
        .filter(IsNotDistinctFrom(F("instance_id"), OuterRef("instance_id")))
        .order_by()
        .values("whatsapp_number")
        .annotate(rows=Count("pk"))
    )
    return cases.annotate(open_rows=Coalesce(Subquery(rows.values("rows")), 0))


def with_resolver(cases: Cases) -> Cases:
    """Adds `resolver`, the name of who resolved it here; None if it is open or was resolved elsewhere."""
    events = Event.objects.filter(escalation_id=OuterRef("pk"), at=OuterRef("resolved_at"))
    return cases.annotate(resolver=Subquery(events.values("actor_name")[:1]))


def queue_rows(criteria: Criteria, found: Cases) -> Cases:
    """All that a row of the queue shows, of a part of what `find` found, in its order.

    Of that part only: names and messages of thousands who wait on other pages would cost more than the page.
    """
    cases = resolved_cases() if not criteria.view.is_open else open_cases()
    cases = with_state(cases).filter(pk__in=found.values("pk"))
    cases = with_writing_times(with_last_message(with_open_rows(with_people(with_conversation(cases)))))
    return cases if criteria.view.is_open else with_resolver(cases)


def facets(view: View, user_id: int) -> list[Facet]:
    """Cases by number, reason and claimant: the most frequent of a whole view, or of the LATEST resolved ones."""
    cases = in_view(view, user_id)
    if view is View.RESOLVED:
        cases = cases.filter(pk__in=resolved_cases().values("pk")[:LATEST])
    named = cast(QuerySet[Any, Any], with_people(cases).order_by())
    rows = named.values_list(
        "business_id", "business_name", "instance_id", "number_name", "why", "claimant_id", "claimant"
    )
    return [Facet(*row) for row in rows.annotate(cases=Count("pk")).order_by("-cases")[:MOST_FACETS]]


def waiting_for(user_id: int) -> Cases:
    """What that person can take up: open, not snoozed, and not claimed by a colleague."""
    cases = with_state(open_cases()).filter(Q(is_snoozed=False))
    return cases.filter(Q(claimant_id=None) | Q(claimant_id=user_id))


def longest_waiting(user_id: int) -> Case | None:
    return _first(waiting_for(user_id))


def next_case(case: Case, user_id: int) -> Case | None:
    """The case of another customer for that person to take after that one.

    The longest waiting; after a case that is left open the next in the queue, and at its end the first again.
    """
    cases = waiting_for(user_id)
    cases = cases.exclude(whatsapp_number=case.whatsapp_number, instance_id=case.instance_id)
    if case.resolved_at is None:
        later = Q(waiting_since__gt=case.waiting_since) if case.waiting_since else Q(waiting_since__isnull=False)
        is_later = ExpressionWrapper(later | Q(waiting_since=case.waiting_since, pk__gt=case.pk), BooleanField())
        cases = cases.order_by(Coalesce(is_later, False).desc(), *cases.query.order_by)
    return _first(cases)


def _first(cases: Cases) -> Case | None:
    """The first of many, with people: only that one is looked up."""
    return cast(Case | None, with_people(all_cases().filter(pk__in=cases.values("pk")[:1])).first())


def _customers() -> QuerySet[CustomerProfile] | None:
    """The profile of a case's customer; None where the deployment keeps no names."""
    if not table_exists(CustomerProfile) or "name" in missing_fields(CustomerProfile):
        return None
    customers: QuerySet[CustomerProfile] = CustomerProfile.objects.filter(
        instance_id=OuterRef("instance_id"), phone_number=OuterRef("whatsapp_number")
    )
    return customers


def _customer_name() -> Combinable:
    customers = _customers()
    return Value(None, TextField()) if customers is None else Subquery(customers.values("name")[:1])


def _is_written(text: str) -> Q:
    """The number in any written form, also local (leading zero) or its last digits only; or part of the name."""
    found = Q(whatsapp_number=text)
    number = digits(text).lstrip("0")
    if not sees_numbers():
        found |= Q(whatsapp_number=number)
        if last := last_digits(text):
            found |= Q(whatsapp_number__endswith=last)
        if any(map(str.isdecimal, text)):  # a name may be a number
            return found
    elif len(number) >= FEWEST_DIGITS:
        found |= Q(whatsapp_number__endswith=number) | Q(whatsapp_number__startswith=number)
    customers = _customers()
    if customers is not None:
        found |= Q(Exists(customers.filter(name__icontains=text)))
    return found
