"""What the pages read of a case's state; previews."""

from datetime import timedelta

import pytest
from django.utils import timezone

from escalations.annotations import awake, claimed, claimed_by, snoozed, unclaimed, with_note_required, with_state
from escalations.desk.bulk import preview
from escalations.models import CaseState, ClosingOutcome, ClosingRule, Escalation, Event
from escalations.procedures import Outcome, claim, hand_over, resolve, snooze
from tests import factories
from tests.escalations.procedures.conftest import let_lease_run_out


def state_of(case: Escalation) -> Escalation:
    return with_state(Escalation.objects.filter(pk=case.pk)).get()


def test_an_untouched_escalation_has_a_state(case) -> None:
    read = state_of(case)
    assert (read.version, read.claimant_id, read.claimant, read.lease_until) == (0, None, None, None)
    assert (read.is_snoozed, read.snoozer, read.outcome_code, read.closing_note) == (False, None, None, "")


def test_a_live_claim_is_read_and_one_that_ran_out_is_not(case, salma) -> None:
    [result] = claim([case.pk], salma)
    read = state_of(case)
    assert (read.version, read.claimant_id, read.claimant) == (1, salma.pk, "Salma Hassan")
    assert read.lease_until == result.until
    let_lease_run_out(case)
    assert (state_of(case).claimant_id, state_of(case).claimant) == (None, None)


def test_a_snooze_and_a_closing_are_read(case, salma) -> None:
    until = timezone.now() + timedelta(hours=1)
    snooze([case.pk], salma, until)
    read = state_of(case)
    assert (read.is_snoozed, read.snoozer, read.snoozed_until) == (True, "Salma Hassan", until)
    resolve([case.pk], salma, ClosingOutcome.objects.get(code="sold"), "two boxes")
    read = state_of(case)
    assert (read.is_snoozed, read.snoozer, read.outcome_code, read.outcome_en) == (False, None, "sold", "Sold")
    assert read.closing_note == "two boxes"


def test_views_part_the_open_cases(salma, omar) -> None:
    free, mine, his, lapsed, asleep, done = (factories.waiting(minutes=5) for _ in range(6))
    claim([mine.pk, lapsed.pk, done.pk], salma)
    let_lease_run_out(lapsed)
    hand_over([his.pk], salma, omar)
    snooze([asleep.pk], salma, None)
    resolve([done.pk], salma)
    cases = with_state(Escalation.objects.filter(resolved_at=None))
    assert set(unclaimed(cases)) == {free, lapsed}
    assert set(claimed(cases)) == {mine, his}
    assert set(claimed_by(cases, salma.pk)) == {mine}
    assert set(snoozed(cases)) == {asleep}
    assert set(awake(cases)) == {free, lapsed, mine, his}


def test_it_is_one_query_for_any_number(salma, django_assert_num_queries) -> None:
    cases = [factories.waiting(minutes=5) for _ in range(5)]
    snooze([case.pk for case in cases], salma, None)
    with django_assert_num_queries(1):
        read = list(with_note_required(with_state(Escalation.objects.all())))
    assert all(case.is_snoozed and not case.note_required for case in read)


@pytest.mark.parametrize(
    ("general", "own", "required"), [(True, None, True), (True, False, False), (False, True, True)]
)
def test_whether_a_note_is_required_is_read(case, general, own, required) -> None:
    ClosingRule.objects.create(business=None, note_required=general)
    if own is not None:
        ClosingRule.objects.create(business=case.instance.business, note_required=own)
    assert with_note_required(Escalation.objects.all()).get().note_required is required


def test_a_preview_tells_what_would_happen_and_does_nothing(case, salma, omar) -> None:
    other = factories.waiting(minutes=5)
    claim([other.pk], omar)
    results = preview(lambda: resolve([case.pk, other.pk], salma))
    assert [result.outcome for result in results] == [Outcome.RESOLVED, Outcome.HELD]
    assert Escalation.objects.filter(resolved_at=None).count() == 2
    assert Event.objects.count() == CaseState.objects.count() == 1
