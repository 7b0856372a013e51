"""Handing a conversation to people from its page: what is offered, what happens, and to whom it is refused."""

import uuid
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from escalations.models import Escalation, Event
from tests import factories
from tests.escalations.conftest import address
from tests.escalations.test_resolving import said
from waops.models import User


@pytest.fixture
def desk(sign_in: Callable[[User], Client]) -> Client:
    return sign_in(factories.staff("Support", first_name="Salma"))


def page(chat) -> str:
    return reverse("admin:conversations_conversation_change", args=[chat.pk])


def by_hand(pk) -> str:
    return reverse("admin:escalations_escalation_by-hand", args=[pk])


def test_a_conversation_is_handed_to_people_with_a_reason(desk) -> None:
    chat = factories.conversation()
    factories.message(chat, "my parcel is lost")
    assert by_hand(chat.pk) in desk.get(page(chat)).content.decode()
    response = desk.post(by_hand(chat.pk), {"note": "he rang"}, follow=True)
    case = Escalation.objects.get()
    assert response.redirect_chain[-1][0] == address(case)
    assert said(response)[0].startswith("1 conversation escalated.")
    assert "he rang" in response.content.decode()
    assert (case.whatsapp_number, case.resolved_at) == (chat.user_phone, None)
    assert Event.objects.get().details == {"note": "he rang"}


def test_whoever_waits_already_is_not_handed_over_twice(desk) -> None:
    case = factories.waiting(minutes=5)
    chat = case.instance.conversations.get()
    text = desk.get(page(chat)).content.decode()
    assert address(case) in text
    assert by_hand(chat.pk) not in text
    response = desk.post(by_hand(chat.pk), follow=True)
    assert response.redirect_chain[-1][0] == address(case)
    assert "has been escalated already" in said(response)[0]
    assert Escalation.objects.count() == 1


def test_a_conversation_that_is_gone_is_said(desk) -> None:
    response = desk.post(by_hand(uuid.uuid4()), follow=True)
    assert said(response) == ["This conversation does not exist any more."]


def test_a_note_beyond_measure_is_refused_in_words(desk) -> None:
    chat = factories.conversation()
    response = desk.post(by_hand(chat.pk), {"note": "x" * 5_001}, follow=True)
    assert "5000" in said(response)[0].replace(",", "")
    assert Escalation.objects.count() == 0


def test_get_changes_nothing_and_whoever_may_not_is_refused(desk, sign_in) -> None:
    chat = factories.conversation()
    assert desk.get(by_hand(chat.pk)).headers["Location"] == page(chat)
    operator = sign_in(factories.staff("Operators"))
    assert by_hand(chat.pk) not in operator.get(page(chat)).content.decode()
    assert operator.post(by_hand(chat.pk)).status_code == 403
    assert Escalation.objects.count() == 0
