"""Conversations and cases of the customers that a number or a name means."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.contrib.postgres.search import SearchQuery
from django.db.models import F, OuterRef, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Coalesce, NullIf, Reverse

from conversations.models import Conversation, CustomerProfile
from conversations.queries import phone_begins
from escalations.models import Escalation
from escalations.queries import all_cases, with_people, with_resolver
from escalations.search.folding import FoldedDocument
from escalations.search.paging import Cursor, Found, page_after
from escalations.search.wording import Wording
from waops.live_schema import missing_fields, table_exists
from waops.personal import last_digits, sees_numbers

MOST_NAMED = 200
"""Customers of one name that are looked up: a name more people have tells nobody apart."""
MOST_NUMBERED = 500
"""Customers whose number begins, or ends, with what was typed, likewise."""
UNKNOWN = datetime(1970, 1, 1, tzinfo=UTC)
"""Stands for the moment of a case that has none."""


@dataclass(frozen=True)
class Customers:
    """Whom the wording means: by their number, or as one of `phones`, those that the name leads to."""

    wording: Wording
    phones: Sequence[str] = ()

    @property
    def are_too_many(self) -> bool:
        return len(self.phones) >= MOST_NAMED


def find_customers(wording: Wording) -> Customers:
    """Customers with a name whose words begin with all those typed. One query, none if there are no names."""
    if not sees_numbers() and any(map(str.isdecimal, wording.text)):
        return Customers(wording)  # a number that stands for a name
    if not wording.tsquery or not table_exists(CustomerProfile) or "name" in missing_fields(CustomerProfile):
        return Customers(wording)
    named = CustomerProfile.objects.alias(words=FoldedDocument("name")).filter(words=_query(wording))
    return Customers(wording, list(named.values_list("phone_number", flat=True)[:MOST_NAMED]))


def conversations_of(customers: Customers, after: Cursor | None, size: int) -> Found[Conversation]:
    """The latest active first, with `business_name`, `number_name` and `customer_name`."""
    wanted = _with_number(Conversation.objects.all(), "user_phone", customers)
    named = NullIf("instance__business__business_name", Value("", TextField()))
    rows = Conversation.objects.filter(pk__in=wanted).annotate(
        business_name=Coalesce(named, "instance__business__full_name"),
        number_name=F("instance__instance_name"),
        customer_name=_name_of(OuterRef("instance_id"), OuterRef("user_phone")),
    )
    return page_after(rows.without_data(), "last_activity", after, size)


def cases_of(customers: Customers, after: Cursor | None, size: int) -> Found[Escalation]:
    """The latest first, with what `all_cases`, `with_people` and `with_resolver` add."""
    wanted = _with_number(Escalation.objects.all(), "whatsapp_number", customers)
    cases = with_resolver(with_people(all_cases())).filter(pk__in=wanted)
    return page_after(cases.annotate(moment=Coalesce("waiting_since", UNKNOWN)), "moment", after, size)


def _with_number(rows: QuerySet[Any], field: str, customers: Customers) -> QuerySet[Any]:
    """Ids of the rows of those customers. Apart, and then united: each part is read from an index of its own."""
    wording = customers.wording
    parts = [rows.filter(**{field: wording.text.strip()})]
    if begins := phone_begins(field, wording.number):
        parts.append(rows.filter(begins))
        if sees_numbers():
            parts.append(_ending(rows, field, wording.last_digits))
    if not sees_numbers() and (last := last_digits(wording.text)):
        parts.append(_ending(rows, field, last))
    if customers.phones:
        parts.append(rows.filter(**{f"{field}__in": customers.phones}))
    first, *others = [part.order_by().values("pk")[:MOST_NUMBERED] for part in parts]
    return first.union(*others) if others else first


def _ending(rows: QuerySet[Any], field: str, last: str) -> QuerySet[Any]:
    found: QuerySet[Any] = rows.alias(reversed=Reverse(field)).filter(reversed__startswith=last[::-1])
    return found


def _name_of(instance: OuterRef, number: OuterRef) -> Any:
    if not table_exists(CustomerProfile) or "name" in missing_fields(CustomerProfile):
        return Value(None, TextField())
    profiles = CustomerProfile.objects.filter(instance_id=instance, phone_number=number)
    return Subquery(profiles.values("name")[:1])


def _query(wording: Wording) -> SearchQuery:
    return SearchQuery(wording.tsquery, config="simple", search_type="raw")
