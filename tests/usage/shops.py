"""Businesses with a past, and people at their pages."""

from django.test import Client
from django.urls import reverse

from tests import factories
from usage.models import Profile

OVERVIEW = "/usage/profile/"


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
