"""Resolving with outcome and note, and taking it back."""

import uuid
from time import monotonic

import psycopg
import pytest
from django.core.exceptions import PermissionDenied
from django.db import DataError, connection

from escalations.models import ClosingOutcome, ClosingRule, Escalation, EscalationState
from escalations.procedures import Outcome, claim, note, release, reopen, resolve, snooze
from tests import factories
from tests.escalations.procedures.conftest import at_once, details, history


@pytest.fixture
def answered(db) -> ClosingOutcome:
    return ClosingOutcome.objects.get(code="answered")


@pytest.fixture
def duplicates(db) -> list[Escalation]:
    """Two open escalations of one customer, as they were before the unique index."""
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX public.uniq_escalated_open")
    chat = factories.conversation()
    return [factories.escalation(chat) for _ in range(2)]


def test_outcome_and_note_are_kept_in_state_and_history(escalation, salma, answered) -> None:
    claim([escalation.pk], salma)
    [result] = resolve([escalation.pk], salma, answered, "  called him ")
    assert (result.outcome, result.until, result.version) == (Outcome.RESOLVED, None, 2)
    state = EscalationState.objects.get(pk=escalation.pk)
    assert (state.outcome, state.note, state.resolved_by) == (answered, "called him", salma)
    assert (state.claimed_by, state.lease_until) == (None, None)
    assert details(escalation, "resolved") == {"outcome": "answered", "note": "called him"}


def test_an_outcome_that_is_not_active_is_an_error_and_resolves_nothing(escalation, salma, answered) -> None:
    ClosingOutcome.objects.update(is_active=False)
    with pytest.raises(DataError, match="answered is not an active outcome"):
        resolve([escalation.pk], salma, answered)


def test_a_note_is_required_where_the_business_wants_one(salma) -> None:
    wanting, other = factories.business(), factories.business()
    escalations = [
        factories.escalation(factories.conversation(factories.instance(owner))) for owner in (wanting, other)
    ]
    ClosingRule.objects.create(business=wanting, note_required=True)
    results = resolve([escalation.pk for escalation in escalations], salma)
    assert [result.outcome for result in results] == [Outcome.NOTE_REQUIRED, Outcome.RESOLVED]
    assert resolve([escalations[0].pk], salma, note="done")[0].outcome is Outcome.RESOLVED


def test_a_business_rule_comes_before_the_general_rule(salma) -> None:
    exempt = factories.business()
    ClosingRule.objects.create(business=None, note_required=True)
    ClosingRule.objects.create(business=exempt, note_required=False)
    escalations = [
        factories.escalation(factories.conversation(factories.instance(exempt))),
        factories.waiting(minutes=5),
        factories.escalation(),
    ]
    outcomes = [result.outcome for result in resolve([escalation.pk for escalation in escalations], salma)]
    assert outcomes == [Outcome.RESOLVED, Outcome.NOTE_REQUIRED, Outcome.NOTE_REQUIRED]


def test_what_a_colleague_has_claimed_is_not_resolved(escalation, salma, omar, manager) -> None:
    [claimed] = claim([escalation.pk], omar)
    [result] = resolve([escalation.pk], salma)
    assert (result.outcome, result.actor_name, result.until) == (Outcome.HELD, "Omar Ali", claimed.until)
    escalation.refresh_from_db()
    assert escalation.resolved_at is None
    with pytest.raises(PermissionDenied):
        resolve([escalation.pk], salma, override=True)
    assert resolve([escalation.pk], manager, override=True)[0].outcome is Outcome.RESOLVED
    assert details(escalation, "resolved") == {"from": omar.pk, "from_name": "Omar Ali"}


def test_a_colleagues_claim_on_a_duplicate_refuses_both(duplicates, salma, omar) -> None:
    asked, claimed = duplicates
    claim([claimed.pk], omar)
    [result] = resolve([asked.pk], salma)
    assert (result.outcome, result.other_id, result.actor_name) == (Outcome.HELD, claimed.pk, "Omar Ali")
    assert Escalation.objects.filter(resolved_at=None).count() == 2


def test_a_duplicate_that_is_closed_too_ends_its_claim(duplicates, salma) -> None:
    asked, duplicate = duplicates
    claim([duplicate.pk], salma)
    [result] = resolve([asked.pk], salma)
    assert (result.outcome, result.merged) == (Outcome.RESOLVED, 1)
    assert EscalationState.objects.get(pk=duplicate.pk).claimed_by is None
    assert [kind for kind, _ in history(duplicate)] == ["claimed", "merged"]


def test_a_stale_page_resolves_nothing(escalation, salma, omar) -> None:
    claim([escalation.pk], omar)
    release([escalation.pk], omar)
    [result] = resolve({escalation.pk: 0}, salma)
    assert (result.outcome, result.kind, result.actor_name) == (Outcome.STALE, "released", "Omar Ali")


def test_a_note_makes_no_page_stale(escalation, salma, omar) -> None:
    [noted] = note([escalation.pk], omar, "look here")
    assert (noted.outcome, noted.actor_name) == (Outcome.NOTED, "Omar Ali")
    assert resolve({escalation.pk: 0}, salma)[0].outcome is Outcome.RESOLVED


def test_reopening_makes_it_open_and_unclaimed(escalation, salma, answered) -> None:
    claim([escalation.pk], salma)
    resolve([escalation.pk], salma, answered, "done")
    [result] = reopen([escalation.pk], salma)
    assert (result.outcome, result.actor_name, result.version) == (Outcome.REOPENED, "Salma Hassan", 3)
    escalation.refresh_from_db()
    assert escalation.resolved_at is None
    state = EscalationState.objects.get(pk=escalation.pk)
    assert (state.outcome, state.note, state.resolved_by, state.claimed_by) == (None, "", None, None)
    assert [kind for kind, _ in history(escalation)] == ["claimed", "resolved", "reopened"]
    assert reopen([escalation.pk], salma)[0].outcome is Outcome.NOT_RESOLVED


def test_what_was_resolved_elsewhere_can_be_reopened_and_resolved_again(escalation, salma) -> None:
    factories.resolve_elsewhere([escalation.pk])
    assert reopen([escalation.pk], salma)[0].outcome is Outcome.REOPENED
    assert resolve([escalation.pk], salma)[0].outcome is Outcome.RESOLVED


def test_reopened_elsewhere_is_simply_open(escalation, salma, omar) -> None:
    resolve([escalation.pk], omar)
    Escalation.objects.filter(pk=escalation.pk).update(resolved_at=None)
    assert resolve([escalation.pk], salma)[0].outcome is Outcome.RESOLVED


def test_a_claim_on_what_was_resolved_elsewhere_is_over(escalation, salma, omar) -> None:
    claim([escalation.pk], omar)
    factories.resolve_elsewhere([escalation.pk])
    [refused] = claim([escalation.pk], salma)
    assert (refused.outcome, refused.actor_name, refused.until) == (Outcome.ALREADY_RESOLVED, None, None)
    reopen([escalation.pk], salma)
    assert claim([escalation.pk], salma)[0].outcome is Outcome.CLAIMED


def test_a_customer_who_was_escalated_again_is_not_reopened(escalation, salma) -> None:
    resolve([escalation.pk], salma)
    later = factories.escalation(whatsapp_number=escalation.whatsapp_number, instance_id=escalation.instance_id)
    [result] = reopen([escalation.pk], salma)
    assert (result.outcome, result.other_id, result.kind) == (Outcome.ALREADY_OPEN, later.pk, None)
    resolve([later.pk], salma)
    [result] = reopen([escalation.pk], salma)
    assert (result.outcome, result.other_id, result.kind) == (Outcome.ESCALATED_SINCE, later.pk, "resolved")
    assert reopen([later.pk], salma)[0].outcome is Outcome.REOPENED


def test_earlier_escalations_of_the_customer_do_not_matter(escalation, salma) -> None:
    factories.escalation(
        whatsapp_number=escalation.whatsapp_number,
        instance_id=escalation.instance_id,
        escalated_at=factories.ago(days=3),
        created_at=factories.ago(days=3),
        resolved_at=factories.ago(days=2),
    )
    resolve([escalation.pk], salma)
    assert reopen([escalation.pk], salma)[0].outcome is Outcome.REOPENED


def test_of_two_closed_together_only_one_is_reopened(duplicates, salma) -> None:
    ids = [escalation.pk for escalation in duplicates]
    resolve(ids, salma)
    results = reopen(ids, salma)
    assert [(result.outcome, result.other_id) for result in results] == [
        (Outcome.REOPENED, None),
        (Outcome.ALREADY_OPEN, ids[0]),
    ]


def test_reopening_needs_its_permission(escalation, salma) -> None:
    resolve([escalation.pk], salma)
    with pytest.raises(PermissionDenied):
        reopen([escalation.pk], factories.staff("Managers"))
    assert reopen([uuid.uuid4()], salma)[0].outcome is Outcome.NOT_FOUND


def test_the_service_escalates_while_it_is_reopened(committed_database) -> None:
    salma = factories.staff("Support")
    chat = factories.conversation()
    escalation = factories.escalation(chat)
    resolve([escalation.pk], salma)
    with psycopg.connect(committed_database) as service:
        query = "SELECT public.escalate_conversation(%s, %s, NULL)"
        service.execute(query, [escalation.whatsapp_number, escalation.instance_id])
        [result, _] = at_once([lambda: reopen([escalation.pk], salma)[0], lambda: _commit_when_awaited(service)])
    assert result.outcome is Outcome.ALREADY_OPEN
    assert Escalation.objects.filter(resolved_at=None).count() == 1


def test_resolving_and_snoozing_at_once_leave_one_state(committed_database) -> None:
    people = [factories.staff("Support") for _ in range(3)]
    for _ in range(10):
        escalation = factories.waiting(minutes=5)
        calls = [
            lambda: resolve([escalation.pk], people[0])[0],  # noqa: B023
            lambda: snooze([escalation.pk], people[1], None)[0],  # noqa: B023
            lambda: claim([escalation.pk], people[2])[0],  # noqa: B023
        ]
        at_once(calls)
        escalation.refresh_from_db()
        state = EscalationState.objects.get(pk=escalation.pk)
        assert (
            sum([escalation.resolved_at is not None, state.claimed_by is not None, state.snoozed_by is not None]) <= 1
        )
        assert state.version == len(history(escalation))


def _commit_when_awaited(service: psycopg.Connection) -> None:
    deadline = monotonic() + 10
    with connection.cursor() as cursor:
        while True:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone() != (0,) or monotonic() > deadline:
                break
    service.commit()
