"""Claims: exactly one person has an escalation, for as long as the lease lasts."""

import uuid
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from escalations.models import EscalationState, Event
from escalations.procedures import LEASE, Outcome, Result, claim, hand_over, release, renew, resolve, snooze
from tests import factories
from tests.escalations.procedures.conftest import at_once, details, history, let_lease_run_out


def test_it_claims_an_escalation_for_the_lease(escalation, salma) -> None:
    [result] = claim([escalation.pk], salma)
    state = EscalationState.objects.get(pk=escalation.pk)
    assert result == Result(
        escalation_id=escalation.pk,
        whatsapp_number=escalation.whatsapp_number,
        outcome=Outcome.CLAIMED,
        kind="claimed",
        at=state.claimed_at,
        actor_id=salma.pk,
        actor_name="Salma Hassan",
        until=state.lease_until,
        version=1,
    )
    assert state.claimed_by == salma
    assert state.lease_until - state.claimed_at == LEASE
    assert history(escalation) == [("claimed", "Salma Hassan")]


def test_it_is_one_round_trip_for_any_number(salma, django_assert_num_queries) -> None:
    escalations = [factories.waiting(minutes=5).pk for _ in range(5)]
    salma.has_perm("escalations.claim_escalation")
    with django_assert_num_queries(1):
        results = claim(escalations, salma)
    assert [result.escalation_id for result in results] == escalations
    assert all(result.is_done for result in results)


def test_a_colleagues_claim_is_refused_and_told(escalation, salma, omar) -> None:
    [first] = claim([escalation.pk], salma)
    [second] = claim([escalation.pk], omar)
    assert second.outcome is Outcome.HELD
    assert not second.is_done
    assert (second.actor_id, second.actor_name, second.at, second.until) == (
        salma.pk,
        "Salma Hassan",
        first.at,
        first.until,
    )
    assert history(escalation) == [("claimed", "Salma Hassan")]


def test_claiming_ones_own_renews(escalation, salma) -> None:
    [first] = claim([escalation.pk], salma, lease=timedelta(minutes=1))
    [second] = claim([escalation.pk], salma)
    assert (second.outcome, second.at, second.version) == (Outcome.RENEWED, first.at, first.version)
    assert second.until > first.until
    assert history(escalation) == [("claimed", "Salma Hassan")]


def test_a_claim_whose_lease_is_over_goes_to_the_next_and_the_history_says_so(escalation, salma, omar) -> None:
    claim([escalation.pk], salma)
    let_lease_run_out(escalation)
    [result] = claim([escalation.pk], omar)
    assert (result.outcome, result.actor_name) == (Outcome.CLAIMED, "Omar Ali")
    assert history(escalation) == [("lapsed", "Salma Hassan"), ("claimed", "Salma Hassan"), ("claimed", "Omar Ali")]
    assert "from" not in details(escalation, "claimed")


def test_an_override_takes_a_live_claim_over(escalation, salma, manager) -> None:
    claim([escalation.pk], salma)
    [result] = claim([escalation.pk], manager, override=True)
    assert (result.outcome, result.actor_name) == (Outcome.CLAIMED, "Mona Adel")
    assert details(escalation, "claimed")["from_name"] == "Salma Hassan"


def test_an_override_needs_its_permission(escalation, salma, omar) -> None:
    claim([escalation.pk], salma)
    for action in (claim, release):
        with pytest.raises(PermissionDenied):
            action([escalation.pk], omar, override=True)
    assert EscalationState.objects.get(pk=escalation.pk).claimed_by == salma


def test_a_resolved_escalation_and_an_unknown_one_are_refused(escalation, salma) -> None:
    [resolved] = resolve([escalation.pk], salma)
    unknown = uuid.uuid4()
    results = claim([unknown, escalation.pk, unknown], salma)
    assert [result.outcome for result in results] == [Outcome.NOT_FOUND, Outcome.ALREADY_RESOLVED]
    assert (results[1].actor_name, results[1].at) == ("Salma Hassan", resolved.at)
    assert not EscalationState.objects.filter(pk=unknown).exists()


def test_claiming_a_snoozed_escalation_wakes_it(escalation, salma, omar) -> None:
    snooze([escalation.pk], salma, timezone.now() + timedelta(hours=1))
    [result] = claim([escalation.pk], omar)
    assert result.outcome is Outcome.CLAIMED
    assert EscalationState.objects.get(pk=escalation.pk).snoozed_at is None


def test_activity_renews_ones_own_claim_only_and_silently(escalation, salma, omar) -> None:
    [claimed] = claim([escalation.pk], salma, lease=timedelta(minutes=1))
    [renewed] = renew([escalation.pk], salma)
    assert renewed.outcome is Outcome.RENEWED
    assert renewed.until > claimed.until
    assert renew([escalation.pk], omar)[0].outcome is Outcome.HELD
    let_lease_run_out(escalation)
    assert renew([escalation.pk], salma)[0].outcome is Outcome.NOT_HELD
    assert [kind for kind, _ in history(escalation)] == ["lapsed", "claimed"]


def test_release_gives_the_escalation_back(escalation, salma, omar) -> None:
    claim([escalation.pk], salma)
    assert release([escalation.pk], omar)[0].outcome is Outcome.HELD
    [released] = release([escalation.pk], salma)
    assert (released.outcome, released.until, released.version) == (Outcome.RELEASED, None, 2)
    assert release([escalation.pk], salma)[0].outcome is Outcome.NOT_HELD
    assert claim([escalation.pk], omar)[0].outcome is Outcome.CLAIMED
    assert [kind for kind, _ in history(escalation)] == ["claimed", "released", "claimed"]


def test_an_override_releases_a_colleagues_claim_and_says_whose(escalation, salma, manager) -> None:
    claim([escalation.pk], salma)
    assert release([escalation.pk], manager, override=True)[0].outcome is Outcome.RELEASED
    assert details(escalation, "released") == {"from": salma.pk, "from_name": "Salma Hassan"}


def test_handing_over_gives_a_colleague_the_escalation(escalation, salma, omar) -> None:
    claim([escalation.pk], salma)
    [result] = hand_over([escalation.pk], salma, omar)
    assert (result.outcome, result.actor_name) == (Outcome.HANDED_OVER, "Salma Hassan")
    assert details(escalation, "handed_over")["to_name"] == "Omar Ali"
    [refused] = claim([escalation.pk], salma)
    assert (refused.outcome, refused.actor_name, refused.at) == (Outcome.HELD, "Omar Ali", result.at)


def test_only_an_override_hands_over_what_a_third_person_has(escalation, salma, omar, manager) -> None:
    claim([escalation.pk], omar)
    assert hand_over([escalation.pk], salma, manager)[0].outcome is Outcome.HELD
    assert hand_over([escalation.pk], manager, salma, override=True)[0].outcome is Outcome.HANDED_OVER
    told = details(escalation, "handed_over")
    assert (told["from_name"], told["to_name"]) == ("Omar Ali", "Salma Hassan")


def test_handing_over_to_someone_who_may_not_claim_is_an_error(escalation, salma) -> None:
    for colleague in (factories.staff(), factories.staff("Support", is_active=False)):
        with pytest.raises(ValueError, match="may not claim"):
            hand_over([escalation.pk], salma, colleague)


def test_a_page_that_shows_an_old_state_is_refused_and_told_who_acted(escalation, salma, omar) -> None:
    claim([escalation.pk], omar)
    release([escalation.pk], omar)
    [result] = claim({escalation.pk: 0}, salma)
    assert (result.outcome, result.kind, result.actor_name, result.version) == (
        Outcome.STALE,
        "released",
        "Omar Ali",
        2,
    )
    assert claim({escalation.pk: result.version}, salma)[0].outcome is Outcome.CLAIMED


def test_versions_belong_to_their_ids(salma) -> None:
    fresh, changed = factories.waiting(minutes=5), factories.waiting(minutes=5)
    claim([changed.pk], salma)
    release([changed.pk], salma)
    results = claim({changed.pk: 0, fresh.pk: 0}, salma)
    assert [result.outcome for result in results] == [Outcome.STALE, Outcome.CLAIMED]


def test_without_the_permission_nothing_happens(escalation) -> None:
    for action in (claim, renew, release):
        with pytest.raises(PermissionDenied):
            action([escalation.pk], factories.staff("Operators"))
    assert not EscalationState.objects.exists()


def test_of_twenty_at_once_exactly_one_claims(committed_database) -> None:
    escalation = factories.waiting(minutes=5)
    people = [factories.staff("Support", first_name=f"Person {number}") for number in range(20)]
    results = at_once([lambda person=person: claim([escalation.pk], person)[0] for person in people])
    assert [result.outcome for result in results].count(Outcome.CLAIMED) == 1
    winner = people[[result.outcome for result in results].index(Outcome.CLAIMED)]
    assert {result.outcome for result in results} == {Outcome.CLAIMED, Outcome.HELD}
    assert {(result.actor_id, result.at) for result in results} == {(winner.pk, results[people.index(winner)].at)}
    assert Event.objects.count() == 1


def test_of_ten_who_take_a_lapsed_claim_over_exactly_one_does(committed_database) -> None:
    escalation = factories.waiting(minutes=5)
    claim([escalation.pk], factories.staff("Support"))
    let_lease_run_out(escalation)
    people = [factories.staff("Support") for _ in range(10)]
    results = at_once([lambda person=person: claim([escalation.pk], person)[0] for person in people])
    assert [result.outcome for result in results].count(Outcome.CLAIMED) == 1
    assert [kind for kind, _ in history(escalation)] == ["lapsed", "claimed", "claimed"]


def test_renewing_at_the_last_moment_and_claiming_agree_on_who_has_it(committed_database) -> None:
    holder, other = factories.staff("Support"), factories.staff("Support")
    for _ in range(10):
        pk = factories.waiting(minutes=5).pk
        claim([pk], holder, lease=timedelta(milliseconds=20))
        renewed, claimed = at_once([lambda pk=pk: renew([pk], holder)[0], lambda pk=pk: claim([pk], other)[0]])
        state = EscalationState.objects.get(pk=pk)
        assert (renewed.outcome is Outcome.RENEWED) == (state.claimed_by == holder)
        assert (claimed.outcome is Outcome.CLAIMED) == (state.claimed_by == other)


def test_bulk_claims_in_opposite_order_share_the_escalations_without_a_deadlock(committed_database) -> None:
    ids = [factories.waiting(minutes=5).pk for _ in range(20)]
    people = [factories.staff("Support") for _ in range(8)]
    calls = [
        lambda person=person, order=order: claim(ids[::order], person)
        for person, order in zip(people, [1, -1] * 4, strict=True)
    ]
    results = at_once(calls)
    won = [result.escalation_id for rows in results for result in rows if result.outcome is Outcome.CLAIMED]
    assert sorted(won) == sorted(ids)
