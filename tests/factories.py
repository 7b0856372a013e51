"""Rows for tests, one plain function per table; whatever a test does not name is ordinary and unique."""

import uuid
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any

from django.contrib.auth.models import Group
from django.db import connection
from django.utils import timezone

from conversations.models import AIInteraction, Conversation, CustomerProfile, Message, WhatsAppInstance
from escalations.models import Escalation
from usage.models import Profile
from waops.models import User

_numbers = count(1)

WRITTEN = [
    "201012345678",
    "+20 101 234 5678",
    "0020-101-234-5678",
    "(+20) 101.234.5678",
    "٢٠١٠١٢٣٤٥٦٧٨",
    "۲۰۱۰۱۲۳۴۵۶۷۸",
    "\u200e+20\u00a0101\u00a0234\u00a05678\u200f",
    "２０１０１２３４５６７８",
]
"""The number 201012345678 as people type it."""
WRITTEN_IN_PART = ["01012345678", "۰۱۰ ۱۲۳۴ ۵۶۷۸", "5678", "45678", "2010123", "  (20) 1012345678 "]
"""Ways to find it without its country, or by its beginning or end."""


def ago(**duration: float) -> datetime:
    """That long before now: `ago(hours=3)`."""
    return timezone.now() - timedelta(**duration)


def day_before(days: int) -> date:
    """That many days before today, as the app's clocks have it: late in the evening UTC is still yesterday."""
    return timezone.localdate() - timedelta(days=days)


def phone() -> str:
    return f"2010{next(_numbers):08}"


def staff(*groups: str, username: str = "", **values: Any) -> User:
    """A member of staff in those groups, which the migrations made. Without a password, whose hash takes its time."""
    user = User.objects.create(username=username or f"person{next(_numbers)}", is_staff=True, **values)
    user.groups.set(Group.objects.filter(name__in=groups))
    assert user.groups.count() == len(groups)
    return user


def business(name: str = "", **values: Any) -> Profile:
    """A business with the account in `auth.users` that it needs."""
    number = next(_numbers)
    profile_id = uuid.uuid4()
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO auth.users (id, email) VALUES (%s, %s)", [profile_id, f"owner{number}@example.com"])
    values = {
        "full_name": f"Owner {number}",
        "business_name": name or f"Business {number}",
        "is_active": True,
        "monthly_ai_response_limit": 100,
        "monthly_ai_responses_used": 0,
        "plan_type": "Launch",
        "subscription_period": "Monthly",
        **values,
    }
    return Profile.objects.create(id=profile_id, **values)


def instance(owner: Profile | None = None, **values: Any) -> WhatsAppInstance:
    """A connected WhatsApp number."""
    values = {
        "instance_name": f"number{next(_numbers)}",
        "status": "Connected",
        "created_at": timezone.now(),
        "updated_at": timezone.now(),
        "escalation_enabled": True,
        **values,
    }
    return WhatsAppInstance.objects.create(business=owner or business(), **values)


def conversation(number: WhatsAppInstance | None = None, user_phone: str = "", **values: Any) -> Conversation:
    values = {
        "started_at": ago(days=1),
        "last_activity": timezone.now(),
        "status": "active",
        "conversation_data": {},
        **values,
    }
    return Conversation.objects.create(instance=number or instance(), user_phone=user_phone or phone(), **values)


def message(of: Conversation, content: str = "hello", role: str = "user", **values: Any) -> Message:
    values = {"timestamp": timezone.now(), "metadata": {}, **values}
    return Message.objects.create(conversation=of, role=role, content=content, **values)


def interaction(of: Conversation, **values: Any) -> AIInteraction:
    """One AI reply in that conversation."""
    values = {
        "user_message": "question",
        "ai_response": "answer",
        "created_at": timezone.now(),
        "updated_at": timezone.now(),
        "metadata": {},
        **values,
    }
    return AIInteraction.objects.create(instance_id=of.instance_id, user_phone=of.user_phone, **values)


def escalation(of: Conversation | None = None, **values: Any) -> Escalation:
    """An open escalation, of that conversation's customer or of one without a conversation."""
    values = {
        "whatsapp_number": of.user_phone if of else phone(),
        "instance_id": of.instance_id if of else None,
        "escalated_at": timezone.now(),
        "created_at": timezone.now(),
        "reason": "user_request",
        "conversation_context": [],
        **values,
    }
    return Escalation.objects.create(**values)


def waiting(minutes: float, content: str = "hello", **values: Any) -> Escalation:
    """An open escalation of a customer with a conversation, waiting that long."""
    chat = conversation()
    message(chat, content, timestamp=ago(minutes=minutes + 1))
    return escalation(chat, escalated_at=ago(minutes=minutes), **values)


def customer(number: WhatsAppInstance, phone_number: str, **values: Any) -> CustomerProfile:
    return CustomerProfile.objects.create(instance=number, phone_number=phone_number, **values)


def resolve_elsewhere(ids: Sequence[uuid.UUID]) -> None:
    """Resolve as something outside this app does, without history."""
    Escalation.objects.filter(pk__in=ids).update(resolved_at=timezone.now())
