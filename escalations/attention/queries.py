"""Finds what needs attention: one bounded query for each kind, over open escalations or the last days' messages."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

from django.core.cache import cache
from django.db import connection
from django.db.models import Count, Exists, F, Min, OuterRef, Q, Subquery, TextField, Value
from django.db.models.functions import Coalesce, NullIf
from django.utils import timezone

from conversations.models import AIInteraction, Message
from escalations.attention.findings import COUNTED, Finding, Item, Kind, in_digits, item_of
from escalations.criteria import Cases
from escalations.models import Escalation, KnownReason
from escalations.queries import open_cases, with_people
from escalations.reasons import REASONS
from waops.access import current
from waops.live_schema import missing_fields

RECENT = timedelta(days=7)
"""Whoever was told longer ago that a person takes over has asked again, or has gone."""
BEFORE_TOLD = timedelta(minutes=10)
"""The service writes the escalation just before it tells the customer."""
CONNECTED = "connected"
SECONDS = 30
"""How long the count on the tab may be old."""


def find(kind: Kind) -> Finding:
    return Finding(kind, _FINDERS[kind]())


def find_all() -> list[Finding]:
    """One query per kind. The count on the tab is fresh afterwards."""
    findings = [find(kind) for kind in Kind]
    cache.set(_key(), sum(len(finding.items) for finding in findings), SECONDS)
    return findings


def known_count() -> str | None:
    """Things found, in digits; empty if there are none, None if nobody has looked for SECONDS."""
    count = cache.get(_key())
    return count if count is None else _shown(count)


def fresh_count() -> str:
    """As `known_count`, looking if nobody has."""
    known = known_count()
    return _shown(sum(len(finding.items) for finding in find_all())) if known is None else known


def _shown(count: int) -> str:
    return in_digits(count) if count else ""


def _key() -> str:
    return f"escalations:attention:{connection.settings_dict['NAME']}:{current().scope}"


def _ghosts() -> list[Item]:
    """By conversation, the latest told first; read from idx_messages_handed_over."""
    escalations = Escalation.objects.filter(
        Q(resolved_at=None) | Q(escalated_at__gt=OuterRef("timestamp") - BEFORE_TOLD),
        whatsapp_number=OuterRef("conversation__user_phone"),
        instance_id=OuterRef("conversation__instance_id"),
    )
    told = Message.objects.filter(
        ~Exists(escalations),
        role="assistant",
        message_id__startswith="escalation_",
        timestamp__gt=timezone.now() - RECENT,
    )
    named = NullIf("conversation__instance__business__business_name", Value("", TextField()))
    rows = told.order_by("-timestamp", "-pk").values_list(
        "conversation_id",
        "timestamp",
        "conversation__user_phone",
        Coalesce(named, "conversation__instance__business__full_name"),
        "conversation__instance__instance_name",
    )
    items: dict[Any, Item] = {}
    # Some customers were told more than once.
    for conversation_id, moment, phone, business, number in rows[: 2 * COUNTED + 1]:
        items.setdefault(
            conversation_id,
            Item(
                str(conversation_id),
                moment,
                phone,
                business_name=business,
                number_name=number,
                conversation_id=conversation_id,
            ),
        )
    return list(items.values())[: COUNTED + 1]


def _duplicates() -> list[Item]:
    """By customer, the first escalation of each."""
    groups = (
        Escalation.objects.filter(resolved_at=None, instance_id__isnull=False)
        .order_by()
        .values("instance_id", "whatsapp_number")
        .annotate(rows=Count("pk"))
        .filter(rows__gt=1)
        .values_list("instance_id", "whatsapp_number", "rows")[: COUNTED + 1]
    )
    counts = {(instance_id, number): rows for instance_id, number, rows in groups}
    if not counts:
        return []
    numbers = {number for _, number in counts}
    items: dict[Any, Item] = {}
    for case in with_people(open_cases().filter(whatsapp_number__in=numbers)):
        customer = (case.instance_id, case.whatsapp_number)
        if customer in counts and customer not in items:
            items[customer] = item_of(case, count=counts[customer])
    return list(items.values())


def _disconnected() -> list[Item]:
    return _items(open_cases().exclude(instance__status__iexact=CONNECTED))


def _answered() -> list[Item]:
    """By idx_ai_interactions_user, for each open escalation."""
    answers = AIInteraction.objects.filter(
        instance_id=OuterRef("instance_id"),
        user_phone=OuterRef("whatsapp_number"),
        created_at__gt=OuterRef("escalated_at"),
    )
    return _items(open_cases().filter(Exists(answers)))


def _reasons() -> list[Item]:
    if "reason" in missing_fields(Escalation):
        return []
    unknown = (
        Escalation.objects.filter(resolved_at=None, reason__gt="")
        .exclude(reason__in=REASONS)
        .exclude(reason__in=Subquery(KnownReason.objects.values("pk")))
        .order_by()
        .values("reason")
        .annotate(cases=Count("pk"), since=Min(F("escalated_at")))
        .order_by("-cases", "reason")
    )
    rows = unknown.values_list("reason", "cases", "since")[: COUNTED + 1]
    return [Item(reason, since, reason=reason, count=cases) for reason, cases, since in rows]


def _items(cases: Cases) -> list[Item]:
    return [item_of(case) for case in cast(Any, with_people(cases)[: COUNTED + 1])]


_FINDERS: dict[Kind, Callable[[], list[Item]]] = {
    Kind.GHOST: _ghosts,
    Kind.DUPLICATE: _duplicates,
    Kind.DISCONNECTED: _disconnected,
    Kind.ANSWERED: _answered,
    Kind.REASON: _reasons,
}
