"""Snoozes: out of sight until a moment, or until the customer writes."""

from datetime import timedelta

import psycopg
import pytest
from django.utils import timezone

from conversations.models import Conversation
from escalations.annotations import awake, snoozed, unclaimed, with_state
from escalations.desk.board import Listener, fresh_board
from escalations.models import Escalation, EscalationState
from escalations.procedures import Outcome, claim, resolve, snooze, wake
from tests import factories
from tests.escalations.procedures.conftest import details, history

SOON = timedelta(hours=2)


def is_snoozed(escalation: Escalation) -> bool:
    return bool(with_state(Escalation.objects.filter(pk=escalation.pk)).get().is_snoozed)


def write(escalation: Escalation, role: str = "user", **values) -> None:
    chat = Conversation.objects.get(instance_id=escalation.instance_id, user_phone=escalation.whatsapp_number)
    factories.message(chat, role=role, **values)


def time_comes(escalation: Escalation) -> None:
    EscalationState.objects.filter(pk=escalation.pk).update(
        snoozed_at=factories.ago(minutes=5), snoozed_until=factories.ago(minutes=1)
    )


def test_a_snoozed_escalation_is_out_of_sight_until_its_time(escalation, salma) -> None:
    until = timezone.now() + SOON
    [result] = snooze([escalation.pk], salma, until)
    assert (result.outcome, result.until, result.version) == (Outcome.SNOOZED, until, 1)
    escalations = Escalation.objects.all()
    assert (list(snoozed(escalations)), list(awake(escalations)), list(unclaimed(escalations))) == (
        [escalation],
        [],
        [],
    )
    time_comes(escalation)
    assert (list(snoozed(escalations)), list(awake(escalations)), list(unclaimed(escalations))) == (
        [],
        [escalation],
        [escalation],
    )


def test_a_customers_message_wakes_it(escalation, salma) -> None:
    write(escalation, content="before")
    snooze([escalation.pk], salma, None)
    write(escalation, role="assistant")
    assert is_snoozed(escalation)
    write(escalation)
    assert not is_snoozed(escalation)


@pytest.mark.parametrize("earlier", [0, 3, 15])
def test_a_message_that_was_being_stored_when_the_snooze_began_wakes_it(committed_database, earlier) -> None:
    escalation, salma = factories.waiting(minutes=30), factories.staff("Support")
    chat = Conversation.objects.get(instance_id=escalation.instance_id, user_phone=escalation.whatsapp_number)
    for minutes in range(earlier):
        factories.message(chat, timestamp=factories.ago(hours=2, minutes=minutes))
    with psycopg.connect(committed_database) as session:
        session.execute(
            "INSERT INTO public.whatsapp_conversation_messages (conversation_id, role, content)"
            " VALUES (%s, 'user', 'Are you there?')",
            [chat.pk],
        )
        snooze([escalation.pk], salma, None)
        assert is_snoozed(escalation)
    assert not is_snoozed(escalation)
    assert fresh_board().counts(Listener(salma.pk, None))["snoozed"] == 0
    claim([escalation.pk], salma)
    assert details(escalation, "woken") == {"by": "customer"}
    assert [kind for kind, _name in history(escalation)] == ["snoozed", "woken", "claimed"]


def test_messages_seen_before_do_not_wake_it_whatever_their_time(escalation, salma) -> None:
    for _ in range(12):
        write(escalation, timestamp=timezone.now() + timedelta(days=1))
    snooze([escalation.pk], salma, None)
    assert is_snoozed(escalation)
    write(escalation, timestamp=timezone.now() + timedelta(seconds=1))
    assert not is_snoozed(escalation)


def test_a_customers_message_wakes_what_has_a_time_too(escalation, salma) -> None:
    snooze([escalation.pk], salma, timezone.now() + SOON)
    write(escalation)
    assert not is_snoozed(escalation)


def test_the_next_action_tells_in_the_history_how_it_woke(salma) -> None:
    written, timed = factories.waiting(minutes=9), factories.waiting(minutes=9)
    snooze([written.pk, timed.pk], salma, timezone.now() + SOON)
    write(written)
    time_comes(timed)
    claim([written.pk, timed.pk], salma)
    assert details(written, "woken") == {"by": "customer"}
    assert details(timed, "woken") == {"by": "time"}
    assert history(written) == [("snoozed", "Salma Hassan"), ("woken", ""), ("claimed", "Salma Hassan")]


def test_a_person_wakes_it(escalation, salma, omar) -> None:
    snooze([escalation.pk], salma, timezone.now() + SOON)
    [result] = wake([escalation.pk], omar)
    assert (result.outcome, result.until) == (Outcome.WOKEN, None)
    assert not is_snoozed(escalation)
    assert wake([escalation.pk], omar)[0].outcome is Outcome.NOT_SNOOZED
    assert history(escalation) == [("snoozed", "Salma Hassan"), ("woken", "Omar Ali")]


def test_snoozing_ends_ones_own_claim_but_not_a_colleagues(salma, omar) -> None:
    own, other = factories.waiting(minutes=5), factories.waiting(minutes=5)
    claim([own.pk], salma)
    claim([other.pk], omar)
    results = snooze([own.pk, other.pk], salma, None)
    assert [result.outcome for result in results] == [Outcome.SNOOZED, Outcome.HELD]
    assert EscalationState.objects.get(pk=own.pk).claimed_by is None


def test_snoozing_again_sets_another_time(escalation, salma, omar) -> None:
    snooze([escalation.pk], salma, timezone.now() + SOON)
    [result] = snooze([escalation.pk], omar, None)
    assert (result.outcome, result.until, result.version) == (Outcome.SNOOZED, None, 2)


def test_a_resolved_escalation_is_not_snoozed_and_resolving_ends_a_snooze(escalation, salma) -> None:
    snooze([escalation.pk], salma, None)
    resolve([escalation.pk], salma)
    assert EscalationState.objects.get(pk=escalation.pk).snoozed_at is None
    assert not is_snoozed(escalation)
    assert snooze([escalation.pk], salma, None)[0].outcome is Outcome.ALREADY_RESOLVED


def test_an_escalation_without_a_conversation_sleeps_too(salma) -> None:
    escalation = factories.escalation()
    snooze([escalation.pk], salma, None)
    assert is_snoozed(escalation)


def test_a_time_that_has_passed_is_an_error(escalation, salma) -> None:
    with pytest.raises(ValueError, match="future"):
        snooze([escalation.pk], salma, factories.ago(minutes=1))
