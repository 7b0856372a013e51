"""What needs attention: found, explained, counted, and fixed with one press."""

import re

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from conversations.models import Conversation, Turn
from escalations.attention.findings import COUNTED, Item, Kind
from escalations.attention.queries import find, fresh_count
from escalations.models import Escalation, Event, KnownReason
from tests import factories, wording

PAGE = "/escalations/escalation/attention/"


def signed_in(*groups: str) -> Client:
    client = Client()
    client.force_login(factories.staff(*groups), backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def support(db) -> Client:
    return signed_in("Support")


@pytest.fixture
def allow_duplicates(db) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX public.uniq_escalated_open")


@pytest.fixture
def any_reason(db) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE escalated_conversations DROP CONSTRAINT escalated_conversations_reason_check")


def missed(**told: object):
    """A conversation whose customer was told that a person takes over."""
    chat = factories.conversation()
    told = {"timestamp": factories.ago(hours=2), "message_id": "escalation_1700000000000", **told}
    factories.message(chat, "transferred", "assistant", **told)
    return chat


def found(kind: Kind) -> list[Item]:
    return find(kind).items


def cure(client: Client, kind: Kind, *keys: object):
    return client.post(f"{PAGE}{kind.slug}/", {"item": [str(key) for key in keys]}, follow=True)


def said(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def test_an_orderly_desk_needs_none(support) -> None:
    factories.waiting(minutes=5)
    response = support.get(PAGE)
    assert wording.NOTHING_NEEDS_ATTENTION in response.content.decode()
    assert fresh_count() == ""


# Missed escalations


def test_customers_told_without_an_escalation_are_listed(support) -> None:
    chat = missed()
    factories.message(chat, "transferred", "assistant", message_id="escalation_2", timestamp=factories.ago(hours=1))
    for other in ("escalated_1", "wamid.1", "escalationX1"):
        factories.message(factories.conversation(), "hold", "assistant", message_id=other)
    missed(timestamp=factories.ago(days=31))
    waiting, done = missed(), missed()
    factories.escalation(waiting, escalated_at=factories.ago(days=1))
    factories.escalation(done, escalated_at=factories.ago(hours=2), resolved_at=factories.ago(hours=1))
    back_again = missed()
    factories.escalation(back_again, escalated_at=factories.ago(days=3), resolved_at=factories.ago(days=2))
    assert {item.conversation_id for item in found(Kind.MISSED)} == {chat.pk, back_again.pk}
    text = support.get(PAGE).content.decode()
    assert wording.CREATED_NO_ESCALATION in text
    assert f"/conversations/conversation/{chat.pk}/change/" in text


def test_a_missed_escalation_is_put_into_the_queue_once(support) -> None:
    chat = missed()
    assert said(cure(support, Kind.MISSED, chat.pk)) == ["1 fixed."]
    escalation = Escalation.objects.get(whatsapp_number=chat.user_phone, resolved_at=None)
    event = Event.objects.get(escalation_id=escalation.pk)
    assert (event.kind, event.actor is not None) == (Event.Kind.RECOVERED, True)
    assert found(Kind.MISSED) == []
    [told] = said(cure(support, Kind.MISSED, chat.pk))
    assert "was skipped" in told
    assert Escalation.objects.count() == 1


# Duplicates


def test_duplicates_are_closed_and_the_first_is_kept(support, allow_duplicates) -> None:
    chat = factories.conversation()
    first = factories.escalation(chat, escalated_at=factories.ago(hours=5))
    second = factories.escalation(chat, escalated_at=factories.ago(hours=1))
    factories.waiting(minutes=5)
    [item] = found(Kind.DUPLICATE)
    assert (item.escalation_id, item.count) == (first.pk, 2)
    assert "escalated 2 times" in support.get(PAGE).content.decode()

    assert said(cure(support, Kind.DUPLICATE, first.pk)) == ["1 fixed."]

    first.refresh_from_db()
    second.refresh_from_db()
    assert first.resolved_at is None
    assert second.resolved_at is not None
    assert Event.objects.get(escalation_id=second.pk).kind == Event.Kind.MERGED
    assert Event.objects.get(escalation_id=first.pk).actor is not None
    assert found(Kind.DUPLICATE) == []


# Numbers that are not connected, and AI replies


@pytest.mark.parametrize("status", ["Disconnected", "DISCONNECTED", "Created", ""])
def test_escalations_of_a_number_that_is_not_connected(support, status) -> None:
    factories.waiting(minutes=5)
    lost = factories.escalation(factories.conversation(factories.instance(status=status)))
    nowhere = factories.escalation()
    for spelling in ("connected", "CONNECTED"):
        factories.escalation(factories.conversation(factories.instance(status=spelling)))
    assert {item.escalation_id for item in found(Kind.DISCONNECTED)} == {lost.pk, nowhere.pk}


def test_escalations_that_the_ai_answers_all_the_same(support) -> None:
    answered, before, other = (factories.conversation() for _ in range(3))
    escalation = factories.escalation(answered, escalated_at=factories.ago(hours=2))
    factories.interaction(answered, created_at=factories.ago(hours=1))
    factories.escalation(before, escalated_at=factories.ago(hours=2))
    factories.interaction(before, created_at=factories.ago(hours=3))
    factories.escalation(other, escalated_at=factories.ago(hours=2), resolved_at=factories.ago(hours=1))
    factories.interaction(other, created_at=factories.ago(minutes=1))
    assert [item.escalation_id for item in found(Kind.ANSWERED)] == [escalation.pk]


def test_they_are_resolved_as_in_the_queue(support) -> None:
    lost, _ = (factories.escalation(factories.conversation(factories.instance(status="Created"))) for _ in range(2))
    page = support.get(PAGE).content.decode()
    one = re.search(
        rf'<form method="post" action="(\S+)">(?:(?!</form>).)*?name="escalation" value="{lost.pk}".*?</form>',
        page,
        re.S,
    )
    assert one
    assert 'name="action" value="resolve"' in one[0]
    assert cure(support, Kind.DISCONNECTED, lost.pk).status_code == 404
    asked = support.post(one[1], {"action": "resolve", "escalation": str(lost.pk)})
    assert 'name="note"' in asked.content.decode()
    assert 'name="outcome"' in asked.content.decode()
    lost.refresh_from_db()
    assert lost.resolved_at is None
    sent = {"action": "resolve", "escalations": asked.context["escalations"], "note": "connected again", "query": ""}
    done = support.post(one[1], sent)
    lost.refresh_from_db()
    assert lost.resolved_at is not None
    assert Event.objects.get(escalation_id=lost.pk).details["note"] == "connected again"
    assert 'value="reopen"' in done.content.decode()


# Reasons


def test_an_unknown_reason_is_listed_until_it_is_accepted(support, any_reason) -> None:
    for reason in ("vip_customer", "vip_customer", "<b>x", "user_request", "", None):
        factories.escalation(reason=reason)
    factories.escalation(reason="long_gone", resolved_at=factories.ago(days=1))
    assert [(item.reason, item.count) for item in found(Kind.REASON)] == [("vip_customer", 2), ("<b>x", 1)]
    text = support.get(PAGE).content.decode()
    assert "&lt;b&gt;x" in text
    assert "<b>x" not in text
    cure(support, Kind.REASON, "vip_customer")
    cure(support, Kind.REASON, "vip_customer")
    assert KnownReason.objects.count() == 1
    assert [item.reason for item in found(Kind.REASON)] == ["<b>x"]


# All of them


@pytest.mark.parametrize("kind", Kind)
def test_people_who_may_not_fix_see_no_button_and_are_refused(db, kind) -> None:
    operator = signed_in("Operators")
    missed()
    text = operator.get(PAGE).content.decode()
    assert str(Kind.MISSED.heading) in text
    assert 'name="item"' not in text
    assert cure(operator, kind, "x").status_code == 403
    assert Escalation.objects.count() == 0


def test_only_forms_change_anything(support) -> None:
    chat = missed()
    assert support.get(f"{PAGE}missed/", {"item": chat.pk}, follow=True).redirect_chain == [(PAGE, 302)]
    assert support.post(f"{PAGE}missed/", {"item": "x"}).status_code == 400
    assert support.post(f"{PAGE}missed/", follow=True).status_code == 200
    assert support.post(f"{PAGE}witches/", {"item": chat.pk}).status_code == 404
    assert Escalation.objects.count() == 0


def test_many_are_counted_only_up_to_a_limit_and_cost_the_same(support) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert wording.PUT_IN_THE_QUEUE in support.get(PAGE).content.decode()
        return len(queries)

    missed()
    support.get(PAGE)
    one = cost()
    for _ in range(COUNTED + 20):
        missed()
        factories.escalation()
    assert cost() == one <= 11
    text = support.get(PAGE).content.decode()
    assert f"{COUNTED}+" in text
    assert text.count('<li class="finding__item">') == 40
    assert wording.MORE_WILL_APPEAR in text


def test_the_count_on_the_tab_is_remembered_for_a_while(support) -> None:
    missed()
    assert fresh_count() == "1"
    missed()
    assert fresh_count() == "1"
    support.get(PAGE)
    assert fresh_count() == "2"


def test_no_page_waits_for_the_count_that_another_shows(support) -> None:
    missed()
    queue = "/escalations/escalation/"
    text = support.get(queue).content.decode()
    assert f'data-count-from="{PAGE}count/"' in text
    assert support.get(f"{PAGE}count/").content.decode() == "1"
    known = support.get(queue).content.decode()
    assert "data-count-from" not in known
    assert '<span class="count">1</span>' in known


def test_the_page_lives_without_optional_columns(support) -> None:
    factories.escalation()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE customer_profiles")
        cursor.execute("ALTER TABLE escalated_conversations DROP COLUMN reason, DROP COLUMN created_at")
    cache.clear()
    assert support.get(PAGE).status_code == 200


# Turns


def turn(outcome: str = "", *, replied: bool = False, **values: object) -> Turn:
    """A turn of a conversation's only message, two hours old."""
    chat = factories.conversation()
    message = factories.message(chat, "where is it", "user", timestamp=factories.ago(hours=2))
    values = {
        "arrived_at": message.timestamp,
        "lease_seconds": 60,
        "leased_until": factories.ago(minutes=40),
        "replied_at": factories.ago(hours=1) if replied else None,
        "ended_at": factories.ago(minutes=30) if outcome else None,
        "outcome": outcome,
        **values,
    }
    return Turn.objects.create(message_id=message.pk, conversation_id=chat.pk, **values)


def test_customers_whose_turn_ended_without_an_answer_are_listed(support) -> None:
    listed = [turn("run_out"), turn("failed"), turn()]
    turn(leased_until=factories.ago(minutes=1))
    turn("answered")
    turn("superseded")
    turn("run_out", ended_at=factories.ago(days=8))
    answered, escalated, resolved = turn("run_out"), turn("run_out"), turn("failed")
    factories.message(Conversation.objects.get(pk=answered.conversation_id), "here", "assistant")
    factories.escalation(Conversation.objects.get(pk=escalated.conversation_id), escalated_at=factories.ago(days=1))
    factories.escalation(
        Conversation.objects.get(pk=resolved.conversation_id),
        escalated_at=factories.ago(hours=1),
        resolved_at=factories.ago(minutes=1),
    )
    assert {item.conversation_id for item in found(Kind.UNANSWERED)} == {one.conversation_id for one in listed}
    assert wording.DID_NOT_FINISH in support.get(PAGE).content.decode()


def test_replies_whose_sending_is_not_confirmed_are_listed(support) -> None:
    listed = [turn("unconfirmed", replied=True), turn(replied=True)]
    turn("answered", replied=True)
    written_to = turn("unconfirmed", replied=True)
    for one in (*listed, written_to):
        chat = Conversation.objects.get(pk=one.conversation_id)
        factories.message(chat, "it leaves today", "assistant", timestamp=factories.ago(hours=1))
    factories.message(Conversation.objects.get(pk=written_to.conversation_id), "did it arrive?", "assistant")
    assert {item.conversation_id for item in found(Kind.UNCONFIRMED)} == {one.conversation_id for one in listed}
    assert found(Kind.UNANSWERED) == []


@pytest.mark.parametrize(("kind", "outcome"), [(Kind.UNANSWERED, "run_out"), (Kind.UNCONFIRMED, "unconfirmed")])
def test_an_unanswered_customer_is_put_into_the_queue(support, kind, outcome) -> None:
    chat = turn(outcome, replied=kind is Kind.UNCONFIRMED).conversation_id
    assert said(cure(support, kind, chat)) == ["1 fixed."]
    assert Escalation.objects.get().whatsapp_number == Conversation.objects.get(pk=chat).user_phone
    assert found(kind) == []
