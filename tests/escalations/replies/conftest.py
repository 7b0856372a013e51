"""A gateway for development that the desk uses."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from escalations.models import Escalation, Reply
from tests import factories
from tests.escalations.conftest import address
from waops.dev.gateway import Gateway
from waops.models import User


@pytest.fixture
def gateway(settings: Any) -> Iterator[Gateway]:
    with Gateway() as gateway:
        settings.EVOLUTION_API_URL, settings.EVOLUTION_API_KEY = gateway.url, gateway.key
        settings.EVOLUTION_API_TIMEOUT = 2.0
        yield gateway


@pytest.fixture
def escalation(committed_database: str) -> Escalation:
    return factories.waiting(minutes=30)


@pytest.fixture
def salma(committed_database: str) -> User:
    return factories.staff("Support", username="salma", first_name="Salma")


@pytest.fixture
def desk(salma: User) -> Client:
    return client_of(salma)


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def reply(client: Client, escalation: Escalation, text: str = "Hello", **fields: Any) -> dict[str, Any]:
    """What the script of the box is answered."""
    form = {"text": text, "key": str(uuid.uuid4()), **fields}
    answer = client.post(address(escalation, "reply"), form, headers={"Accept": "application/json"})
    assert answer.status_code == 200, answer.content
    return answer.json()


def outcome_of(**conditions: Any) -> str:
    """Of the only reply that meets them."""
    return str(Reply.objects.with_outcome().get(**conditions).outcome)


def session_of(user: User) -> str:
    """The session cookie of a logged-in person."""
    return client_of(user).cookies[settings.SESSION_COOKIE_NAME].value
