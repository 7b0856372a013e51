"""What the pages read of an escalation's state; previews."""

from datetime import timedelta

import pytest
from django.utils import timezone

from escalations.annotations import awake, claimed, claimed_by, snoozed, unclaimed, with_note_required, with_state
from escalations.desk.bulk import preview
from escalations.models import ClosingOutcome, ClosingRule, Escalation, EscalationState, Event
from escalations.procedures import Outcome, claim, hand_over, resolve, snooze
from tests import factories
from tests.escalations.procedures.conftest import let_lease_run_out


def state_of(escalation: Escalation) -> Escalation:
    return with_state(Escalation.objects.filter(pk=escalation.pk)).get()


def test_an_untouched_escalation_has_a_state(escalation) -> None:
    read = state_of(escalation)
    assert (read.version, read.claimant_id, read.claimant, read.lease_until) == (0, None, None, None)
    assert (read.is_snoozed, read.snoozer, read.outcome_code, read.closing_note) == (False, None, None, "")


def test_a_live_claim_is_read_and_one_that_ran_out_is_not(escalation, salma) -> None:
    [result] = claim([escalation.pk], salma)
    read = state_of(escalation)
    assert (read.version, read.claimant_id, read.claimant) == (1, salma.pk, "Salma Hassan")
    assert read.lease_until == result.until
    let_lease_run_out(escalation)
    assert (state_of(escalation).claimant_id, state_of(escalation).claimant) == (None, None)


def test_a_snooze_and_a_closing_are_read(escalation, salma) -> None:
    until = timezone.now() + timedelta(hours=1)
    snooze([escalation.pk], salma, until)
    read = state_of(escalation)
    assert (read.is_snoozed, read.snoozer, read.snoozed_until) == (True, "Salma Hassan", until)
    resolve([escalation.pk], salma, ClosingOutcome.objects.get(code="sold"), "two boxes")
    read = state_of(escalation)
    assert (read.is_snoozed, read.snoozer, read.outcome_code, read.outcome_en) == (False, None, "sold", "Sold")
    assert read.closing_note == "two boxes"


def test_views_part_the_open_escalations(salma, omar) -> None:
    free, mine, his, lapsed, asleep, done = (factories.waiting(minutes=5) for _ in range(6))
    claim([mine.pk, lapsed.pk, done.pk], salma)
    let_lease_run_out(lapsed)
    hand_over([his.pk], salma, omar)
    snooze([asleep.pk], salma, None)
    resolve([done.pk], salma)
    escalations = with_state(Escalation.objects.filter(resolved_at=None))
    assert set(unclaimed(escalations)) == {free, lapsed}
    assert set(claimed(escalations)) == {mine, his}
    assert set(claimed_by(escalations, salma.pk)) == {mine}
    assert set(snoozed(escalations)) == {asleep}
    assert set(awake(escalations)) == {free, lapsed, mine, his}


def test_it_is_one_query_for_any_number(salma, django_assert_num_queries) -> None:
    escalations = [factories.waiting(minutes=5) for _ in range(5)]
    snooze([escalation.pk for escalation in escalations], salma, None)
    with django_assert_num_queries(1):
        read = list(with_note_required(with_state(Escalation.objects.all())))
    assert all(escalation.is_snoozed and not escalation.note_required for escalation in read)


@pytest.mark.parametrize(
    ("general", "own", "required"), [(True, None, True), (True, False, False), (False, True, True)]
)
def test_whether_a_note_is_required_is_read(escalation, general, own, required) -> None:
    ClosingRule.objects.create(business=None, note_required=general)
    if own is not None:
        ClosingRule.objects.create(business=escalation.instance.business, note_required=own)
    assert with_note_required(Escalation.objects.all()).get().note_required is required


def test_a_preview_tells_what_would_happen_and_does_nothing(escalation, salma, omar) -> None:
    other = factories.waiting(minutes=5)
    claim([other.pk], omar)
    results = preview(lambda: resolve([escalation.pk, other.pk], salma))
    assert [result.outcome for result in results] == [Outcome.RESOLVED, Outcome.HELD]
    assert Escalation.objects.filter(resolved_at=None).count() == 2
    assert Event.objects.count() == EscalationState.objects.count() == 1
