"""What pages show of replies: who wrote them, whether they arrived, who may reply, and how to turn replies on."""

import json
import uuid

import pytest
from django.db import connection
from django.urls import reverse

from conversations.models import Message
from escalations.attention.findings import Kind
from escalations.attention.queries import find
from escalations.desk.canned import fill_replies
from escalations.detail import find_escalation
from escalations.models import CannedReply, Event, Reply
from escalations.procedures import claim
from tests import factories, wording
from tests.escalations.conftest import address
from tests.escalations.replies.conftest import client_of, reply
from usage.models import AccessLimit
from waops.database.live_schema import forget_tables

EVENTS = """
    CREATE TABLE public.webhook_messages (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(), instance text, event text, data jsonb,
        received_at timestamptz DEFAULT now()
    )
"""


def execute(statement: str, *values: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)


def event(data: object, name: str = "messages.update") -> None:
    execute("INSERT INTO public.webhook_messages (instance, event, data) VALUES ('x', %s, %s)", name, json.dumps(data))


@pytest.fixture
def events(committed_database) -> None:
    execute(EVENTS)
    forget_tables()


def marks(client, escalation) -> list[str]:
    answer = client.get(address(escalation, "replies")).json()
    return list(answer["delivery"].values())


def test_the_chat_names_who_of_the_staff_wrote(gateway, desk, escalation) -> None:
    chat = escalation.instance.conversations.get()
    factories.message(chat, "From the AI", "assistant", message_id="abc")
    reply(desk, escalation, "From a person")
    messages = {one.content: one for one in desk.get(address(escalation)).context["talk"].messages}
    assert (messages["From a person"].author, messages["From a person"].is_reply) == ("Salma", True)
    assert (messages["From the AI"].author, messages["From the AI"].is_reply) == ("", False)
    page = desk.get(address(escalation)).content.decode()
    assert "chat__message--reply" in page
    # In the queue and in the search it is not the AI's either.
    queue = desk.get(reverse("admin:escalations_escalation_changelist"), {"view": "mine"}).content.decode()
    assert 'escalation__who">Staff:</span> <bdi class="outside">From a person' in queue
    found = desk.get(reverse("admin:escalations_escalation_search"), {"q": "person"}).content.decode()
    assert "Staff" in found
    # On the conversation's own page too, without the name.
    own = reverse("admin:conversations_conversation_change", args=[chat.pk])
    assert "chat__message--reply" in desk.get(own).content.decode()


def test_the_chat_shows_how_far_a_reply_came(gateway, desk, escalation, events) -> None:
    reply(desk, escalation)
    [sent] = gateway.delivered
    assert marks(desk, escalation) == [""]
    event({"keyId": sent.id, "remoteJid": "x", "fromMe": True, "status": "DELIVERY_ACK"})
    event({"keyId": sent.id, "status": "SERVER_ACK"})
    event({"keyId": "other", "status": "READ"})
    for hostile in (None, [], "text", 7, {"keyId": sent.id}, {"keyId": sent.id, "status": {"a": 1}}, {"keyId": []}):
        event(hostile)
    event({"keyId": sent.id, "status": "READ"}, "messages.upsert")
    assert marks(desk, escalation) == ["delivered"]
    event({"id": sent.id, "remoteJid": "x", "fromMe": True, "status": "READ"})  # version 1
    assert marks(desk, escalation) == ["read"]
    assert 'class="chat__delivery">read<' in desk.get(address(escalation)).content.decode()
    # It has been read, so it is not looked up again.
    execute("DROP TABLE public.webhook_messages")
    assert marks(desk, escalation) == ["read"]


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE public.webhook_messages ALTER data TYPE text USING data::text",
        "ALTER TABLE public.webhook_messages RENAME data TO payload",
        "ALTER TABLE public.webhook_messages ALTER received_at TYPE text",
        "DROP TABLE public.webhook_messages; CREATE VIEW public.webhook_messages AS SELECT 'messages.update' AS event,"
        " jsonb_build_object('keyId', pg_sleep(30)::text) AS data",
    ],
)
def test_a_table_of_events_that_cannot_be_read_hides_nothing_else(gateway, desk, escalation, events, change) -> None:
    reply(desk, escalation)
    execute(change)
    forget_tables()
    assert marks(desk, escalation) == [""]
    assert desk.get(address(escalation)).status_code == 200


def test_replies_are_off_and_the_page_says_how_to_turn_them_on(desk, escalation) -> None:
    page = desk.get(address(escalation)).content.decode()
    assert "EVOLUTION_API_URL and EVOLUTION_API_KEY" in page
    assert 'id="reply-text"' not in page
    assert wording.REPLIES_ARE_OFF in reply(desk, escalation)["words"]
    assert Reply.objects.count() == 0


@pytest.mark.parametrize(("groups", "may_reply"), [(["Support"], True), (["Managers"], True), (["Operators"], False)])
def test_who_may_reply(gateway, escalation, groups, may_reply) -> None:
    client = client_of(factories.staff(*groups))
    assert ('id="reply-text"' in client.get(address(escalation)).content.decode()) == may_reply
    form = {"text": "Hello", "key": str(uuid.uuid4())}
    assert client.post(address(escalation, "reply"), form).status_code == (302 if may_reply else 403)
    assert len(gateway.delivered) == may_reply


def test_a_colleague_who_holds_the_escalation_is_named_in_place_of_the_box(gateway, desk, escalation) -> None:
    claim([escalation.pk], factories.staff("Support", first_name="Omar"))
    page = desk.get(address(escalation)).content.decode()
    assert f"Omar</bdi> {wording.ONLY_THEY_CAN_REPLY}" in page
    assert 'id="reply-text"' not in page


def test_a_limited_person_cannot_reply_to_another_businesss_customer(gateway, escalation, salma) -> None:
    AccessLimit.objects.create(person=salma).businesses.set([factories.business()])
    client = client_of(salma)
    for name, fields in (("reply", {"text": "Hello", "key": str(uuid.uuid4())}), ("replies", {})):
        answer = client.post(address(escalation, name), fields) if fields else client.get(address(escalation, name))
        assert answer.status_code in (302, 404)
    assert (gateway.requests, Reply.objects.count()) == ([], 0)


def test_a_reply_belongs_to_its_customer(gateway, desk, escalation) -> None:
    """Its number in the address of another escalation leads nowhere."""
    gateway.misbehave("hang")
    reply(desk, escalation)
    [unknown] = Reply.objects.all()
    other = factories.waiting(minutes=5)
    answer = desk.post(f"{address(other, 'replies')}{unknown.pk}/", {"arrived": "1"}, follow=True)
    assert wording.REPLY_GONE in answer.content.decode()
    assert Message.objects.filter(message_id__startswith="human_").count() == 0


def test_one_can_reply_without_seeing_the_number(gateway, escalation, committed_database) -> None:
    masked = factories.staff(username="masked")
    names = ("view_escalation", "reply_escalation")
    masked.user_permissions.set(_permissions(*names))
    client, number = client_of(masked), escalation.whatsapp_number
    gateway.misbehave("hang")
    assert reply(client, escalation, f"Call {number}")["state"] == "unknown"
    answers = [client.get(address(escalation)), client.get(address(escalation, "replies"))]
    assert [number in answer.content.decode() for answer in answers] == [False, False]
    [unknown] = Reply.objects.all()
    assert reply(client, escalation, "", again=str(unknown.pk))["state"] == "sent"
    assert [one.number for one in gateway.delivered] == [number, number]
    # What was written is what is sent again, not what the page shows of it.
    assert {one.text for one in gateway.delivered} == {f"Call {number}"}


def _permissions(*names: str):
    from django.contrib.auth.models import Permission

    return Permission.objects.filter(codename__in=names, content_type__app_label="escalations")


def test_canned_replies_are_filled_in_for_the_customer(db) -> None:
    escalation = factories.waiting(minutes=5)
    writer = factories.staff("Support", first_name="Salma")
    texts = {
        "text_en": "Hello {customer}, this is {me} from {business}.",
        "text_ar": "أهلًا {customer}، معك {me} {number}",
    }
    canned = CannedReply(title_en="Hi", title_ar="تحية", **texts)
    [nameless] = fill_replies([canned], find_escalation(escalation.pk), writer)
    business = escalation.instance.business.business_name
    assert nameless.text_en == f"Hello, this is Salma from {business}."
    assert nameless.text_ar == "أهلًا، معك Salma {number}"
    factories.customer(escalation.instance, escalation.whatsapp_number, name="{me}  Mona")
    [named] = fill_replies([canned], find_escalation(escalation.pk), writer)
    assert named.text_en == f"Hello {{me}} Mona, this is Salma from {business}."


def test_a_reply_is_not_an_ai_reply(gateway, desk, escalation) -> None:
    reply(desk, escalation)
    assert find(Kind.ANSWERED).items == []
    factories.interaction(escalation.instance.conversations.get())
    assert [item.escalation_id for item in find(Kind.ANSWERED).items] == [escalation.pk]


def test_without_script_the_page_says_what_became_of_it(gateway, desk, escalation) -> None:
    form = {"text": "Hello", "key": str(uuid.uuid4())}
    assert "Sent." in desk.post(address(escalation, "reply"), form, follow=True).content.decode()
    gateway.misbehave("broken")
    form = {"text": "Second", "key": str(uuid.uuid4())}
    page = desk.post(address(escalation, "reply"), form, follow=True).content.decode()
    assert f"Not sent. {wording.GATEWAY_DISCONNECTED}" in page
    assert "unsent--failed" in page


def test_the_history_and_the_figures_know_of_replies(gateway, desk, escalation) -> None:
    reply(desk, escalation)
    assert [event.kind for event in desk.get(address(escalation)).context["history"]] == ["claimed", "replied"]
    manager = client_of(factories.staff("Managers"))
    totals = manager.get(reverse("admin:escalations_escalation_reports")).context["totals"]
    assert totals.to_reply.count == 1
    took = Event.objects.get(kind="replied").at - escalation.escalated_at
    assert abs((totals.to_reply.median - took).total_seconds()) < 0.001
