"""Changing limits: conditional, with a reason, and top-ups that end by themselves and never overwrite."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, connections, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import factories, quick
from usage import changes
from usage.batches import BATCH, Outcome, Result
from usage.doctor import missed_changes
from usage.models import Profile, QuotaChange, TopUp
from waops.models import User

SOON = timedelta(hours=1)


@pytest.fixture
def mona(db) -> User:
    return factories.staff("Managers", username="mona", first_name="Mona", last_name="Saad")


def limit_of(business: Profile) -> int:
    return Profile.objects.get(pk=business.pk).monthly_ai_response_limit


def kinds(business: Profile) -> list[str]:
    return list(QuotaChange.objects.filter(business=business).order_by("pk").values_list("kind", flat=True))


def later() -> list[Result]:
    return changes.end_top_ups(timezone.now() + 2 * SOON)


def test_it_changes_the_limit_and_keeps_who_when_what_and_why(mona) -> None:
    shop = factories.business(monthly_ai_responses_used=40)
    [result] = changes.set_limits({shop.pk: (100, 250)}, mona, "Upgraded by phone")
    assert (result.outcome, result.limit, limit_of(shop)) == (Outcome.CHANGED, 250, 250)
    change = QuotaChange.objects.get()
    assert (change.kind, change.business_id, change.actor, change.actor_name) == ("limit", shop.pk, mona, "Mona Saad")
    assert (change.old_limit, change.new_limit, change.old_used, change.new_used) == (100, 250, 40, 40)
    assert (change.reason, change.at <= timezone.now()) == ("Upgraded by phone", True)


def test_a_limit_that_moved_meanwhile_is_refused_and_shown(mona) -> None:
    shop = factories.business()
    Profile.objects.filter(pk=shop.pk).update(monthly_ai_response_limit=500)
    [result] = changes.set_limits({shop.pk: (100, 250)}, mona, "Upgrade")
    assert (result.outcome, result.limit, limit_of(shop)) == (Outcome.MOVED, 500, 500)
    assert kinds(shop) == ["outside"]


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_without_a_reason_nothing_happens(mona, reason) -> None:
    shop = factories.business()
    with pytest.raises(ValueError, match="reason"):
        changes.set_limits({shop.pk: (100, 250)}, mona, reason)
    assert limit_of(shop) == 100


@pytest.mark.parametrize("group", ["Support", "Operators"])
def test_others_than_managers_are_refused(db, group) -> None:
    shop, person = factories.business(), factories.staff(group)
    with pytest.raises(PermissionDenied):
        changes.set_limits({shop.pk: (100, 250)}, person, "Because")
    with pytest.raises(PermissionDenied):
        changes.top_up({shop.pk: 100}, 50, timezone.now() + SOON, person, "Because")
    assert (limit_of(shop), QuotaChange.objects.count()) == (100, 0)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE waops.usage_quotachange SET reason = 'another'",
        "DELETE FROM waops.usage_quotachange",
        "TRUNCATE waops.usage_quotachange CASCADE",
    ],
)
def test_history_is_append_only(mona, statement) -> None:
    shop = factories.business()
    changes.set_limits({shop.pk: (100, 250)}, mona, "Upgrade")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            cursor.execute(statement)
    assert QuotaChange.objects.get().reason == "Upgrade"


def test_what_others_change_is_in_the_history_too(db) -> None:
    shop = factories.business(
        monthly_ai_responses_used=90,
        last_responses_reset_date=factories.ago(days=40),
        subscription_end_date=factories.ago(days=-40),
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM public.manage_subscriptions_and_limits()")
    change = QuotaChange.objects.get()
    assert (change.kind, change.old_used, change.new_used, change.reason) == ("outside", 90, 0, "")
    assert (change.old_reset, change.actor) == (shop.last_responses_reset_date, None)


def test_counting_an_answer_is_no_change(db) -> None:
    shop = factories.business()
    with connection.cursor() as cursor:
        cursor.execute("SELECT public.check_and_update_ai_usage(%s, true)", [shop.pk])
    assert Profile.objects.get(pk=shop.pk).monthly_ai_responses_used == 1
    assert kinds(shop) == []


COUNTERS = {"monthly_ai_response_limit": "bigint", "monthly_ai_responses_used": "bigint"}
RESET = "UPDATE public.profiles SET monthly_ai_responses_used = 0, last_responses_reset_date = now()"


@pytest.mark.parametrize("column", COUNTERS)
def test_the_service_may_change_the_type_of_its_counters(db, column: str) -> None:
    """A trigger that names a column forbids it."""
    shop = factories.business(monthly_ai_responses_used=5)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE public.profiles SET monthly_ai_response_limit = 300")
        cursor.execute(f"ALTER TABLE public.profiles ALTER {column} TYPE {COUNTERS[column]}")
        cursor.execute("UPDATE public.profiles SET monthly_ai_response_limit = 400, monthly_ai_responses_used = 4")
    assert len(kinds(shop)) + missed_changes().count == 2


def test_the_service_may_drop_its_columns(db) -> None:
    factories.business(monthly_ai_responses_used=5)
    with connection.cursor() as cursor:
        cursor.execute(RESET)
        cursor.execute("ALTER TABLE public.profiles DROP last_responses_reset_date")
        cursor.execute("UPDATE public.profiles SET monthly_ai_responses_used = 1")
    assert missed_changes().count == 0


def test_a_top_up_ends_by_itself(mona) -> None:
    shop = factories.business()
    changes.top_up({shop.pk: 100}, 50, timezone.now() + SOON, mona, "Feast days")
    assert limit_of(shop) == 150
    assert changes.end_top_ups() == []
    assert [result.outcome for result in later()] == [Outcome.CHANGED]
    assert limit_of(shop) == 100
    assert later() == []
    assert kinds(shop) == ["top_up", "top_up_ended"]
    assert QuotaChange.objects.latest("pk").actor_name == "waops"


def test_two_top_ups_end_each_at_its_own_time(mona) -> None:
    shop = factories.business()
    changes.top_up({shop.pk: 100}, 50, timezone.now() + SOON, mona, "One")
    changes.top_up({shop.pk: 150}, 30, timezone.now() + 5 * SOON, mona, "Two")
    later()
    assert limit_of(shop) == 130
    changes.end_top_ups(timezone.now() + 6 * SOON)
    assert limit_of(shop) == 100


@pytest.mark.parametrize("wanted", [400, 150, 50])
def test_a_top_up_never_overwrites_a_later_change(mona, wanted) -> None:
    shop = factories.business()
    changes.top_up({shop.pk: 100}, 50, timezone.now() + SOON, mona, "Feast days")
    if wanted != 150:
        changes.set_limits({shop.pk: (150, wanted)}, mona, "Upgrade")
    else:
        Profile.objects.filter(pk=shop.pk).update(monthly_ai_response_limit=300)
        Profile.objects.filter(pk=shop.pk).update(monthly_ai_response_limit=150)
    later()
    assert limit_of(shop) == wanted
    assert TopUp.objects.get().outcome == TopUp.Outcome.SUPERSEDED


def test_a_top_up_after_a_change_from_outside_counts_from_there(mona) -> None:
    shop = factories.business()
    changes.top_up({shop.pk: 100}, 50, timezone.now() + SOON, mona, "One")
    Profile.objects.filter(pk=shop.pk).update(monthly_ai_response_limit=1_000)
    changes.top_up({shop.pk: 1_000}, 20, timezone.now() + SOON, mona, "Two")
    later()
    assert limit_of(shop) == 1_000


def test_a_disabled_business_is_not_topped_up(mona) -> None:
    shop = factories.business(monthly_ai_response_limit=0)
    [result] = changes.top_up({shop.pk: 0}, 50, timezone.now() + SOON, mona, "Please")
    assert (result.outcome, limit_of(shop)) == (Outcome.DISABLED, 0)


def test_the_number_of_queries_does_not_grow_with_the_businesses(mona, django_assert_max_num_queries) -> None:
    shops = [factories.business() for _ in range(BATCH)]
    mona.has_perm("usage.change_quota")
    with django_assert_max_num_queries(9):
        results = changes.set_limits({shop.pk: (100, 300) for shop in shops}, mona, "New plan")
    assert {result.outcome for result in results} == {Outcome.CHANGED}
    assert {limit_of(shop) for shop in shops} == {300}
    assert QuotaChange.objects.count() == BATCH


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("top_up"), st.integers(1, 50), st.integers(1, 9)),
        st.tuples(st.just("set"), st.integers(1, 500), st.none()),
        st.tuples(st.just("outside"), st.integers(0, 500), st.none()),
        st.tuples(st.just("wait"), st.integers(1, 9), st.none()),
    ),
    max_size=12,
)


@given(steps=STEPS)
@settings(max_examples=quick.examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_a_limit_is_what_was_last_set_plus_what_still_runs(mona, steps) -> None:
    """The model: a base that a person set, and top-ups granted since that still run."""
    shop = factories.business()
    base, running, clock = 100, [], 0
    start = timezone.now()
    for kind, number, hours in steps:
        current = limit_of(shop)
        if kind == "top_up" and current > 0:
            changes.top_up({shop.pk: current}, number, start + (clock + hours) * SOON, mona, "top-up")
            running.append((clock + hours, number))
        elif kind == "set" and number != current:
            changes.set_limits({shop.pk: (current, number)}, mona, "set")
            base, running = number, []
        elif kind == "outside" and number != current:
            Profile.objects.filter(pk=shop.pk).update(monthly_ai_response_limit=number)
            base, running = number, []
        elif kind == "wait":
            clock += number
            changes.end_top_ups(start + clock * SOON)
            running = [(end, amount) for end, amount in running if end > clock]
        assert limit_of(shop) == base + sum(amount for _, amount in running)


def test_of_many_changes_at_once_exactly_one_wins(committed_database) -> None:
    shop, people = factories.business(), [factories.staff("Managers") for _ in range(8)]
    outcomes = at_once(
        lambda number: changes.set_limits({shop.pk: (100, 200 + number)}, people[number], "Mine")[0].outcome, 8
    )
    assert sorted(outcomes) == [Outcome.CHANGED] + [Outcome.MOVED] * 7
    change = QuotaChange.objects.get()
    assert change.new_limit == limit_of(shop)


def test_a_top_up_that_ends_while_the_limit_changes(committed_database) -> None:
    """Either order is right; nothing is lost, and never is the later change overwritten."""
    mona = factories.staff("Managers")
    for _ in range(10):
        shop = factories.business()
        changes.top_up({shop.pk: 100}, 50, timezone.now() + SOON, mona, "Feast days")

        def race(number: int, shop: Profile = shop) -> Outcome | None:
            if number:
                return changes.set_limits({shop.pk: (150, 700)}, mona, "Upgrade")[0].outcome
            results = later()
            return results[0].outcome if results else None

        _, set_outcome = at_once(race, 2)
        if set_outcome is Outcome.CHANGED:
            assert limit_of(shop) == 700
        else:
            assert (set_outcome, limit_of(shop)) == (Outcome.MOVED, 100)


def test_top_ups_that_end_while_people_and_the_service_set_limits(committed_database) -> None:
    """Whichever comes last, a limit that a person set stays; otherwise exactly the top-up's replies are taken back."""
    mona = factories.staff("Managers")
    for _ in range(10):
        shop = factories.business()
        changes.top_up({shop.pk: 100}, 50, timezone.now() + SOON, mona, "Feast days")

        def race(number: int, shop: Profile = shop) -> Outcome | None:
            match number:
                case 0 | 1:
                    results = later()
                    return results[0].outcome if results else None
                case 2:
                    return changes.set_limits({shop.pk: (150, 700)}, mona, "Upgrade")[0].outcome
            Profile.objects.filter(pk=shop.pk, monthly_ai_response_limit=150).update(monthly_ai_response_limit=900)
            return None

        *ended, was_set, _ = at_once(race, 4)
        history = list(QuotaChange.objects.filter(business=shop).order_by("pk").values_list("kind", "new_limit"))
        last_set = [limit for kind, limit in history if kind in ("limit", "outside")]
        assert limit_of(shop) == (last_set[-1] if last_set else 100)
        assert ended.count(Outcome.CHANGED) + TopUp.objects.filter(business=shop, outcome="superseded").count() == 1
        assert (was_set is Outcome.CHANGED) == (("limit", 700) in history)


def at_once(call, number: int) -> list:
    barrier = Barrier(number)

    def run(index: int):
        try:
            barrier.wait(timeout=30)
            return call(index)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(run, range(number)))
