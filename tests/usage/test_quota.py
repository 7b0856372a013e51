"""Verdicts, views, order and sums of all businesses agree with each other; what is kept for them is never stale."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import factories, quick, wording
from tests.usage.shops import FAR, KEYS, OVERVIEW, log_in, page, shop
from usage import outlook, quota, rollup
from usage.forecast import Forecast, Verdict
from usage.models import AccessLimit, Outlook, Price, Profile
from usage.quota import ORDERS, Business, Planned, Totals, View
from usage.requests import BadAddressError
from waops.access.readers import Reader, reading_as
from waops.dev import demo

SUMS = ("limit", "used", "replies", "tokens", "untracked", "unpriced")


def in_order(rows: Iterable[Business], order: str) -> list[Business]:
    """Ties by name; what has no value comes last either way."""
    key = KEYS[order.removeprefix("-")]
    ordered = sorted(rows, key=lambda one: (one.name.lower(), one.id))
    known = [one for one in ordered if key(one) is not None]
    known.sort(key=key, reverse=order.startswith("-"))
    return known + [one for one in ordered if key(one) is None]


def consistent(now, number=None, *, view=View.ALL, plan="", search="", order="risk") -> None:
    """A page is a part of the whole, the whole is what the rows say, and all figures are sums of them."""
    filters = {"view": view, "plan": plan, "search": search, "order": order}
    everybody = quota.load(now)
    words = search.lower().split()
    chosen = in_order(
        (
            one
            for one in everybody
            if one.is_in(view) and plan in ("", one.plan) and all(word in one.name.lower() for word in words)
        ),
        order,
    )
    assert quota.choose(now, **filters).rows == chosen, filters
    page, found = quota.page(now, number, **filters)
    begin = quota.PER_PAGE * ((number or 1) - 1)
    assert list(page.object_list) == chosen[begin : begin + quota.PER_PAGE], filters
    assert page.paginator.count == len(chosen)
    assert found.counts == {view: sum(one.is_in(view) for one in everybody) for view in View}
    assert found.plans == sorted({one.plan for one in everybody if one.plan})
    sums = {name: sum(getattr(one, name) for one in chosen) for name in SUMS}
    assert found.totals == Totals(len(chosen), costs=quota.add_costs(one.costs for one in chosen), **sums)


def odd_shops() -> None:
    """Whatever may stand differently in a database than in Python."""
    Price.objects.create(
        model="m", valid_from="2020-01-01", input_per_million=1, output_per_million="2.5", currency="USD"
    )
    Price.objects.create(model="n", valid_from="2020-01-01", input_per_million=3, output_per_million=4, currency="EGP")
    shop("Plenty", per_day=2, monthly_ai_response_limit=1_000, plan_type="Launch")
    shop("Short", per_day=8, monthly_ai_response_limit=90, plan_type="Scale")
    shop("silent", per_day=3, monthly_ai_response_limit=30, plan_type=None)
    shop("Silent", per_day=3, monthly_ai_response_limit=30)
    shop("مخبز", per_day=3, monthly_ai_response_limit=1, plan_type=None)
    shop("Counts more", per_day=4, used=200, monthly_ai_response_limit=250)
    shop("Closed", per_day=1, monthly_ai_response_limit=0)
    shop("Below nothing", monthly_ai_response_limit=-5)
    shop("Switched off", per_day=2, monthly_ai_response_limit=50, is_active=False)
    ended = shop("Ended", per_day=2, monthly_ai_response_limit=50)
    never = shop("Never reset", per_day=2, monthly_ai_response_limit=5_000)
    late = shop("Late", per_day=4, used=40, monthly_ai_response_limit=5_000)
    shop("Twin", monthly_ai_response_limit=100)
    shop("Twin", monthly_ai_response_limit=100)
    nameless = shop("x", per_day=1, days=2, monthly_ai_response_limit=100)
    Profile.objects.filter(pk=ended.pk).update(subscription_end_date=factories.ago(days=1))
    Profile.objects.filter(pk=never.pk).update(last_responses_reset_date=None)
    Profile.objects.filter(pk=late.pk).update(last_responses_reset_date=factories.ago(days=60))
    Profile.objects.filter(pk=nameless.pk).update(business_name="", full_name=None)


@pytest.mark.parametrize("data", ["odd", "demo"])
def test_pages_views_orders_and_sums_agree(committed_database, data) -> None:
    if data == "odd":
        odd_shops()
    else:
        with psycopg.connect(committed_database) as session:
            demo.load(session)
    rollup.refresh()
    now = timezone.now()
    for view in View:
        for order in ORDERS:
            consistent(now, view=view, order=order)
            consistent(now, view=view, order=f"-{order}")
    for plan in ("Launch", "Scale", "none such"):
        consistent(now, plan=plan)
    for search in ("silent", "SIL ent", "خبز", "no name", "%", "'", "x y z"):
        consistent(now, search=search, order="name")
    consistent(now, view=View.NEARLY, plan="Launch", search="s", order="-cost")


def test_pages_end_where_the_rows_do(db, monkeypatch) -> None:
    monkeypatch.setattr(quota, "PER_PAGE", 2)
    for number in range(5):
        shop(f"Shop {number}", monthly_ai_response_limit=100)
    now = timezone.now()
    for number in (1, 2, 3):
        consistent(now, number, order="name")
    for number in (0, 4, 10**30):
        with pytest.raises(BadAddressError, match=f"{wording.LAST_PAGE_IS} 3"):
            quota.page(now, number, order="name")


def test_in_arabic_who_has_no_name_is_named_in_arabic(db) -> None:
    nameless = shop("x", monthly_ai_response_limit=100)
    Profile.objects.filter(pk=nameless.pk).update(business_name=None, full_name=None)
    with translation.override("ar"):
        consistent(timezone.now(), search="بلا")
        assert [one.id for one in quota.page(timezone.now(), search="بلا")[0]] == [nameless.pk]


@contextmanager
def nothing_made_anew() -> Iterator[None]:
    with CaptureQueriesContext(connection) as queries:
        yield
    assert not [query for query in queries if "INSERT INTO waops.usage_outlook" in query["sql"]]


def test_what_is_kept_is_made_once(db) -> None:
    shop("Plenty", per_day=2, monthly_ai_response_limit=1_000)
    rollup.refresh()
    now = timezone.now()
    quota.page(now)
    with nothing_made_anew():
        consistent(now)
    assert Outlook.objects.count() == 1


def test_a_change_of_any_input_recomputes_it(db) -> None:
    profile = shop("Plenty", per_day=2, monthly_ai_response_limit=1_000)
    other = shop("Other", per_day=1, monthly_ai_response_limit=1_000)
    chat = factories.conversation(factories.instance(profile))
    now = timezone.now()

    def settled() -> None:
        rollup.refresh()
        consistent(now)
        with nothing_made_anew():
            consistent(now)

    settled()
    before = quota.load(now, [profile.pk])[0]
    answer = factories.interaction(chat, prompt_tokens=100, completion_tokens=10, response_model="m")
    rollup.refresh()
    assert set(Outlook.objects.values_list("pk", flat=True)) == {other.pk}
    settled()
    assert quota.load(now, [profile.pk])[0].replies == before.replies + 1
    answer.delete()
    settled()
    Profile.objects.filter(pk=profile.pk).update(last_responses_reset_date=factories.ago(days=3))
    settled()
    price = Price.objects.create(
        model="m", valid_from="2020-01-01", input_per_million=5, output_per_million=5, currency="USD"
    )
    rollup.reprice(price.model)
    settled()
    assert quota.choose(now).totals.costs
    chat.instance.delete()
    settled()
    now += timedelta(days=1)
    settled()
    rollup.rebuild()
    settled()


def test_a_business_that_is_gone_leaves_nothing(db) -> None:
    gone = factories.business("Gone")
    quota.page(timezone.now())
    Outlook.objects.filter(pk=gone.pk).update(business_id="00000000-0000-4000-8000-000000000001")
    consistent(timezone.now())
    assert list(Outlook.objects.values_list("pk", flat=True)) == [gone.pk]


def test_what_a_page_shows_is_not_what_others_may_not_see(db) -> None:
    """Access limits hold for the list, its counts and its sums."""
    seen, hidden = shop("Seen", monthly_ai_response_limit=10, used=10), shop("Hidden", monthly_ai_response_limit=10)
    limit = AccessLimit.objects.create(person=(person := factories.staff("Managers")))
    limit.businesses.add(seen)
    with reading_as(Reader(person)):
        consistent(timezone.now())
        assert [one.id for one in quota.page(timezone.now())[0]] == [seen.pk]
    assert not Outlook.objects.filter(pk=hidden.pk).exists()


def test_where_nothing_can_be_kept_it_is_worked_out(committed_database) -> None:
    odd_shops()
    rollup.refresh()
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
        consistent(now, order="-share")
        worked_out = quota.choose(now, order="trend")
        cursor.execute("SET default_transaction_read_only = off")
    assert not Outlook.objects.exists()
    assert quota.choose(now, order="trend") == worked_out
    assert Outlook.objects.count() == Profile.objects.count()


def planned(profile: Profile, limit: int, used: int) -> Business:
    return quota.load(timezone.now(), [profile.pk], {profile.pk: Planned(limit, used)})[0]


def test_answers_run_out_when_division_says(db) -> None:
    profile = shop("Steady", per_day=3, days=14)
    rollup.refresh()
    now = timezone.now()
    one = quota.load(now, [profile.pk], {profile.pk: Planned(100, 42)})[0]
    days = 58 / one.forecast.rate.mean
    assert abs(one.forecast.exhausted_at - now - timedelta(days=days)) < timedelta(milliseconds=1)
    assert one.forecast.margin == one.forecast.exhausted_at - one.resets_on
    assert one.forecast.earliest < one.forecast.exhausted_at < one.forecast.latest
    is_before = one.forecast.exhausted_at < one.resets_on
    assert one.forecast.verdict is (Verdict.BEFORE_RESET if is_before else Verdict.LASTS)


@pytest.mark.parametrize(
    ("limit", "used", "verdict"),
    [
        (100, 100, Verdict.OUT),
        (100, 101, Verdict.OUT),
        (10**9, 42, Verdict.LASTS),
        (0, 500, Verdict.DISABLED),
        (-1, 0, Verdict.DISABLED),
    ],
)
def test_a_verdict_follows_from_limit_and_counter(db, limit: int, used: int, verdict: Verdict) -> None:
    profile = shop("Steady", per_day=3, days=14)
    rollup.refresh()
    forecast = planned(profile, limit, used).forecast
    assert forecast.verdict is verdict
    assert (forecast.exhausted_at is None) == (verdict is not Verdict.OUT)


@pytest.mark.parametrize(
    ("days", "verdict", "is_measured"),
    [
        (14, Verdict.BEFORE_RESET, True),
        (27, Verdict.LASTS, True),
        (30.5, Verdict.LASTS, True),  # the job comes within the day
        (32, Verdict.BEFORE_RESET, False),  # overdue
        (None, Verdict.BEFORE_RESET, False),  # never
    ],
)
def test_a_forecast_relies_on_a_reset_only_if_it_is_known(db, days, verdict: Verdict, is_measured: bool) -> None:
    """With replies left for five days."""
    profile = shop("Steady", per_day=3, days=14)
    rollup.refresh()
    Profile.objects.filter(pk=profile.pk).update(last_responses_reset_date=days and factories.ago(days=days))
    one = planned(profile, 15, 0)
    assert one.forecast.exhausted_at is not None
    assert one.forecast.verdict is verdict
    assert (one.forecast.margin is not None) == is_measured


def test_without_replies_only_what_is_out_is_known(db) -> None:
    profile = shop("New")
    assert planned(profile, 100, 99).forecast == Forecast(Verdict.TOO_LITTLE_DATA)
    assert planned(profile, 100, 100).forecast.verdict is Verdict.OUT


def test_what_the_counter_counts_beyond_the_rows_hastens_the_end(db) -> None:
    profile = shop("Steady", per_day=3, days=10)
    rollup.refresh()
    calm, same, busy = (planned(profile, 10_000, used).forecast.rate.mean for used in (10, 30, 60))
    assert (calm, busy) == (same, pytest.approx(2 * same))


@given(limit=st.integers(-1, 60_000), used=st.integers(0, 60_000), more=st.integers(0, 1_000))
@settings(max_examples=quick.examples(30), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_more_use_or_a_lower_limit_is_never_out_later(db, limit: int, used: int, more: int) -> None:
    profile = Profile.objects.first() or shop("Steady", per_day=3, days=5)
    rollup.refresh()
    before, used_more, allowed_more = (
        planned(profile, *values).forecast.exhausted_at or FAR
        for values in ((limit, used), (limit, used + more), (limit + more, used))
    )
    assert used_more <= before + timedelta(minutes=1)
    if limit > 0:
        assert allowed_more >= before - timedelta(minutes=1)


def test_a_page_does_not_wait_long_for_a_count(committed_database, monkeypatch) -> None:
    odd_shops()
    rollup.refresh()
    monkeypatch.setattr(outlook, "PATIENCE", "100ms")
    with psycopg.connect(committed_database) as session:
        session.execute("SELECT pg_advisory_xact_lock(hashtextextended('waops.usage', 0))")
        consistent(timezone.now())
    assert not Outlook.objects.exists()
    consistent(timezone.now())
    assert Outlook.objects.count() == Profile.objects.count()


def test_the_page_costs_the_same_however_many_there_are(db) -> None:
    manager = log_in("Managers")

    def cost() -> int:
        page(manager, OVERVIEW)
        with CaptureQueriesContext(connection) as queries:
            page(manager, OVERVIEW)
        return len(queries)

    shop("One", per_day=2, monthly_ai_response_limit=10)
    one = cost()
    for number in range(60):
        shop(f"Shop {number}", monthly_ai_response_limit=10, used=10)
    assert cost() == one <= 8
