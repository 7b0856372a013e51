"""Businesses with a past, and people at their pages."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.test import Client
from django.urls import reverse

from tests import factories
from usage.models import Profile
from usage.quota import RISK, Business
from usage.rollup import Freshness

OVERVIEW = "/usage/profile/"
FAR = datetime(9999, 1, 1, tzinfo=UTC)
KEYS: dict[str, Callable[[Business], Any]] = {
    "risk": lambda one: (RISK.index(one.forecast.verdict), one.forecast.exhausted_at or FAR, -(one.share or 0)),
    "name": lambda one: one.name.lower(),
    "plan": lambda one: one.plan or None,
    "used": lambda one: one.used,
    "limit": lambda one: one.limit,
    "share": lambda one: one.share,
    "rate": lambda one: one.forecast.rate and one.forecast.rate.mean,
    "out": lambda one: one.forecast.exhausted_at,
    "reset": lambda one: one.resets_on,
    "ends": lambda one: one.subscription_end,
    "replies": lambda one: one.replies,
    "tokens": lambda one: one.tokens,
    "cost": lambda one: max(one.costs.values(), default=None),
    "trend": lambda one: sum(one.trend[-8:-1]) - sum(one.trend[-15:-8]),
}
"""What each order of the list sorts by, ascending."""


def is_complete(counts: Freshness) -> bool:
    """Whether everything is counted."""
    return counts.is_built and not counts.pending


def log_in(*groups: str) -> Client:
    client = Client()
    client.force_login(factories.staff(*groups), "django.contrib.auth.backends.ModelBackend")
    return client


def shop(name: str = "", *, per_day: int = 0, days: int = 10, used: int | None = None, **values) -> Profile:
    """A business that answered so much each day since its reset ten days ago."""
    total = per_day * days
    profile = factories.business(
        name,
        last_responses_reset_date=factories.ago(days=days, hours=1),
        subscription_end_date=factories.ago(days=-200),
        monthly_ai_responses_used=total if used is None else used,
        **values,
    )
    if per_day:
        chat = factories.conversation(factories.instance(profile))
        for age in range(days):
            for number in range(per_day):
                factories.interaction(
                    chat,
                    created_at=factories.ago(days=age, minutes=30 + number),
                    response_model="m" if number % 2 else "n",
                    prompt_tokens=100,
                    completion_tokens=10,
                    metadata={"detected_intent": "sales"} if number % 3 else {},
                )
    return profile


def page(client: Client, address: str, **values) -> str:
    response = client.get(address, values)
    assert response.status_code == 200, response.content.decode()[-2000:]
    return response.content.decode()


def post(client: Client, profile: Profile, action: str, **values):
    address = reverse(f"admin:usage_profile_{action}", args=[profile.pk])
    return client.post(address, {f"{action}-{name}": value for name, value in values.items()}, follow=True)
