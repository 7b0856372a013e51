"""The overview and the page of a business: what they show, to whom, and what they refuse."""

import csv
import io
import uuid
import zipfile
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests import factories
from usage import business, overview, rollup
from usage.models import Price, Profile, QuotaChange, TopUp
from usage.overview import View

OVERVIEW = "/usage/profile/"


def log_in(*groups: str) -> Client:
    client = Client()
    client.force_login(factories.staff(*groups), "django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def manager(db) -> Client:
    return log_in("Managers")


def shop(name: str = "", *, per_day: int = 0, days: int = 10, used: int | None = None, **values) -> Profile:
    """A business that answered so much each day since its reset ten days ago."""
    total = per_day * days
    profile = factories.business(
        name,
        last_responses_reset_date=factories.ago(days=days, hours=1),
        subscription_end_date=factories.ago(days=-200),
        monthly_ai_responses_used=total if used is None else used,
        **values,
    )
    if per_day:
        chat = factories.conversation(factories.instance(profile))
        for age in range(days):
            for number in range(per_day):
                factories.interaction(
                    chat,
                    created_at=factories.ago(days=age, minutes=30 + number),
                    response_model="m" if number % 2 else "n",
                    prompt_tokens=100,
                    completion_tokens=10,
                    metadata={"detected_intent": "sales"} if number % 3 else {},
                )
    return profile


def page(client: Client, address: str, **values) -> str:
    response = client.get(address, values)
    assert response.status_code == 200, response.content.decode()[-2000:]
    return response.content.decode()


def post(client: Client, profile: Profile, action: str, **values):
    address = reverse(f"admin:usage_profile_{action}", args=[profile.pk])
    return client.post(address, {f"{action}-{name}": value for name, value in values.items()}, follow=True)


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
    everybody = overview.load(timezone.now())
    for view, names in expected.items():
        assert sorted(one.name for one in overview.choose(everybody, view=view)) == names, view
        html = page(manager, OVERVIEW, view=view)
        for name in ("Plenty", "Short", "Silent", "Closed", "Lapsed", "Late"):
            assert (f">{name}<" in html) == (name in names), (view, name)
    assert next(one.name for one in overview.choose(everybody)) == "Silent"


def test_out_now_tells_how_many_customers_got_nothing(manager) -> None:
    silent = shop("Silent", per_day=3, monthly_ai_response_limit=30)
    number = factories.WhatsAppInstance.objects.get()
    for wrote, answered in ((2, False), (1, False), (1, True)):
        chat = factories.conversation(number)
        for _ in range(wrote):
            factories.message(chat, timestamp=timezone.now())
        if answered:
            factories.message(chat, role="assistant", timestamp=timezone.now() + timedelta(seconds=1))
    assert "2 customers wrote since" in page(manager, OVERVIEW, view="out")
    html = page(manager, f"{OVERVIEW}{silent.pk}/change/")
    assert "customers wrote" in html
    one = business.load(silent.pk, business.Narrowed())
    assert (one.silence.customers, one.silence.messages) == (2, 3)


@pytest.mark.parametrize(
    "order", ["risk", "-name", "used", "-share", "-cost", "ends", "out", "-rate", "-trend", "plan"]
)
def test_every_column_sorts(manager, order) -> None:
    shop("A", per_day=1)
    shop("B", per_day=2)
    assert page(manager, OVERVIEW, o=order)


def test_search_and_plan(manager) -> None:
    shop("Blue Nile", plan_type="Scale")
    shop("نور للعطور")
    assert "Blue Nile" in page(manager, OVERVIEW, q="nile blue")
    assert "Blue Nile" not in page(manager, OVERVIEW, q="نور")
    assert "نور" not in page(manager, OVERVIEW, plan="Scale")
    assert "No business is on this list" in page(manager, OVERVIEW, q="nobody")


@pytest.mark.parametrize("query", ["view=x", "o=password", "p=0", "p=x", "plan=Gold", "what=1", "format=pdf"])
def test_a_malformed_address_is_refused_in_words(manager, query) -> None:
    shop("A")
    response = manager.get(f"{OVERVIEW}?{query}")
    assert response.status_code in (400, 404)
    assert "Show the whole list" in response.content.decode()


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
    for address in addresses:
        with django_assert_max_num_queries(10):
            assert "One" in page(manager, address)


def test_totals_by_every_dimension_are_the_whole(manager) -> None:
    Price.objects.create(
        model="m", valid_from=factories.ago(days=5).date(), input_per_million="0.4", output_per_million="1.6"
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
        assert overview.add_costs(part.costs for part in parts) == usage.whole.costs


def test_an_unknown_model_has_no_price_and_never_costs_nothing(manager) -> None:
    Price.objects.create(model="m", valid_from="2020-01-01", input_per_million="1000", output_per_million="0")
    one = shop("One", per_day=2)
    html = page(manager, f"{OVERVIEW}{one.pk}/change/")
    assert "no price" in html
    assert "10 without price" in html
    [row] = overview.load()
    assert (row.costs, row.unpriced) == ({"USD": Decimal("1.0")}, 10)


def test_drilling_down_to_the_answers_of_a_day(manager) -> None:
    one = shop("One", per_day=2)
    number = factories.WhatsAppInstance.objects.get()
    day = timezone.localdate(factories.ago(days=3))
    address = f"{OVERVIEW}{one.pk}/change/?number={number.pk}&personality=&day={day}"
    html = page(manager, address)
    assert html.count('<div class="outside-block" dir="auto">answer</div>') == 2
    loaded = business.load(one.pk, business.Narrowed(number.pk, "", day))
    assert (loaded.usage.whole.replies, len(loaded.interactions)) == (2, 2)


@pytest.mark.parametrize("language", ["en", "ar"])
def test_exports_equal_the_screen(manager, language) -> None:
    Price.objects.create(model="m", valid_from="2020-01-01", input_per_million="3", output_per_million="9")
    for number in range(3):
        shop(f"=Shop{number}", per_day=number + 1)
    manager.cookies["django_language"] = language
    rollup.refresh()
    rows = overview.choose(overview.load(), view=View.ALL)
    totals = overview.add_up(rows)

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


def test_a_manager_changes_a_quota_and_reads_what_came_of_it(manager) -> None:
    one = shop("Short", per_day=9, monthly_ai_response_limit=95)
    until = timezone.localdate() + timedelta(days=3)
    html = post(manager, one, "top_up", expected=95, amount=500, until=until, reason="Feast days").content.decode()
    assert "Changed: 90 of 595 used. Before: out on" in html
    assert TopUp.objects.get().reason == "Feast days"
    html = post(manager, one, "limit", expected=95, limit=700, reason="Upgrade").content.decode()
    assert "Not changed: somebody was faster. The limit is 595 now" in html
    html = post(manager, one, "limit", expected=595, limit=700, reason="").content.decode()
    assert "Why: This field is required." in html
    html = post(manager, one, "limit", expected=595, limit=700, reason="Upgrade").content.decode()
    assert "Upgrade" in html
    stored = Profile.objects.get(pk=one.pk)
    expected = stored.last_responses_reset_date.isoformat()
    html = post(manager, one, "reset", expected=expected, reason="Test messages").content.decode()
    assert "Changed: 0 of 700 used." in html
    assert QuotaChange.objects.filter(kind="reset").get().old_used == 90
    assert [change.kind for change in business.load(one.pk, business.Narrowed()).changes] == [
        "reset",
        "limit",
        "top_up_superseded",
        "top_up",
    ]


def bulk(client: Client, **values):
    values = {"scope": "selected", "kind": "limit", "number": 300, "reason": "New plans", "list": "", **values}
    return client.post(f"{OVERVIEW}bulk/", {name: value for name, value in values.items() if value is not None})


def test_many_are_changed_after_a_preview_and_who_moved_is_left_alone(manager) -> None:
    shops = [shop(f"Shop {number}") for number in range(5)]
    preview = bulk(manager, id=[str(one.pk) for one in shops[:3]])
    assert "Change 3 businesses" in preview.content.decode()
    assert QuotaChange.objects.count() == 0
    Profile.objects.filter(pk=shops[1].pk).update(monthly_ai_response_limit=150)
    plan = preview.context["plan"]
    result = manager.post(f"{OVERVIEW}bulk/", {"plan": plan, "list": ""}, follow=True).content.decode()
    assert "2 businesses were changed" in result
    assert "Shop 1" in result
    limits = Profile.objects.order_by("business_name").values_list("monthly_ai_response_limit", flat=True)
    assert list(limits) == [300, 150, 300, 100, 100]


@pytest.mark.parametrize(("kind", "limit", "used"), [("add", 400, 5), ("top_up", 400, 5), ("reset", 100, 0)])
def test_all_that_match_are_changed(manager, kind, limit, used) -> None:
    for number in range(60):
        shop(f"Shop {number}", used=5)
    shop("Other", used=5)
    until = timezone.localdate() + timedelta(days=2)
    preview = bulk(manager, scope="all", kind=kind, until=until, list="q=shop&view=all")
    assert "Change 60 businesses" in preview.content.decode()
    manager.post(f"{OVERVIEW}bulk/", {"plan": preview.context["plan"], "list": "q=shop"})
    changed = Profile.objects.filter(monthly_ai_response_limit=limit, monthly_ai_responses_used=used)
    assert changed.filter(business_name__startswith="Shop").count() == 60
    other = Profile.objects.get(business_name="Other")
    assert (other.monthly_ai_response_limit, other.monthly_ai_responses_used) == (100, 5)


@pytest.mark.parametrize(
    "values", [{"reason": ""}, {"number": ""}, {"id": []}, {"kind": "x"}, {"kind": "top_up"}, {"id": ["1"]}]
)
def test_an_incomplete_change_of_many_is_refused(manager, values) -> None:
    one = shop("Shop")
    response = bulk(manager, **{"id": [str(one.pk)], **values})
    assert response.status_code == 302
    assert QuotaChange.objects.count() == 0


def test_a_forged_plan_is_refused(manager) -> None:
    assert manager.post(f"{OVERVIEW}bulk/", {"plan": "e30:1:x", "list": ""}).status_code == 302
    assert QuotaChange.objects.count() == 0


@pytest.mark.parametrize("group", ["Support", "Operators"])
def test_others_see_no_changing_action_and_are_refused(db, group) -> None:
    client, one = log_in(group), shop("Shop", per_day=1)
    for address in (OVERVIEW, f"{OVERVIEW}{one.pk}/change/"):
        response = client.get(address)
        assert response.status_code == (403 if group == "Support" else 200)
        html = response.content.decode()
        for word in ("bulk", "top_up", "/reset/", "/limit/", "export", "checkbox"):
            assert word not in html, word
    for action in ("limit", "top_up", "reset"):
        assert post(client, one, action, expected=100, limit=5, reason="x").status_code == 403
    assert bulk(client, id=[str(one.pk)]).status_code == 403
    for address in ("export/", f"{one.pk}/export/"):
        assert client.get(f"{OVERVIEW}{address}").status_code == 403
    assert client.post(f"{OVERVIEW}{one.pk}/change/", {"limit": 5}).status_code == 403
    assert QuotaChange.objects.count() == 0
    assert client.get("/usage/price/add/").status_code == 403


def test_strangers_are_asked_to_log_in(db) -> None:
    assert Client().get(OVERVIEW).status_code == 302


def test_a_change_by_get_is_not_allowed(manager) -> None:
    one = shop("Shop")
    assert manager.get(reverse("admin:usage_profile_limit", args=[one.pk])).status_code == 405
    assert manager.get(f"{OVERVIEW}bulk/").status_code == 405


def test_an_unknown_business_is_not_found(manager) -> None:
    assert manager.get(f"{OVERVIEW}{uuid.uuid4()}/change/").status_code == 404
    assert manager.get(f"{OVERVIEW}{uuid.uuid4()}/export/").status_code == 404


def test_home_tells_managers_who_runs_out(manager) -> None:
    shop("Silent", per_day=3, monthly_ai_response_limit=30)
    html = page(manager, "/")
    assert "Silent" in html
    assert "out now; the AI is silent" in html
