"""What people, tenants and gateways can do wrong: one message at most, and a clear word."""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections

from conversations.models import Message
from escalations.models import Escalation, EscalationState, Event, Reply
from escalations.procedures import claim, resolve
from tests import factories, wording
from tests.escalations.conftest import address
from tests.escalations.replies.conftest import client_of, outcome_of, reply
from tests.escalations.replies.test_sending import stored


def execute(statement: str, *values: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)


def decided(client, escalation, reply_, *, arrived: bool) -> dict:
    path = f"{address(escalation, 'replies')}{reply_.pk}/"
    answer = client.post(path, {"arrived": str(int(arrived))}, headers={"Accept": "application/json"})
    assert answer.status_code == 200, answer.content
    return answer.json()


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("+20 101 234-5678", "201012345678"),
        ("00201012345678", "201012345678"),
        ("201012345678@s.whatsapp.net", "201012345678"),
        ("201012345678:12@s.whatsapp.net", "201012345678"),
        ("٢٠١٠١٢٣٤٥٦٧٨", "201012345678"),
        ("\u202a+20 1012345678\u202c", "201012345678"),
        ("98765432109876543@lid", "98765432109876543@lid"),
        ("98765432109876543@LID", "98765432109876543@lid"),
    ],
)
def test_numbers_in_odd_forms_are_answered(gateway, desk, escalation, written, asked) -> None:
    Escalation.objects.update(whatsapp_number=written)
    gateway.misbehave("hang")
    assert reply(desk, escalation, "First")["state"] == "unknown"
    page = desk.get(address(escalation)).content.decode()
    assert "unsent--unknown" in page
    assert wording.DECIDE_FIRST in reply(desk, escalation, "Second")["words"]
    [unknown] = Reply.objects.all()
    assert decided(desk, escalation, unknown, arrived=True)["state"] == "arrived"
    assert reply(desk, escalation, "Second")["state"] == "sent"
    assert [message.number for message in gateway.delivered] == [asked, asked]
    assert Message.objects.filter(message_id__startswith="human_").count() == 2


@pytest.mark.parametrize(
    "written", ["120363025246125486@g.us", "status@broadcast", "1@newsletter", "abc", "12", "+", "1" * 18]
)
def test_numbers_that_cannot_be_answered(gateway, desk, escalation, written) -> None:
    Escalation.objects.update(whatsapp_number=written)
    assert wording.CANNOT_RECEIVE_REPLIES in desk.get(address(escalation)).content.decode()
    assert wording.CANNOT_RECEIVE_REPLIES in reply(desk, escalation)["words"]
    assert gateway.requests == []


def test_one_customer_under_two_forms_of_the_number(gateway, desk, escalation) -> None:
    """Two escalations, locked apart: what is unknown in one also stops the other."""
    other = factories.waiting(minutes=5)
    Escalation.objects.filter(pk=other.pk).update(
        whatsapp_number=f"+{escalation.whatsapp_number}", instance_id=escalation.instance_id
    )
    gateway.misbehave("hang")
    reply(desk, escalation, "First")
    assert wording.DECIDE_FIRST in reply(desk, other, "Second")["words"]
    assert "unsent--unknown" in desk.get(address(other)).content.decode()
    assert len(gateway.requests) == 1


def test_two_people_at_two_forms_of_one_number(gateway, escalation, salma) -> None:
    """Nothing but the database's unique index sees both."""
    other = factories.waiting(minutes=5)
    Escalation.objects.filter(pk=other.pk).update(
        whatsapp_number=f"+{escalation.whatsapp_number}", instance_id=escalation.instance_id
    )
    gateway.misbehave("swallow", "swallow")
    start = threading.Barrier(2)

    def press(one: Escalation) -> str:
        try:
            start.wait()
            return str(reply(client_of(salma), one)["state"])
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as people:
        states = sorted(people.map(press, [escalation, other]))
    assert states == ["refused", "unknown"]
    assert len(gateway.requests) == 1


@pytest.mark.parametrize(
    ("behaviour", "state", "words", "delivered"),
    [
        ("redirect", "failed", wording.REJECTED_THE_REQUEST, 0),
        ("huge", "unknown", "unexpected answer", 1),
        ("headers", "unknown", "", 1),
    ],
)
def test_gateways_that_answer_anything(gateway, desk, escalation, caplog, behaviour, state, words, delivered) -> None:
    gateway.misbehave(behaviour)
    answer = reply(desk, escalation)
    assert f"HTTP {'302' if behaviour == 'redirect' else ''}" in caplog.text
    assert (answer["state"], len(gateway.requests), len(gateway.delivered)) == (state, 1, delivered)
    assert words in answer["words"]


def test_an_id_that_the_gateway_gave_before(gateway, desk, escalation) -> None:
    """Both replies are in the conversation."""
    gateway.misbehave("", "same")
    assert reply(desk, escalation, "First")["state"] == "sent"
    assert reply(desk, escalation, "Second")["state"] == "sent"
    assert [text for _, text, _ in stored(escalation)] == ["First", "Second"]
    assert len(set(Reply.objects.values_list("message_id", flat=True))) == 2


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("evolution.example.com", "k"),
        ("http://127.0.0.1:9/?a=b", "k"),
        ("http://[", "k"),
        ("", "مفتاح"),
        ("", "k\nHost: other"),
    ],
)
def test_settings_that_cannot_be_used_send_nothing_and_say_so(
    gateway, desk, escalation, settings, caplog, url, key
) -> None:
    settings.EVOLUTION_API_URL = url or gateway.url
    settings.EVOLUTION_API_KEY = key
    answer = reply(desk, escalation, "My secret words")
    assert answer["state"] == "failed"
    assert gateway.requests == []
    assert key == "k" or key not in caplog.text
    assert "secret" not in caplog.text


def test_a_form_used_again_for_another_text(gateway, desk, escalation) -> None:
    key = str(uuid.uuid4())
    assert reply(desk, escalation, "First", key=key)["state"] == "sent"
    answer = reply(desk, escalation, "Second", key=key)
    assert answer["state"] == "refused"
    assert wording.WAS_NOT_SENT in answer["words"]
    assert [message.text for message in gateway.delivered] == ["First"]
    # And for another escalation.
    other = factories.waiting(minutes=5)
    answer = reply(desk, other, "Third", key=key)
    assert (answer["state"], wording.WAS_NOT_SENT in answer["words"]) == ("refused", True)
    assert len(gateway.requests) == 1
    assert EscalationState.objects.filter(escalation_id=other.pk, claimed_by__isnull=False).count() == 0


@pytest.mark.parametrize("text", ["\u200b\u200e", "\u202e \u202c", "\u2060", "\ufeff\n"])
def test_a_reply_without_a_visible_character(gateway, desk, escalation, text) -> None:
    assert wording.WRITE_A_REPLY in reply(desk, escalation, text)["words"]
    assert gateway.requests == []


def test_the_longest_reply_counts_characters_as_the_page_does(gateway, desk, escalation) -> None:
    lines = ("x" * 63 + "\n") * 64
    assert len(lines) == 4096
    # Browsers send line ends as two characters.
    assert reply(desk, escalation, "y" + lines[:-2].replace("\n", "\r\n") + "y")["state"] == "sent"
    assert reply(desk, escalation, "😀" * 4096)["state"] == "sent"
    assert wording.TOO_LONG_A_REPLY.format(4096) in reply(desk, escalation, "😀" * 10_000)["words"]
    assert [len(message.text) for message in gateway.delivered] == [4096, 4096]


def test_directions_of_a_text_do_not_leave_it(gateway, desk, escalation) -> None:
    gateway.misbehave("broken")
    text = "Total \u202e\u2067 500"
    reply(desk, escalation, text)
    page = desk.get(address(escalation)).content.decode()
    assert f'dir="auto">{text}<' in page or f">{text}</" in page


def test_a_claim_lost_and_an_escalation_resolved_while_it_is_sent(gateway, desk, escalation, salma) -> None:
    gateway.seconds = 0.3
    colleague = factories.staff("Support", "Managers", first_name="Omar")

    def meddle(message) -> None:
        claim([escalation.pk], colleague, override=True)
        resolve([escalation.pk], colleague)
        salma.groups.clear()
        salma.__class__.objects.filter(pk=salma.pk).update(is_active=False)
        connection.close()

    gateway.on_delivered = meddle
    assert reply(desk, escalation)["state"] == "sent"
    assert (outcome_of(), len(stored(escalation)), len(gateway.delivered)) == ("sent", 1, 1)
    assert Escalation.objects.get().resolved_at is not None
    assert "replied" in Event.objects.values_list("kind", flat=True)


def test_a_permission_taken_away_between_the_page_and_the_press(gateway, desk, escalation, salma) -> None:
    desk.get(address(escalation))
    salma.groups.clear()
    form = {"text": "Hello", "key": str(uuid.uuid4())}
    assert desk.post(address(escalation, "reply"), form, headers={"Accept": "application/json"}).status_code == 403
    assert gateway.requests == []


@pytest.mark.parametrize(
    "change",
    [
        "DROP FUNCTION public.store_message_with_update(uuid, text, text, text)",
        "ALTER TABLE public.whatsapp_conversation_messages ADD CONSTRAINT none CHECK (role <> 'assistant') NOT VALID",
    ],
)
def test_arrived_and_the_database_does_not_store_it(gateway, desk, escalation, change) -> None:
    gateway.misbehave("hang")
    reply(desk, escalation, "My secret words")
    execute(change)
    [unknown] = Reply.objects.all()
    answer = decided(desk, escalation, unknown, arrived=True)
    assert answer["state"] == "arrived"
    assert wording.NOT_STORED in answer["words"]
    assert (outcome_of(), stored(escalation)) == ("arrived", [])


def test_the_function_goes_while_a_reply_is_sent(gateway, desk, escalation) -> None:
    """It has reached the customer, so it is not left as unknown."""

    def drop(message) -> None:
        execute("DROP FUNCTION public.store_message_with_update(uuid, text, text, text)")
        connection.close()

    gateway.on_delivered = drop
    answer = reply(desk, escalation)
    assert answer["state"] == "sent"
    assert wording.NOT_STORED in answer["words"]
    assert outcome_of() == "sent"


def test_no_function_to_store_with(gateway, desk, escalation) -> None:
    execute("DROP FUNCTION public.store_message_with_update(uuid, text, text, text)")
    assert wording.MAY_NOT_STORE_REPLIES in reply(desk, escalation)["words"]
    assert gateway.requests == []


def test_signed_out_while_it_is_unknown(gateway, desk, escalation, salma) -> None:
    gateway.misbehave("swallow")
    reply(desk, escalation)
    desk.logout()
    colleague = client_of(factories.staff("Support", first_name="Omar"))
    assert "unsent--unknown" in colleague.get(address(escalation)).content.decode()
