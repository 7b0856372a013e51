"""Notes, and escalating a conversation by hand."""

import uuid

import psycopg
import pytest
from django.core.exceptions import PermissionDenied

from escalations.models import Escalation, EscalationState, Event
from escalations.procedures import Outcome, escalate, note, resolve
from tests import factories
from tests.escalations.procedures.conftest import at_once, details, history


def test_a_note_goes_into_the_history_of_open_and_resolved_escalations(escalation, salma, omar) -> None:
    resolve([escalation.pk], salma)
    [result] = note([escalation.pk], omar, " he wrote again ")
    assert (result.outcome, result.kind, result.actor_name) == (Outcome.NOTED, "noted", "Omar Ali")
    assert details(escalation, "noted") == {"note": "he wrote again"}
    assert note([uuid.uuid4()], omar, "x")[0].outcome is Outcome.NOT_FOUND
    with pytest.raises(ValueError, match="says something"):
        note([escalation.pk], omar, "  ")


def test_a_conversation_is_escalated_with_its_last_messages(salma) -> None:
    chat = factories.conversation()
    for number in range(12):
        factories.message(chat, f"message {number}", timestamp=factories.ago(minutes=60 - number))
    result = escalate(chat.pk, salma, "he asked on the phone")
    escalation = Escalation.objects.get()
    assert (result.outcome, result.escalation_id, result.version) == (Outcome.ESCALATED, escalation.pk, 1)
    assert (escalation.whatsapp_number, escalation.instance_id, escalation.resolved_at) == (
        chat.user_phone,
        chat.instance_id,
        None,
    )
    assert escalation.escalated_at is not None
    assert [item["content"] for item in escalation.conversation_context] == [f"message {n}" for n in range(2, 12)]
    assert set(escalation.conversation_context[0]) == {"role", "content", "timestamp"}
    assert history(escalation) == [("escalated", "Salma Hassan")]
    assert details(escalation, "escalated") == {"note": "he asked on the phone"}


def test_an_open_escalation_is_answered_instead_of_a_second(salma, omar) -> None:
    chat = factories.conversation()
    first = escalate(chat.pk, omar)
    second = escalate(chat.pk, salma)
    assert (second.outcome, second.other_id, second.actor_name) == (
        Outcome.ALREADY_OPEN,
        first.escalation_id,
        "Omar Ali",
    )
    assert Event.objects.count() == 1


def test_the_services_open_escalation_is_answered_without_a_name(salma) -> None:
    escalation = factories.waiting(minutes=5)
    chat = factories.conversation(escalation.instance)
    theirs = factories.escalation(chat)
    result = escalate(chat.pk, salma)
    assert (result.outcome, result.other_id, result.actor_name) == (Outcome.ALREADY_OPEN, theirs.pk, None)


def test_after_it_was_resolved_it_is_escalated_again(salma) -> None:
    chat = factories.conversation()
    first = escalate(chat.pk, salma)
    resolve([first.escalation_id], salma)
    second = escalate(chat.pk, salma)
    assert second.outcome is Outcome.ESCALATED
    assert second.escalation_id != first.escalation_id


def test_an_unknown_conversation_is_not_found(salma) -> None:
    result = escalate(uuid.uuid4(), salma)
    assert (result.outcome, result.escalation_id) == (Outcome.NOT_FOUND, None)


def test_escalating_needs_its_permission(db) -> None:
    with pytest.raises(PermissionDenied):
        escalate(factories.conversation().pk, factories.staff("Managers"))
    assert not Escalation.objects.exists()


def test_of_ten_people_and_the_service_at_once_one_opens_it(committed_database) -> None:
    people = [factories.staff("Support") for _ in range(10)]
    for _ in range(5):
        chat = factories.conversation()

        def by_the_service(chat=chat) -> None:
            with psycopg.connect(committed_database) as service:
                query = "SELECT public.escalate_conversation(%s, %s, NULL)"
                try:
                    service.execute(query, [chat.user_phone, chat.instance_id])
                except psycopg.errors.UniqueViolation:
                    return

        calls = [lambda person=person, chat=chat: escalate(chat.pk, person) for person in people]
        results = [result for result in at_once([*calls, by_the_service]) if result]
        opened = Escalation.objects.get(whatsapp_number=chat.user_phone)
        assert {result.other_id or result.escalation_id for result in results} == {opened.pk}
        by_hand = [result.outcome for result in results].count(Outcome.ESCALATED)
        assert by_hand == Event.objects.filter(escalation_id=opened.pk).count() <= 1
        assert EscalationState.objects.filter(pk=opened.pk).count() == by_hand
