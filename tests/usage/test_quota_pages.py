"""The overview and the page of a business: what they show, and what they refuse."""

import csv
import io
import re
import uuid
import zipfile
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.formats import date_format

from tests import factories, wording
from tests.usage.shops import KEYS, OVERVIEW, log_in, page, shop
from usage import business, quota, rollup
from usage.models import Price, Profile
from usage.quota import View
from usage.wording import ORDER_NAMES


@pytest.fixture
def manager(db) -> Client:
    return log_in("Managers")


def test_each_view_counts_and_lists_its_own(manager) -> None:
    shop("Plenty", per_day=2, monthly_ai_response_limit=1_000)
    shop("Short", per_day=8, monthly_ai_response_limit=90)
    shop("Silent", per_day=3, monthly_ai_response_limit=30)
    shop("Closed", monthly_ai_response_limit=0)
    shop("Lapsed", monthly_ai_response_limit=50, is_active=False)
    late = shop("Late", used=40, per_day=4)
    Profile.objects.filter(pk=late.pk).update(last_responses_reset_date=factories.ago(days=60))
    expected = {
        View.OUT: ["Silent"],
        View.NEARLY: ["Short", "Silent"],
        View.DISABLED: ["Closed", "Lapsed"],
        View.OVERDUE: ["Late"],
        View.DISAGREES: [],
    }
    rollup.refresh()
    everybody = quota.load(timezone.now())
    for view, names in expected.items():
        assert sorted(one.name for one in everybody if one.is_in(view)) == names, view
        html = page(manager, OVERVIEW, view=view)
        for name in ("Plenty", "Short", "Silent", "Closed", "Lapsed", "Late"):
            assert (f">{name}<" in html) == (name in names), (view, name)
    assert everybody[0].name == "Silent"


def test_out_now_tells_how_many_customers_got_nothing(manager) -> None:
    silent = shop("Silent", per_day=3, monthly_ai_response_limit=30)
    number = factories.WhatsAppInstance.objects.get()
    for wrote, answered in ((2, False), (1, False), (1, True)):
        chat = factories.conversation(number)
        for _ in range(wrote):
            factories.message(chat, timestamp=timezone.now())
        if answered:
            factories.message(chat, role="assistant", timestamp=timezone.now() + timedelta(seconds=1))
    assert f"2 {wording.CUSTOMERS_WITHOUT_ANSWER_SINCE}" in page(manager, OVERVIEW, view="out")
    html = page(manager, f"{OVERVIEW}{silent.pk}/change/")
    assert wording.CUSTOMERS_WITHOUT_ANSWER in html
    one = business.load(silent.pk, business.Narrowed())
    assert (one.silence.customers, one.silence.messages) == (2, 3)


HEADED = {"name", "risk", "share", "rate", "reset", "cost"}


@pytest.mark.parametrize("column", KEYS)
def test_every_column_sorts_both_ways_with_the_unknown_last(manager, column) -> None:
    Price.objects.create(model="m", valid_from="2020-01-01", input_per_million="3", output_per_million="9")
    shop("A", per_day=1, plan_type="Launch", monthly_ai_response_limit=50)
    shop("B", per_day=2, plan_type="Scale", monthly_ai_response_limit=90)
    shop("C", per_day=3, plan_type="Growth", monthly_ai_response_limit=31)
    shop("D", monthly_ai_response_limit=0)
    Profile.objects.filter(business_name="D").update(plan_type=None, subscription_end_date=None)
    for order, largest_first in ((column, False), (f"-{column}", True)):
        response = manager.get(OVERVIEW, {"o": order})
        shown = [row["business"] for row in response.context["rows"]]
        keys = [KEYS[column](one) for one in shown]
        known = [key for key in keys if key is not None]
        assert keys == known + [None] * (4 - len(known))
        assert known == sorted(known, reverse=largest_first)
        html, direction = response.content.decode(), "descending" if largest_first else "ascending"
        assert f"selected>{ORDER_NAMES[column]} {'↓' if largest_first else '↑'}</option>" in html
        assert html.count(f'aria-sort="{direction}"') == (column in HEADED)


def test_search_and_plan(manager) -> None:
    shop("Blue Nile", plan_type="Scale")
    shop("نور للعطور")
    assert "Blue Nile" in page(manager, OVERVIEW, q="nile blue")
    assert "Blue Nile" not in page(manager, OVERVIEW, q="نور")
    assert "نور" not in page(manager, OVERVIEW, plan="Scale")
    assert wording.NO_BUSINESS_MATCHES in page(manager, OVERVIEW, q="nobody")


@pytest.mark.parametrize("query", ["view=x", "o=password", "p=0", "p=x", "plan=Gold", "what=1", "format=pdf"])
def test_a_malformed_address_is_refused_with_a_reason(manager, query) -> None:
    shop("A")
    response = manager.get(f"{OVERVIEW}?{query}")
    assert response.status_code in (400, 404)
    assert wording.SHOW_THE_WHOLE_LIST in response.content.decode()


@pytest.mark.parametrize("query", ["day=x", "number=1", "else=1"])
def test_a_malformed_address_of_a_business_is_refused(manager, query) -> None:
    assert manager.get(f"{OVERVIEW}{shop('A').pk}/change/?{query}").status_code == 400


def test_pages_take_few_queries_however_much_there_is(manager, django_assert_max_num_queries) -> None:
    one = shop("One", per_day=3, monthly_ai_response_limit=30)
    rollup.refresh()
    addresses = (OVERVIEW, f"{OVERVIEW}{one.pk}/change/")
    for address in addresses:
        page(manager, address)
        with django_assert_max_num_queries(10):
            assert "One" in page(manager, address)
    for number in range(60):
        shop(f"Shop {number}", per_day=1, days=3)
    page(manager, OVERVIEW)  # the first one keeps what the next ones read
    for address in addresses:
        with django_assert_max_num_queries(10):
            assert "One" in page(manager, address)


def test_totals_by_every_dimension_are_the_whole(manager) -> None:
    Price.objects.create(
        model="m", valid_from=factories.day_before(5), input_per_million="0.4", output_per_million="1.6"
    )
    one = shop("One", per_day=4)
    number = factories.instance(Profile.objects.get(pk=one.pk))
    factories.interaction(factories.conversation(number), total_tokens=7, metadata={"personality_id": "x"})
    rollup.refresh()
    loaded = business.load(one.pk, business.Narrowed())
    usage = loaded.usage
    assert usage.whole.replies == loaded.business.replies == 41
    assert usage.whole.costs == loaded.business.costs
    assert usage.whole.costs["USD"] > 0
    assert sum(replies for replies, _tokens in loaded.hours) == 41
    assert sum(tokens for _replies, tokens in loaded.hours) == usage.whole.tokens
    for parts in (usage.days, usage.models, usage.personalities, usage.numbers, usage.intents):
        assert sum(part.replies for part in parts) == usage.whole.replies
        assert sum(part.tokens for part in parts) == usage.whole.tokens
        assert sum(part.unpriced for part in parts) == usage.whole.unpriced
        assert quota.add_costs(part.costs for part in parts) == usage.whole.costs


def test_an_unknown_model_has_no_price_and_never_costs_nothing(manager) -> None:
    Price.objects.create(model="m", valid_from="2020-01-01", input_per_million="1000", output_per_million="0")
    one = shop("One", per_day=2)
    html = page(manager, f"{OVERVIEW}{one.pk}/change/")
    assert "no price" in html
    assert f"10 {wording.REPLIES_WITHOUT_A_PRICE}" in html
    [row] = quota.load()
    assert (row.costs, row.unpriced) == ({"USD": Decimal("1.0")}, 10)


def test_the_prices_page_names_models_without_one(manager) -> None:
    shop("One", per_day=2)
    rollup.refresh()
    html = page(manager, "/usage/price/")
    assert 'href="/usage/price/add/?model=n"' in html
    assert 'name="model" value="n"' in page(manager, "/usage/price/add/", model="n")
    for model in "mn":
        Price.objects.create(model=model, valid_from="2020-01-01", input_per_million="3", output_per_million="9")
    assert wording.MODELS_WITHOUT_A_PRICE not in page(manager, "/usage/price/")


def test_drilling_down_to_the_answers_of_a_day(manager) -> None:
    one = shop("One", per_day=2)
    number = factories.WhatsAppInstance.objects.get()
    day = timezone.localdate(factories.ago(days=3))
    address = f"{OVERVIEW}{one.pk}/change/?number={number.pk}&personality=&day={day}"
    html = page(manager, address)
    assert html.count('<div class="outside-block" dir="auto">answer</div>') == 2
    loaded = business.load(one.pk, business.Narrowed(number.pk, "", day))
    assert (loaded.usage.whole.replies, len(loaded.replies)) == (2, 2)


def test_a_day_of_many_answers_is_read_page_by_page(manager, monkeypatch) -> None:
    monkeypatch.setattr(business, "REPLIES_PER_PAGE", 2)
    one = shop("One", per_day=5, days=1)
    day = timezone.localdate(factories.ago(minutes=30))
    times = []
    for number, (newer, older) in enumerate([(False, True), (True, True), (True, False)], start=1):
        html = page(manager, f"{OVERVIEW}{one.pk}/change/", day=day, p=number)
        assert ("Newer replies" in html, "Older replies" in html) == (newer, older)
        loaded = business.load(one.pk, business.Narrowed(day=day, page=number))
        times += [answer["created_at"] for answer in loaded.replies]
    assert len(set(times)) == 5
    assert times == sorted(times, reverse=True)


def test_what_each_hour_cost(manager) -> None:
    Price.objects.create(model="m", valid_from="2020-01-01", input_per_million="1000", output_per_million="0")
    one = shop("One", per_day=2)
    address = f"{OVERVIEW}{one.pk}/change/"
    assert wording.COST_BY_HOUR in page(manager, address)
    html = page(manager, address, hours="1")
    assert wording.COST_BY_HOUR not in html
    assert html.count('class="number"><bdi dir="ltr" class="money">') >= 1
    assert sum(hour.replies for hour in business.load(one.pk, business.Narrowed(with_hours=True)).costly_hours) == 20


def test_a_number_of_another_business_is_not_found(manager) -> None:
    one, other = shop("One", per_day=1), shop("Other", per_day=1)
    number = factories.WhatsAppInstance.objects.get(business=other.pk)
    assert manager.get(f"{OVERVIEW}{one.pk}/change/", {"number": number.pk}).status_code == 404


def test_an_overdue_reset_says_since_when(manager) -> None:
    late = shop("Late", used=40)
    Profile.objects.filter(pk=late.pk).update(last_responses_reset_date=factories.ago(days=60))
    html = page(manager, f"{OVERVIEW}{late.pk}/change/")
    due = date_format(timezone.localtime(factories.ago(days=30)), "j F Y")
    assert f"overdue since {due}" in html


@pytest.mark.parametrize("days", [60, None])
def test_a_chart_without_a_known_reset_looks_two_weeks_ahead(manager, days) -> None:
    one = shop("One", per_day=3, days=14)
    rollup.refresh()
    Profile.objects.filter(pk=one.pk).update(last_responses_reset_date=days and factories.ago(days=days))
    html = page(manager, f"{OVERVIEW}{one.pk}/change/")
    assert (wording.RESET_WAS_DUE if days else wording.NO_RESET) in html
    assert ('class="reset"' in html) == bool(days)
    assert 'class="expected"' in html


def test_a_disabled_business_shows_who_still_writes(manager) -> None:
    closed = shop("Closed", per_day=1, monthly_ai_response_limit=0)
    factories.message(factories.conversation(factories.WhatsAppInstance.objects.get()), timestamp=timezone.now())
    assert f"1 {wording.CUSTOMER_WITHOUT_ANSWER_SINCE}" in page(manager, f"{OVERVIEW}{closed.pk}/change/")


@pytest.mark.parametrize("language", ["en", "ar"])
def test_exports_equal_the_screen(manager, language) -> None:
    Price.objects.create(model="m", valid_from="2020-01-01", input_per_million="3", output_per_million="9")
    for number in range(3):
        shop(f"=Shop{number}", per_day=number + 1)
    manager.cookies["django_language"] = language
    rollup.refresh()
    everything = quota.choose(view=View.ALL)
    rows, totals = everything.rows, everything.totals

    response = manager.get(f"{OVERVIEW}export/", {"format": "csv"})
    text = b"".join(response.streaming_content).decode()
    lines = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [line[0] for line in lines[1:-1]] == [f"'{one.name}" for one in rows]
    assert [int(line[10]) for line in lines[1:]] == [*(one.replies for one in rows), totals.replies]
    assert Decimal(lines[-1][-1]) == totals.costs["USD"] == sum(Decimal(line[-1] or 0) for line in lines[1:-1])
    assert int(lines[-1][4]) == totals.used

    response = manager.get(f"{OVERVIEW}export/", {"format": "xlsx"})
    book = zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content)))
    sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert f"<v>{totals.replies}</v>" in sheet
    assert "<f>" not in sheet

    one = rows[0]
    response = manager.get(f"{OVERVIEW}{one.id}/export/")
    lines = list(csv.reader(io.StringIO(b"".join(response.streaming_content).decode().removeprefix("\ufeff"))))
    assert int(lines[-1][2]) == one.replies


def test_strangers_are_asked_to_log_in(db) -> None:
    assert Client().get(OVERVIEW).status_code == 302


def test_an_unknown_business_is_not_found(manager) -> None:
    assert manager.get(f"{OVERVIEW}{uuid.uuid4()}/change/").status_code == 404
    assert manager.get(f"{OVERVIEW}{uuid.uuid4()}/export/").status_code == 404


def test_home_tells_managers_who_runs_out(manager) -> None:
    shop("Silent", per_day=3, monthly_ai_response_limit=30)
    html = page(manager, "/")
    assert "Silent now" in html
    assert wording.NONE_IS_OUT not in html


def test_custom_alerts_begin_with_the_business_in_the_link(manager) -> None:
    one, other = shop("Nour Perfumes"), shop("Tech Zone")
    address = "/usage/alertrule/add/"
    html = page(manager, address, business=str(one.pk))
    assert re.search(rf'<option value="{one.pk}" selected[^>]*>\s*Nour Perfumes', html)
    assert str(other.pk) not in html  # the others are found as one types
    assert (
        "selected"
        not in page(manager, address, business="nonsense").partition('name="business"')[2].split("</select>")[0]
    )
