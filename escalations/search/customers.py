"""Find conversations and escalations of the customers that a number or name identifies."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.contrib.postgres.search import SearchQuery
from django.db.models import F, OuterRef, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Coalesce

from conversations.models import Conversation, CustomerProfile
from conversations.queries import phone_begins
from escalations.annotations import with_people, with_resolver
from escalations.folding import FoldedDocument
from escalations.models import Escalation
from escalations.queries import all_escalations
from escalations.search.wording import Wording
from usage.models.profile import name_at
from waops.access.personal import ending_with, sees_numbers
from waops.database.live_schema import missing_fields, table_exists
from waops.database.paging import Cursor, Found, newest_after, page_after

MOST_NAMED = 200
"""Most customers with one name that are looked up: a more common name identifies no one."""
UNKNOWN = datetime(1970, 1, 1, tzinfo=UTC)
"""Stands for the time of an escalation that has none."""


@dataclass(frozen=True)
class Customers:
    """The customers the wording identifies: by their number, or as one of `phones`, found by name."""

    wording: Wording
    phones: Sequence[str] = ()

    @property
    def are_too_many(self) -> bool:
        return len(self.phones) >= MOST_NAMED


def find_customers(wording: Wording) -> Customers:
    """Customers with a name whose words begin with all those typed. One query, none if there are no names."""
    if not wording.tsquery or not table_exists(CustomerProfile) or "name" in missing_fields(CustomerProfile):
        return Customers(wording)
    named = CustomerProfile.objects.alias(words=FoldedDocument("name")).filter(words=_query(wording))
    return Customers(wording, list(named.values_list("phone_number", flat=True)[:MOST_NAMED]))


def conversations_of(customers: Customers, after: Cursor | None, size: int) -> Found[Conversation]:
    """Conversations of these customers, latest active first, with the names of business, number and customer."""
    wanted = _newest(Conversation.objects.all(), "user_phone", customers, "last_activity", after, size)
    rows = Conversation.objects.filter(pk__in=wanted).annotate(
        business_name=name_at("instance__business"),
        number_name=F("instance__instance_name"),
        customer_name=_name_of(OuterRef("instance_id"), OuterRef("user_phone")),
    )
    return page_after(rows.without_data(), "last_activity", after, size)


def escalations_of(customers: Customers, after: Cursor | None, size: int) -> Found[Escalation]:
    """Escalations of these customers, latest first.

    With what `all_escalations`, `with_people` and `with_resolver` add.
    """
    every = all_escalations().annotate(moment=Coalesce("waiting_since", UNKNOWN))
    wanted = _newest(every, "whatsapp_number", customers, "moment", after, size)
    return page_after(with_resolver(with_people(every)).filter(pk__in=wanted), "moment", after, size)


def _newest(
    rows: QuerySet[Any], field: str, customers: Customers, moment: str, after: Cursor | None, size: int
) -> QuerySet[Any]:
    """Ids of the newest rows of those customers, and some more.

    Each way to identify a customer is a separate query, so that it can use its own index: that of the numbers if few
    rows match, that of the time if many do.
    """
    wording = customers.wording
    parts = [rows.filter(**{field: wording.text.strip()})]
    if sees_numbers() and (begins := phone_begins(field, wording.number)):
        parts.append(rows.filter(begins))
    if last := wording.last_digits:
        parts.append(ending_with(rows, field, last))
    if customers.phones:
        parts.append(rows.filter(**{f"{field}__in": customers.phones}))
    first, *others = [newest_after(part, moment, after).values("pk")[: size + 1] for part in parts]
    return first.union(*others) if others else first


def _name_of(instance: OuterRef, number: OuterRef) -> Any:
    if not table_exists(CustomerProfile) or "name" in missing_fields(CustomerProfile):
        return Value(None, TextField())
    profiles = CustomerProfile.objects.filter(instance_id=instance, phone_number=number)
    return Subquery(profiles.values("name")[:1])


def _query(wording: Wording) -> SearchQuery:
    return SearchQuery(wording.tsquery, config="simple", search_type="raw")
