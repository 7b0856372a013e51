"""A reply is sent at most once, and what became of it is told in words."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pytest
from django.db import connection, connections
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from conversations.models import AIInteraction, Conversation, Message
from escalations.models import Escalation, EscalationState, Event, Reply
from escalations.procedures import claim, resolve
from escalations.replies import sending
from escalations.replies.gateway import send
from tests import factories, wording
from tests.escalations.conftest import address
from tests.escalations.replay import problems
from tests.escalations.replies.conftest import client_of, outcome_of, reply
from tests.programs import wait_until
from tests.roles import django_is, least_role
from usage.models import Profile
from waops.access.log import AccessRecord


def stored(escalation: Escalation) -> list[tuple[str, str, str]]:
    rows = Message.objects.filter(conversation__user_phone=escalation.whatsapp_number, message_id__isnull=False)
    return list(rows.order_by("timestamp").values_list("role", "content", "message_id"))


def test_a_reply_reaches_the_customer_the_conversation_the_history_and_the_record(
    gateway, desk, escalation, salma
) -> None:
    used = Profile.objects.get().monthly_ai_responses_used
    answer = reply(desk, escalation, "Your order left today.\r\nThank you")
    assert (answer["state"], answer["words"], answer["claimed"]) == ("sent", "Sent.", True)
    [message] = gateway.delivered
    assert (message.instance, message.number) == (escalation.instance.instance_name, escalation.whatsapp_number)
    assert message.text == "Your order left today.\nThank you"
    assert stored(escalation) == [("assistant", message.text, f"human_{message.id}")]
    assert [event.kind for event in Event.objects.order_by("at")] == ["claimed", "replied"]
    assert EscalationState.objects.get().claimed_by == salma
    assert AccessRecord.objects.filter(action="replied", object_id=str(escalation.pk), person=salma).count() == 1
    # It is not an AI reply.
    assert (AIInteraction.objects.count(), Profile.objects.get().monthly_ai_responses_used) == (0, used)
    assert list(problems()) == []


def test_sending_takes_few_statements(gateway, desk, escalation) -> None:
    """Session, person, claim, escalation, earlier replies, the reply, the access record; then as many to settle it."""
    reply(desk, escalation, "Warm")
    key = str(uuid.uuid4())
    with CaptureQueriesContext(connection) as begun:
        assert reply(desk, escalation, "Hello", key=key)["state"] == "sent"
    assert len(begun) <= 9, begun.captured_queries
    with CaptureQueriesContext(connection) as asked:
        assert desk.get(address(escalation, "replies"), {"key": key}).json()["state"] == "sent"
    assert len(asked) == 3
    [again] = Reply.objects.filter(key=key)
    Reply.objects.filter(pk=again.pk).update(state="sending", message_id=None)
    with CaptureQueriesContext(connection) as settled:
        sending.settle(again, sending.Sent(Reply.State.SENT, id="ABC"))
    assert len(settled) <= 8, settled.captured_queries


def test_a_conversation_that_does_not_exist_is_created_as_the_service_would(gateway, desk, escalation) -> None:
    Message.objects.all().delete()
    Conversation.objects.all().delete()
    assert reply(desk, escalation)["state"] == "sent"
    conversation = Conversation.objects.get()
    assert (conversation.instance_id, conversation.user_phone) == (escalation.instance_id, escalation.whatsapp_number)
    assert (conversation.status, conversation.conversation_data["context"]["message_count"]) == ("active", 1)


def test_a_reply_goes_into_the_conversation_that_is_stored_under_another_form_of_the_number(
    gateway, desk, escalation
) -> None:
    Conversation.objects.update(user_phone=f"{escalation.whatsapp_number}@s.whatsapp.net")
    assert reply(desk, escalation, "Here it is")["state"] == "sent"
    assert Conversation.objects.count() == 1
    assert Message.objects.filter(message_id__startswith="human_").get().content == "Here it is"


@pytest.mark.parametrize(
    ("behaviour", "state", "words", "delivered"),
    [
        ("absent", "failed", wording.NOT_ON_WHATSAPP, 0),
        ("refuse", "failed", "WhatsApp refused", 0),
        ("key", "failed", wording.GATEWAY_REJECTED_THE_KEY, 0),
        ("missing", "failed", wording.GATEWAY_KNOWS_NO_SUCH_NUMBER, 0),
        ("broken", "failed", wording.GATEWAY_DISCONNECTED, 0),
        ("hang", "unknown", wording.GATEWAY_TIMED_OUT, 1),
        ("swallow", "unknown", wording.GATEWAY_TIMED_OUT, 0),
        ("drip", "unknown", wording.GATEWAY_TIMED_OUT, 1),
        ("close", "unknown", "was lost", 1),
        ("reset", "unknown", "was lost", 0),
        ("nonsense", "unknown", "unexpected answer", 1),
        ("proxy", "unknown", "unexpected answer", 0),
        ("twice", "sent", "Sent.", 1),
    ],
)
def test_what_a_misbehaving_gateway_leaves(
    gateway, desk, escalation, caplog, behaviour, state, words, delivered
) -> None:
    gateway.misbehave(behaviour)
    answer = reply(desk, escalation, "My secret words")
    assert answer["state"] == state
    assert words in answer["words"]
    assert (len(gateway.requests), len(gateway.delivered)) == (1, delivered)
    assert outcome_of() == state
    assert len(stored(escalation)) == (state == "sent")
    page = desk.get(address(escalation)).content.decode()
    assert (f'class="unsent unsent--{state}"' in page) == (state != "sent")
    assert "My secret words" in page
    # Neither the key nor what people write to each other is in the log.
    assert gateway.key not in caplog.text
    assert "secret" not in caplog.text


def test_nothing_listens(gateway, desk, escalation) -> None:
    gateway.stop()
    answer = reply(desk, escalation)
    assert answer["state"] == "failed"
    assert wording.UNREACHABLE in answer["words"]


@pytest.mark.parametrize("version", ["1.8.6", "2.3.6"])
def test_both_versions_of_the_contract(gateway, desk, escalation, version) -> None:
    gateway.version = version
    assert reply(desk, escalation)["state"] == "sent"
    # Known by now, and wrong after an upgrade: the refused format reached no one.
    gateway.version = "1.8.6" if version.startswith("2") else "2.3.6"
    assert reply(desk, escalation, "Again")["state"] == "sent"
    assert [message.text for message in gateway.delivered] == ["Hello", "Again"]


def test_a_double_click_and_a_repeated_form_send_once(gateway, escalation, salma) -> None:
    gateway.seconds = 0.3
    form = {"key": str(uuid.uuid4())}

    def press(_: int) -> str:
        try:
            return str(reply(client_of(salma), escalation, **form)["state"])
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as people:
        states = list(people.map(press, range(4)))
    assert set(states) <= {"sent", "sending"}
    wait_until(lambda: outcome_of() == "sent")
    assert reply(client_of(salma), escalation, **form)["words"] == wording.ALREADY_SENT
    assert (len(gateway.requests), len(stored(escalation)), Reply.objects.count()) == (1, 1, 1)


def test_two_people_at_one_escalation_send_one_message(gateway, escalation, salma) -> None:
    gateway.seconds = 0.2
    people = [salma, *(factories.staff("Support") for _ in range(5))]

    def press(user) -> dict:
        try:
            return reply(client_of(user), escalation, f"From {user.username}", version="0")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(people)) as crowd:
        answers = list(crowd.map(press, people))
    assert sorted(answer["state"] for answer in answers) == [*["refused"] * 5, "sent"]
    assert {wording.IS_CLAIMED_BY in answer["words"] for answer in answers if answer["state"] == "refused"} == {True}
    assert (len(gateway.requests), len(stored(escalation))) == (1, 1)


def test_a_claim_that_ended_while_one_wrote(gateway, desk, escalation, salma) -> None:
    colleague = factories.staff("Support", first_name="Omar", last_name="O'Neil")
    [mine] = claim([escalation.pk], salma)
    EscalationState.objects.update(lease_until=Now() - timedelta(seconds=1))
    # No one has claimed it since: it is claimed again, and sent.
    assert reply(desk, escalation, version=str(mine.version))["state"] == "sent"
    EscalationState.objects.update(lease_until=Now() - timedelta(seconds=1))
    claim([escalation.pk], colleague)
    answer = reply(desk, escalation, "Too late", version=str(mine.version))
    assert answer["state"] == "refused"
    assert "Omar O'Neil" in answer["words"]
    assert len(gateway.requests) == 1


def test_a_stale_tab(gateway, desk, escalation) -> None:
    colleague = factories.staff("Support", first_name="Omar")
    resolve([escalation.pk], colleague)
    answer = reply(desk, escalation, version="0")
    assert answer["state"] == "refused"
    assert wording.ALREADY_RESOLVED_BY in answer["words"]
    assert gateway.requests == []


def test_an_unknown_reply_stops_the_next_until_a_person_decides(gateway, desk, escalation, salma) -> None:
    gateway.misbehave("hang")
    reply(desk, escalation, "First")
    assert wording.DECIDE_FIRST in reply(desk, escalation, "Second")["words"]
    assert len(gateway.requests) == 1
    [unknown] = Reply.objects.all()
    decide = f"{address(escalation, 'replies')}{unknown.pk}/"
    answer = desk.post(decide, {"arrived": "1"}, headers={"Accept": "application/json"}).json()
    assert answer["state"] == "arrived"
    assert stored(escalation) == [("assistant", "First", f"human_reply_{unknown.pk}")]
    # A colleague's page still shows the question.
    second = desk.post(decide, {"arrived": "0"}, headers={"Accept": "application/json"}).json()
    assert wording.ALREADY_DECIDED in second["words"]
    assert reply(desk, escalation, "Second")["state"] == "sent"
    assert [text for _, text, _ in stored(escalation)] == ["First", "Second"]
    assert list(problems()) == []


def test_sending_again_after_unknown_sends_once(gateway, escalation, salma) -> None:
    gateway.misbehave("swallow")
    reply(client_of(salma), escalation, "Please wait")
    [unknown] = Reply.objects.all()

    def press(_: int) -> dict:
        try:
            return reply(client_of(salma), escalation, "", again=str(unknown.pk))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(3) as people:
        answers = list(people.map(press, range(3)))
    assert sorted(answer["state"] for answer in answers) == ["refused", "refused", "sent"]
    assert wording.ALREADY_SENT_AGAIN in next(one["words"] for one in answers if one["state"] == "refused")
    assert [message.text for message in gateway.delivered] == ["Please wait"]
    assert sorted(Reply.objects.values_list("state", flat=True)) == ["not_sent", "sent"]
    assert 'class="unsent' not in client_of(salma).get(address(escalation)).content.decode()


def test_a_process_that_is_killed_leaves_an_unknown_reply(gateway, desk, escalation, salma) -> None:
    begun = sending.begin(escalation.pk, salma, "Hello", uuid.uuid4())
    assert begun.is_new
    assert outcome_of() == "sending"
    assert wording.ANOTHER_IS_BEING_SENT in reply(desk, escalation, "Other")["words"]
    Reply.objects.update(begun_at=Now() - timedelta(minutes=1))
    assert outcome_of() == "unknown"
    assert wording.NOT_CLEAR_WHETHER_SENT in desk.get(address(escalation)).content.decode()
    assert wording.DECIDE_FIRST in reply(desk, escalation, "Other")["words"]
    assert gateway.requests == []
    # It is listed, and leads to the page where a person decides.
    listed = desk.get(reverse("admin:escalations_escalation_attention")).content.decode()
    assert wording.PERHAPS_NOT_ARRIVED in listed
    assert address(escalation) in listed


def test_a_late_answer_of_the_gateway_is_stored_once(gateway, desk, escalation, salma) -> None:
    begun = sending.begin(escalation.pk, salma, "Hello", uuid.uuid4())
    Reply.objects.update(begun_at=Now() - timedelta(minutes=1))
    sending.decide(begun.reply.pk, salma, has_arrived=True)
    sent = sending.Sent(Reply.State.SENT, id="ABC")
    sending.settle(begun.reply, sent)
    sending.settle(begun.reply, sent)
    assert [message_id for *_, message_id in stored(escalation)] == [f"human_reply_{begun.reply.pk}"]
    assert outcome_of() == "sent"


def test_the_database_gone_between_sending_and_storing(gateway, desk, escalation, monkeypatch) -> None:
    """It comes back, and the reply is stored; it is not sent again."""
    settle, failures = sending._settle, iter([True, True])

    def flaky(*args, **kwargs):
        if next(failures, False):
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return settle(*args, **kwargs)

    monkeypatch.setattr(sending, "_settle", flaky)
    assert reply(desk, escalation)["state"] in ("sent", "sending")
    wait_until(lambda: outcome_of() == "sent")
    assert (len(gateway.requests), len(stored(escalation))) == (1, 1)


def test_a_conversation_that_refuses_the_reply(gateway, desk, escalation, caplog) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS"
            " $$BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '23514'; END$$;"
            "CREATE TRIGGER refuse BEFORE INSERT ON public.whatsapp_conversation_messages"
            " FOR EACH ROW EXECUTE FUNCTION public.refuse()"
        )
    answer = reply(desk, escalation)
    assert answer["state"] == "sent"
    assert wording.NOT_STORED in answer["words"]
    assert (outcome_of(), len(gateway.delivered), stored(escalation)) == ("sent", 1, [])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("whatsapp_instances SET status = 'Disconnected'", wording.NOT_CONNECTED),
        ("escalated_conversations SET instance_id = NULL", wording.NOT_CONNECTED),
        (
            "escalated_conversations SET whatsapp_number = '120363025246125486'",
            wording.CANNOT_RECEIVE_REPLIES,
        ),
        (
            "escalated_conversations SET whatsapp_number = 'status@broadcast'",
            wording.CANNOT_RECEIVE_REPLIES,
        ),
    ],
)
def test_what_cannot_be_answered_is_not_claimed(gateway, desk, escalation, change, words) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE public.{change}")
    assert words in reply(desk, escalation)["words"]
    assert (gateway.requests, Reply.objects.count(), Event.objects.count()) == ([], 0, 0)


def test_limits_of_a_reply(gateway, desk, escalation) -> None:
    assert wording.WRITE_A_REPLY in reply(desk, escalation, "  \n ")["words"]
    assert wording.TOO_LONG_A_REPLY.format(4096) in reply(desk, escalation, "x" * 4097)["words"]
    assert reply(desk, escalation, "x\0y")["state"] == "refused"
    assert gateway.requests == []
    assert reply(desk, escalation, "س" * 4096)["state"] == "sent"


def test_a_hanging_gateway_holds_no_database_connection(gateway, desk, escalation, salma, settings) -> None:
    settings.EVOLUTION_API_TIMEOUT = 20.0
    gateway.misbehave("swallow")
    assert reply(desk, escalation)["state"] == "sending"
    assert len(gateway.requests) == 1
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        )
        assert cursor.fetchone() == (0,)
    gateway.stop()
    wait_until(lambda: outcome_of() == "unknown")


def test_a_busy_gateway_leaves_most_threads_to_others(gateway, salma, settings) -> None:
    """Requests beyond those that may wait are answered at once; each page asks again."""
    escalations = [factories.waiting(minutes=number) for number in range(6)]
    gateway.seconds = 1.0

    def press(escalation) -> str:
        try:
            return str(reply(client_of(salma), escalation)["state"])
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(escalations)) as people:
        states = sorted(people.map(press, escalations))
    assert states == [*["sending"] * 3, *["sent"] * 3]
    wait_until(lambda: Reply.objects.filter(state="sent").count() == len(escalations))


def test_a_role_of_the_app_that_may_store_replies_and_one_that_may_not(
    gateway, escalation, salma, committed_database
) -> None:
    """Better refused than sent and not stored."""
    with (
        least_role(committed_database, "waops_replies_test"),
        psycopg.connect(committed_database, autocommit=True) as owner,
        django_is("waops_replies_test"),
    ):
        assert reply(client_of(salma), escalation)["state"] == "sent"
        owner.execute("REVOKE EXECUTE ON FUNCTION public.store_message_with_update FROM waops_replies_test")
        assert wording.MAY_NOT_STORE_REPLIES in reply(client_of(salma), escalation, "Second")["words"]
    assert (len(gateway.requests), len(stored(escalation))) == (1, 1)


def test_a_reply_that_has_waited_too_long_for_its_turn_is_not_sent(gateway, escalation) -> None:
    sent = send("number1", escalation.whatsapp_number, "Hello", seconds=0.1)
    assert (sent.state, sent.why) == (Reply.State.FAILED, Reply.Why.BUSY)
    assert gateway.requests == []
