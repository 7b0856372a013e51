"""The demo's gateway: what is sent is delivered and read, and a customer answers."""

import pytest
from django.conf import settings as django_settings

from conversations.models import Message
from tests.escalations.replies.conftest import reply
from tests.escalations.replies.test_shown import marks
from tests.programs import wait_until
from waops.dev.gateway import demo


@pytest.fixture
def quick_demo(committed_database, settings, monkeypatch):
    monkeypatch.setattr(demo, "STEPS", ((0.0, "SERVER_ACK"), (0.0, "DELIVERY_ACK"), (0.1, "READ")))
    monkeypatch.setattr(demo, "ANSWER_SECONDS", 0.1)
    monkeypatch.setattr(demo, "EVERY", 1)
    monkeypatch.setattr(demo, "_numbers", iter(range(1, 100)))
    # Put back at the end of the test.
    settings.EVOLUTION_API_URL, settings.EVOLUTION_API_KEY, settings.EVOLUTION_IS_DEMO = "", "", False
    gateway = demo.start()
    yield gateway
    gateway.stop()


def test_it_delivers_and_lets_the_customer_answer(quick_demo, desk, escalation) -> None:
    escalation.instance.escalated_conversation_message = "Please wait"
    escalation.instance.save()
    assert django_settings.EVOLUTION_IS_DEMO
    assert reply(desk, escalation, "طلبك في الطريق")["state"] == "sent"
    wait_until(lambda: marks(desk, escalation) == ["read"])
    wait_until(lambda: Message.objects.filter(content="Please wait", message_id__startswith="escalated_").exists())
    answers = Message.objects.filter(role="user").exclude(content="hello").values_list("content", flat=True)
    assert [answer in demo.ANSWERS[True] for answer in answers] == [True]


def test_a_text_can_tell_it_to_misbehave(quick_demo, desk, escalation) -> None:
    assert reply(desk, escalation, "!broken please")["state"] == "failed"
    assert reply(desk, escalation, "!unheard of")["state"] == "sent"


def test_it_listens_on_this_machine_only(quick_demo) -> None:
    assert quick_demo._server.server_address[0] == "127.0.0.1"
