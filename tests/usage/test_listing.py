"""The overview as the database makes it is the overview as Python makes it; and what is kept for it is never stale."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from tests import factories
from tests.usage.shops import OVERVIEW, log_in, page, shop
from usage import listing, outlook, overview, rollup
from usage.models import AccessLimit, Outlook, Price, Profile
from usage.overview import ORDERS, View
from usage.requests import BadAddressError
from waops import demo
from waops.access import Reader, reading_as


def compared(now, number=None, **filters) -> None:
    """A page, and everything beside it, is what Python makes of all businesses."""
    everybody = overview.load(now)
    chosen = overview.choose(everybody, **filters)
    found = listing.listing(now, number, **filters)
    begin = listing.PER_PAGE * ((number or 1) - 1)
    assert list(found.page.object_list) == chosen[begin : begin + listing.PER_PAGE], filters
    assert found.page.paginator.count == len(chosen)
    assert found.counts == overview.count_views(everybody)
    assert found.plans == sorted({one.plan for one in everybody if one.plan})
    assert found.totals == overview.add_up(chosen)


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
def test_the_database_lists_as_python_does(committed_database, data) -> None:
    if data == "odd":
        odd_shops()
    else:
        with psycopg.connect(committed_database) as session:
            demo.load(session)
    rollup.refresh()
    now = timezone.now()
    for view in View:
        for order in ORDERS:
            compared(now, view=view, order=order)
            compared(now, view=view, order=f"-{order}")
    for plan in ("Launch", "Scale", "none such"):
        compared(now, plan=plan)
    for search in ("silent", "SIL ent", "خبز", "no name", "%", "'", "x y z"):
        compared(now, search=search, order="name")
    compared(now, view=View.NEARLY, plan="Launch", search="s", order="-cost")


def test_pages_end_where_the_rows_do(db, monkeypatch) -> None:
    monkeypatch.setattr(listing, "PER_PAGE", 2)
    for number in range(5):
        shop(f"Shop {number}", monthly_ai_response_limit=100)
    now = timezone.now()
    for number in (1, 2, 3):
        compared(now, number, order="name")
    for number in (0, 4, 10**30):
        with pytest.raises(BadAddressError, match="ends at page 3"):
            listing.listing(now, number, order="name")


def test_in_arabic_who_has_no_name_is_named_in_arabic(db) -> None:
    nameless = shop("x", monthly_ai_response_limit=100)
    Profile.objects.filter(pk=nameless.pk).update(business_name=None, full_name=None)
    with translation.override("ar"):
        compared(timezone.now(), search="بلا")
        assert [one.id for one in listing.listing(timezone.now(), search="بلا").page] == [nameless.pk]


@contextmanager
def nothing_made_anew() -> Iterator[None]:
    with CaptureQueriesContext(connection) as queries:
        yield
    assert not [query for query in queries if "INSERT INTO waops.usage_outlook" in query["sql"]]


def test_what_is_kept_is_made_once(db) -> None:
    shop("Plenty", per_day=2, monthly_ai_response_limit=1_000)
    rollup.refresh()
    now = timezone.now()
    listing.listing(now)
    with nothing_made_anew():
        compared(now)
    assert Outlook.objects.count() == 1


def test_whatever_it_follows_from_makes_it_anew(db) -> None:
    profile = shop("Plenty", per_day=2, monthly_ai_response_limit=1_000)
    other = shop("Other", per_day=1, monthly_ai_response_limit=1_000)
    chat = factories.conversation(factories.instance(profile))
    now = timezone.now()

    def settled() -> None:
        rollup.refresh()
        compared(now)
        with nothing_made_anew():
            compared(now)

    settled()
    before = listing.listing(now, search="plenty").page[0]
    answer = factories.interaction(chat, prompt_tokens=100, completion_tokens=10, response_model="m")
    rollup.refresh()
    assert set(Outlook.objects.values_list("pk", flat=True)) == {other.pk}
    settled()
    assert listing.listing(now, search="plenty").page[0].replies == before.replies + 1
    answer.delete()
    settled()
    Profile.objects.filter(pk=profile.pk).update(last_responses_reset_date=factories.ago(days=3))
    settled()
    price = Price.objects.create(
        model="m", valid_from="2020-01-01", input_per_million=5, output_per_million=5, currency="USD"
    )
    rollup.reprice(price.model)
    settled()
    assert listing.listing(now).totals.costs
    chat.instance.delete()
    settled()
    now += timedelta(days=1)
    settled()
    rollup.rebuild()
    settled()


def test_a_business_that_is_gone_leaves_nothing(db) -> None:
    gone = factories.business("Gone")
    listing.listing(timezone.now())
    Outlook.objects.filter(pk=gone.pk).update(business_id="00000000-0000-4000-8000-000000000001")
    compared(timezone.now())
    assert list(Outlook.objects.values_list("pk", flat=True)) == [gone.pk]


def test_what_a_page_shows_is_not_what_others_may_not_see(db) -> None:
    """Access limits hold for the list, its counts and its sums."""
    seen, hidden = shop("Seen", monthly_ai_response_limit=10, used=10), shop("Hidden", monthly_ai_response_limit=10)
    limit = AccessLimit.objects.create(person=(person := factories.staff("Managers")))
    limit.businesses.add(seen)
    with reading_as(Reader(person)):
        compared(timezone.now())
        assert [one.id for one in listing.listing(timezone.now()).page] == [seen.pk]
    assert not Outlook.objects.filter(pk=hidden.pk).exists()


def test_where_nothing_can_be_kept_it_is_worked_out(committed_database) -> None:
    odd_shops()
    rollup.refresh()
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
        compared(now, order="-share")
        cursor.execute("SET default_transaction_read_only = off")
    assert not Outlook.objects.exists()


def test_whoever_counts_is_not_waited_for_long(committed_database, monkeypatch) -> None:
    odd_shops()
    rollup.refresh()
    monkeypatch.setattr(outlook, "PATIENCE", "100ms")
    with psycopg.connect(committed_database) as session:
        session.execute("SELECT pg_advisory_xact_lock(hashtextextended('waops.usage', 0))")
        compared(timezone.now())
    assert not Outlook.objects.exists()
    compared(timezone.now())
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
