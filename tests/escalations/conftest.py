"""People at the desk."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from escalations.models import Escalation
from tests import factories
from waops.models import User

QUEUE = "/escalations/escalation/"

SignIn = Callable[[User], Client]


@pytest.fixture
def sign_in(db) -> SignIn:
    def make(user: User) -> Client:
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return make


@pytest.fixture
def support(sign_in) -> Client:
    return sign_in(factories.staff("Support"))


def address(escalation: Escalation, action: str = "change") -> str:
    return reverse(f"admin:escalations_escalation_{action}", args=[escalation.pk])


def rows(response) -> list[Escalation]:
    return list(response.context["escalations"])
