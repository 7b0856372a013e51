"""Escalating a conversation from its page: what is offered, what happens, and who is refused."""

import uuid
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from escalations.models import Escalation, Event
from tests import factories, wording
from tests.escalations.conftest import address
from tests.escalations.desk.test_resolving import said
from waops.models import User


@pytest.fixture
def desk(sign_in: Callable[[User], Client]) -> Client:
    return sign_in(factories.staff("Support", first_name="Salma"))


def page(chat) -> str:
    return reverse("admin:conversations_conversation_change", args=[chat.pk])


def escalate(pk) -> str:
    return reverse("admin:escalations_escalation_escalate", args=[pk])


def test_a_conversation_is_handed_to_people_with_a_reason(desk) -> None:
    chat = factories.conversation()
    factories.message(chat, "my parcel is lost")
    assert escalate(chat.pk) in desk.get(page(chat)).content.decode()
    response = desk.post(escalate(chat.pk), {"note": "he rang"}, follow=True)
    escalation = Escalation.objects.get()
    assert response.redirect_chain[-1][0] == address(escalation)
    assert said(response)[0].startswith("1 conversation escalated.")
    assert "he rang" in response.content.decode()
    assert (escalation.whatsapp_number, escalation.resolved_at) == (chat.user_phone, None)
    assert Event.objects.get().details == {"note": "he rang"}


def test_a_customer_who_is_already_waiting_is_not_escalated_twice(desk) -> None:
    escalation = factories.waiting(minutes=5)
    chat = escalation.instance.conversations.get()
    text = desk.get(page(chat)).content.decode()
    assert address(escalation) in text
    assert escalate(chat.pk) not in text
    response = desk.post(escalate(chat.pk), follow=True)
    assert response.redirect_chain[-1][0] == address(escalation)
    assert wording.ALREADY_ESCALATED in said(response)[0]
    assert Escalation.objects.count() == 1


def test_a_conversation_that_is_gone_is_said(desk) -> None:
    response = desk.post(escalate(uuid.uuid4()), follow=True)
    assert said(response) == [wording.CONVERSATION_GONE]


def test_a_note_that_is_too_long_is_refused(desk) -> None:
    chat = factories.conversation()
    response = desk.post(escalate(chat.pk), {"note": "x" * 5_001}, follow=True)
    assert "5000" in said(response)[0].replace(",", "")
    assert Escalation.objects.count() == 0


def test_get_changes_nothing_and_people_without_permission_are_refused(desk, sign_in) -> None:
    chat = factories.conversation()
    assert desk.get(escalate(chat.pk)).headers["Location"] == page(chat)
    operator = sign_in(factories.staff("Operators"))
    assert escalate(chat.pk) not in operator.get(page(chat)).content.decode()
    assert operator.post(escalate(chat.pk)).status_code == 403
    assert Escalation.objects.count() == 0
