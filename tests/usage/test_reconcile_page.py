"""Counters beside recorded answers, running periods and ended ones: the page, its file, its refusals."""

import csv
import io

import pytest
from django.test import Client

from tests import factories, wording
from tests.usage.shops import OVERVIEW, log_in, page, shop
from usage import reconcile, resets, rollup
from usage.models import Profile

ADDRESS = f"{OVERVIEW}reconcile/"


@pytest.fixture
def manager(db) -> Client:
    return log_in("Managers")


def rows(client: Client, **values) -> dict[str, tuple[int, int, int]]:
    response = client.get(ADDRESS, values)
    assert response.status_code == 200
    return {row.business.name: (row.counter, row.replies, row.difference) for row in response.context["page"]}


def test_differences_are_shown_and_explained(manager) -> None:
    shop("Agrees", per_day=2)
    shop("Failed sends", per_day=2, used=90)
    shop("Uncounted", per_day=3, used=2)
    shop("Nearly", per_day=2, used=22)
    shop("Closed", per_day=2, used=0, monthly_ai_response_limit=0)
    assert rows(manager) == {"Failed sends": (90, 20, 70), "Uncounted": (2, 30, -28), "Closed": (0, 20, -20)}
    assert rows(manager, all="1")["Nearly"] == (22, 20, 2)
    html = page(manager, ADDRESS)
    assert wording.COUNTER_WITHOUT_REPLY in html
    assert wording.RECORDED_NOT_COUNTED in html
    assert wording.COUNTER_DISABLED in html
    assert "−28" in html


def test_an_ended_period_is_compared_with_what_its_counter_held(manager) -> None:
    one = shop("Failed sends", per_day=2, used=90)
    rollup.refresh()
    resets.reset_counters({one.pk: one.last_responses_reset_date}, factories.staff("Managers"), "A new month")
    assert rows(manager) == {}
    assert rows(manager, period="ended") == {"Failed sends": (90, 20, 70)}
    [row] = reconcile.reconcile_ended()
    assert (row.start, row.end) == (
        one.last_responses_reset_date,
        Profile.objects.get(pk=one.pk).last_responses_reset_date,
    )


def test_the_deployed_jobs_resets_are_compared_too(manager) -> None:
    one = shop("Shop", per_day=2, used=50)
    rollup.refresh()
    Profile.objects.filter(pk=one.pk).update(monthly_ai_responses_used=0, last_responses_reset_date=factories.ago())
    assert rows(manager, period="ended") == {"Shop": (50, 20, 30)}


def test_the_file_holds_what_the_page_shows(manager) -> None:
    shop("Failed sends", per_day=2, used=90)
    shop("Uncounted", per_day=3, used=2)
    response = manager.get(ADDRESS, {"format": "csv"})
    lines = list(csv.reader(io.StringIO(b"".join(response.streaming_content).decode().removeprefix("\ufeff"))))
    assert [line[3:6] for line in lines[1:]] == [["90", "20", "70"], ["2", "30", "-28"], ["92", "50", "42"]]


def test_it_says_so_when_all_agree(manager) -> None:
    assert wording.EVERY_COUNTER_MATCHES in page(manager, ADDRESS)
    shop("Nearly", per_day=2, used=22)
    assert wording.ONLY_SMALL_DIFFERENCES in page(manager, ADDRESS)
    assert wording.NO_RECENT_DIFFERENCE in page(manager, ADDRESS, period="ended")


def test_who_may_and_what_is_asked_for(manager) -> None:
    assert log_in("Support").get(ADDRESS).status_code == 403
    operator = log_in("Operators")
    assert operator.get(ADDRESS).status_code == 200
    assert operator.get(ADDRESS, {"format": "csv"}).status_code == 403
    for query in ("period=x", "all=maybe&x=1", "p=y", "format=pdf"):
        assert manager.get(f"{ADDRESS}?{query}").status_code == 400
    assert manager.get(ADDRESS, {"p": 2}).status_code == 404


def test_it_takes_few_queries_however_much_there_is(manager, django_assert_max_num_queries) -> None:
    for number in range(30):
        shop(f"Shop {number}", per_day=1, days=3, used=40)
    rollup.refresh()
    page(manager, ADDRESS)
    with django_assert_max_num_queries(8):
        assert len(rows(manager)) == 30
