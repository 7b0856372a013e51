"""Two businesses, each with one of everything, and the people who come to see them."""

from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone

from conversations.models import AIConfig, AIPersonality, SupportTeamNumber
from escalations.models import ClosingRule
from tests import factories
from usage.models import AccessLimit, Alert, AlertRule, Delivery, Profile, QuotaChange
from waops.models import User

CANARY = "canary"
"""In every text of the other business; its numbers and ids are in `traces` too."""


@dataclass(frozen=True)
class World:
    """A business and its rows by the name of their model, as "conversations.message"."""

    business: Profile
    phone: str
    rows: dict[str, Any]
    traces: frozenset[str]


def world(word: str, phone: str) -> World:
    """`word` is in all that was written, `phone` the number of its customers, but for the last digit."""
    business = factories.business(f"{word} bakery", full_name=f"{word} owner", monthly_ai_responses_used=99)
    number = factories.instance(business, instance_name=f"{word}line", status="disconnected")
    chat = factories.conversation(number, f"{phone}1")
    message = factories.message(chat, f"{word} words, call {phone}1", timestamp=factories.ago(minutes=50))
    escalation = factories.escalation(
        chat,
        escalated_at=factories.ago(minutes=40),
        reason=f"{word}_reason",
        conversation_context=[{"role": "user", "content": f"{word} kept {phone}1", "timestamp": "2026-01-01T10:00:00"}],
    )
    answer = factories.interaction(
        chat, user_message=f"{word} question", ai_response=f"{word} answer {phone}1", response_model=f"{word} model"
    )
    customer = factories.customer(number, f"{phone}1", name=f"{word} customer")
    closed = factories.escalation(
        factories.conversation(number, f"{phone}2"), resolved_at=factories.ago(minutes=5), reason="user_request"
    )
    missed = factories.conversation(number, f"{phone}3")
    factories.message(missed, f"{word} hold", "assistant", message_id="escalation_1", timestamp=factories.ago(hours=1))
    now = timezone.now()
    config = AIConfig.objects.create(
        business=business,
        instance=number,
        system_prompt=f"{word} prompt",
        is_active=True,
        temperature=1,
        created_at=now,
        updated_at=now,
        process_voice_messages=False,
        default_voice_language="ar",
        intent_recognition_enabled=False,
    )
    personality = AIPersonality.objects.create(
        instance=number, business=business, name=f"{word} personality", system_prompt=f"{word} prompt"
    )
    support = SupportTeamNumber.objects.create(business=business, instance=number, whatsapp_number=f"{phone}9")
    change = QuotaChange.objects.create(
        business=business,
        kind=QuotaChange.Kind.LIMIT,
        at=now,
        actor_name="somebody",
        reason=f"{word} reason",
        **{f"{when}_{what}": 1 for when in ("old", "new") for what in ("limit", "used")},
    )
    alert = Alert.objects.create(business=business, period=now, threshold=80, at=now, facts={})
    delivery = Delivery.objects.create(
        alert=alert, channel="email", target=f"{word}@example.com", language="en", next_attempt_at=now
    )
    rows = {
        "usage.profile": business,
        "usage.quotachange": change,
        "usage.delivery": delivery,
        "usage.alertrule": AlertRule.objects.create(business=business, emails=f"{word}@example.com"),
        "escalations.closingrule": ClosingRule.objects.create(business=business, note_required=False),
        "escalations.escalation": escalation,
        "escalations.resolved": closed,
        "conversations.missed": missed,
        "conversations.whatsappinstance": number,
        "conversations.conversation": chat,
        "conversations.message": message,
        "conversations.aiinteraction": answer,
        "conversations.aiconfig": config,
        "conversations.aipersonality": personality,
        "conversations.supportteamnumber": support,
        "conversations.customerprofile": customer,
    }
    ids = {str(row.pk) for row in rows.values() if len(str(row.pk)) == 36}
    return World(business, phone, rows, frozenset({word, phone, *ids}))


def own_and_other() -> tuple[World, World]:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE escalated_conversations DROP CONSTRAINT escalated_conversations_reason_check")
        cursor.execute("SELECT count(*) FROM waops.refresh_usage('Africa/Cairo', NULL, true)")
    return world("lantern", "20101111000"), world(CANARY, "20177755000")


def limited(person: User, *businesses: Profile) -> User:
    AccessLimit.objects.create(person=person).businesses.set(businesses)
    return User.objects.get(pk=person.pk)


def signed_in(person: User) -> Client:
    cache.clear()
    client = Client(raise_request_exception=False)
    client.force_login(person, "django.contrib.auth.backends.ModelBackend")
    return client


def traces_in(text: str, other: World) -> set[str]:
    """What of that business is in a page."""
    folded = text.lower()
    return {trace for trace in other.traces if trace in folded}
