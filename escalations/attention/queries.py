"""Find what needs attention: one bounded query per kind, over open escalations or the last days' messages."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

from django.core.cache import cache
from django.db.models import Count, Exists, F, Min, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from conversations.models import AIInteraction, Conversation, Message, Turn
from escalations.annotations import Escalations, with_people
from escalations.attention.findings import COUNTED, Finding, Item, Kind, in_digits, item_of
from escalations.models import REASONS, Escalation, KnownReason, Reply
from escalations.queries import all_escalations, open_escalations
from escalations.repairs import find_missed
from usage.models.profile import name_at
from waops.access.readers import current
from waops.database.kept import SECONDS
from waops.database.live_schema import missing_fields
from waops.database.replica import reading

RECENT = timedelta(days=7)
"""A customer whose turn ended earlier has asked again, or has left."""
TAKEN_OVER = timedelta(minutes=5)
"""A message is usually redelivered, and its turn taken over, within this time after the lease."""
CONNECTED = "connected"


def find(kind: Kind) -> Finding:
    return Finding(kind, _FINDERS[kind]())


def find_all() -> list[Finding]:
    """Find what needs attention, with one query per kind. Also refreshes the count on the tab."""
    findings = [find(kind) for kind in Kind]
    cache.set(_key(), sum(len(finding.items) for finding in findings), SECONDS)
    return findings


def known_count() -> str | None:
    """Number of things found, in digits; empty if there are none, None if not checked for SECONDS."""
    count = cache.get(_key())
    return count if count is None else _shown(count)


def fresh_count() -> str:
    """As `known_count`, but checks if necessary."""
    known = known_count()
    return _shown(sum(len(finding.items) for finding in find_all())) if known is None else known


def _shown(count: int) -> str:
    return in_digits(count) if count else ""


def _key() -> str:
    return f"escalations:attention:{current().scope}"


def _missed() -> list[Item]:
    """By customer, longest waiting first."""
    found = find_missed(reading(), instances=current().instances, limit=COUNTED + 1)
    items = _of_conversations(Conversation.objects.filter(pk__in=[missed.kept for missed in found]))
    return [replace(items[missed.kept], moment=missed.told_at) for missed in found if missed.kept in items]


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
    for escalation in with_people(open_escalations().filter(whatsapp_number__in=numbers)):
        customer = (escalation.instance_id, escalation.whatsapp_number)
        if customer in counts and customer not in items:
            items[customer] = item_of(escalation, count=counts[customer])
    return list(items.values())


def _disconnected() -> list[Item]:
    return _items(open_escalations().exclude(instance__status__iexact=CONNECTED))


def _answered() -> list[Item]:
    """Uses idx_ai_interactions_user, for each open escalation."""
    answers = AIInteraction.objects.filter(
        instance_id=OuterRef("instance_id"),
        user_phone=OuterRef("whatsapp_number"),
        created_at__gt=OuterRef("escalated_at"),
    )
    return _items(open_escalations().filter(Exists(answers)))


def _unanswered() -> list[Item]:
    outcomes = (Turn.Outcome.RUN_OUT, Turn.Outcome.FAILED)
    return _of_turns(outcomes, Q(replied_at=None), F("arrived_at"))


def _unconfirmed() -> list[Item]:
    return _of_turns((Turn.Outcome.UNCONFIRMED,), Q(replied_at__isnull=False), Coalesce("ended_at", "leased_until"))


def _unknown_replies() -> list[Item]:
    """Uses replies_undecided."""
    undecided = Reply.objects.with_outcome().filter(Q(outcome=Reply.State.UNKNOWN), state__in=Reply.UNDECIDED)
    return _items(
        all_escalations().filter(pk__in=list(undecided.values_list("escalation_id", flat=True)[: COUNTED + 1]))
    )


def _of_turns(outcomes: Sequence[str], has_run_out: Q, since: Any) -> list[Item]:
    """Customers whose turns ended with these outcomes or expired, and who got no message and no escalation
    `since`; oldest first.

    Uses turn_unanswered and turn_open.
    """
    now = timezone.now()
    turns = Turn.objects.annotate(since=since).filter(
        Q(outcome__in=outcomes, ended_at__gt=now - RECENT)
        | Q(has_run_out, ended_at=None, leased_until__lt=now - TAKEN_OVER),
    )
    mine = turns.filter(conversation_id=OuterRef("pk")).order_by("-arrived_at")
    answers = Message.objects.filter(
        conversation_id=OuterRef("pk"), role="assistant", timestamp__gt=OuterRef("since_last")
    )
    escalations = Escalation.objects.filter(
        Q(resolved_at=None) | Q(escalated_at__gt=OuterRef("arrived_at")),
        whatsapp_number=OuterRef("user_phone"),
        instance_id=OuterRef("instance_id"),
    )
    conversations = (
        Conversation.objects.filter(pk__in=turns.values("conversation_id"))
        .annotate(arrived_at=Subquery(mine.values("arrived_at")[:1]), since_last=Subquery(mine.values("since")[:1]))
        .filter(~Exists(answers), ~Exists(escalations))
        .order_by("arrived_at", "pk")
    )
    return list(_of_conversations(conversations[: COUNTED + 1], "arrived_at").values())


def _of_conversations(conversations: QuerySet[Conversation], moment: str = "last_activity") -> dict[str, Item]:
    """By id as text, in their order."""
    rows = conversations.values_list(
        "pk", moment, "user_phone", name_at("instance__business"), "instance__instance_name"
    )
    return {
        str(pk): Item(str(pk), at, phone, business_name=business, number_name=number, conversation_id=pk)
        for pk, at, phone, business, number in rows
    }


def _reasons() -> list[Item]:
    if "reason" in missing_fields(Escalation):
        return []
    unknown = (
        Escalation.objects.filter(resolved_at=None, reason__gt="")
        .exclude(reason__in=REASONS)
        .exclude(reason__in=Subquery(KnownReason.objects.values("pk")))
        .order_by()
        .values("reason")
        .annotate(count=Count("pk"), since=Min(F("escalated_at")))
        .order_by("-count", "reason")
    )
    rows = unknown.values_list("reason", "count", "since")[: COUNTED + 1]
    return [Item(reason, since, reason=reason, count=count) for reason, count, since in rows]


def _items(escalations: Escalations) -> list[Item]:
    return [item_of(escalation) for escalation in cast(Any, with_people(escalations)[: COUNTED + 1])]


_FINDERS: dict[Kind, Callable[[], list[Item]]] = {
    Kind.MISSED: _missed,
    Kind.DUPLICATE: _duplicates,
    Kind.DISCONNECTED: _disconnected,
    Kind.ANSWERED: _answered,
    Kind.UNANSWERED: _unanswered,
    Kind.UNCONFIRMED: _unconfirmed,
    Kind.UNKNOWN_REPLY: _unknown_replies,
    Kind.REASON: _reasons,
}
