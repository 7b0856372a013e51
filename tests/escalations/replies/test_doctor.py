"""The gateway's settings are checked, and doctor shows the connection to it."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now

from escalations.models import Reply
from escalations.replies import checks, sending
from escalations.replies.doctor import examine
from tests import factories, wording
from tests.escalations.conftest import address
from tests.escalations.replies.conftest import reply
from waops.dbops.retention import retain


def codes(found) -> list[str]:
    return sorted(one.code for one in found.findings)


def test_the_connection_and_the_state_of_each_number(gateway, escalation) -> None:
    other = factories.instance(instance_name="closed1")
    factories.instance(instance_name="off", status="Disconnected")
    assert codes(examine(connection)) == []
    gateway.states[other.instance_name] = "close"
    found = examine(connection)
    assert codes(found) == ["gateway.closed"]
    [figures] = found.figures
    assert "2.3.6" in str(figures.title)
    assert {row.number: row.gateway for row in figures.rows} == {
        escalation.instance.instance_name: "open",
        "closed1": "close",
    }
    assert gateway.key not in str(found)


def test_a_wrong_key_and_a_silent_gateway(gateway, escalation, settings) -> None:
    settings.EVOLUTION_API_KEY = "wrong"
    assert codes(examine(connection)) == ["gateway.key"]
    gateway.stop()
    assert codes(examine(connection)) == ["gateway.silent"]


def test_no_gateway_is_no_trouble(db, settings) -> None:
    found = examine(connection)
    assert codes(found) == []
    assert "EVOLUTION_API_URL" in found.figures[0].remedy


def test_replies_with_an_unknown_outcome(gateway, escalation, salma) -> None:
    sending.begin(escalation.pk, salma, "Hello", uuid.uuid4())
    assert codes(examine(connection)) == []
    Reply.objects.update(begun_at=Now() - timedelta(minutes=5))
    assert codes(examine(connection)) == ["replies.unknown"]
    Reply.objects.update(state="sent")
    assert codes(examine(connection)) == ["replies.not_stored"]


@pytest.mark.parametrize(
    ("url", "key", "seconds", "ids"),
    [
        ("", "", 20, []),
        ("https://evolution.example.com", "k", 20, []),
        ("https://evolution.example.com/base", "k", 20, []),
        ("http://127.0.0.1:8080", "k", 20, []),
        ("https://evolution.example.com", "", 20, ["escalations.E001"]),
        ("", "k", 20, ["escalations.E001"]),
        ("ftp://evolution.example.com", "k", 20, ["escalations.E002"]),
        ("https://me:secret@evolution.example.com", "k", 20, ["escalations.E002"]),
        ("https://evolution.example.com?key=secret", "k", 20, ["escalations.E002"]),
        ("https://evolution.example.com/#x", "k", 20, ["escalations.E002"]),
        ("evolution.example.com", "k", 20, ["escalations.E002"]),
        ("http://evolution:8080", "k", 20, ["escalations.W002"]),
        ("https://evolution.example.com", "k\n", 20, ["escalations.E003"]),
        ("https://evolution.example.com", "مفتاح", 20, ["escalations.E003"]),
        ("https://evolution.example.com", "k", 60, ["escalations.W001"]),
    ],
)
def test_settings_are_checked(settings, url, key, seconds, ids) -> None:
    settings.EVOLUTION_API_URL, settings.EVOLUTION_API_KEY, settings.EVOLUTION_API_TIMEOUT = url, key, seconds
    found = checks.gateway_is_whole()
    assert [message.id for message in found] == ids
    assert "secret" not in str(found)


def test_texts_are_emptied_after_their_time_but_never_while_unknown(gateway, desk, escalation, salma) -> None:
    gateway.misbehave("", "broken", "hang")
    for text in ("Sent", "Failed", "Unknown"):
        reply(desk, escalation, text)
    begun = sending.begin(factories.waiting(minutes=5).pk, salma, "Interrupted", uuid.uuid4())
    lost = sending.begin(factories.waiting(minutes=5).pk, salma, "Not stored", uuid.uuid4())
    sending.settle(begun.reply, sending.Sent(Reply.State.UNKNOWN, Reply.Why.LOST))
    Reply.objects.filter(pk=lost.reply.pk).update(state="sent")

    def texts() -> list[str]:
        list(retain(apply=True))
        return list(Reply.objects.exclude(text="").order_by("pk").values_list("text", flat=True))

    Reply.objects.update(begun_at=Now() - timedelta(days=29))
    assert texts() == ["Sent", "Failed", "Unknown", "Interrupted", "Not stored"]
    Reply.objects.update(begun_at=Now() - timedelta(days=31))
    assert texts() == ["Unknown", "Interrupted", "Not stored"]
    # The one that failed is no longer offered, and a page that still shows it cannot send nothing.
    [failed] = Reply.objects.filter(state="failed")
    assert "unsent--failed" not in desk.get(address(escalation)).content.decode()
    [unknown] = Reply.objects.filter(text="Unknown")
    sending.decide(unknown.pk, salma, has_arrived=False)
    assert wording.TEXT_DELETED in reply(desk, escalation, "", again=str(failed.pk))["words"]
    assert texts() == ["Interrupted", "Not stored"]
    # The conversation still says who wrote it.
    assert "chat__message--reply" in desk.get(address(escalation)).content.decode()
    assert len(gateway.delivered) == 2
