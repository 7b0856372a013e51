"""A manager at work: who runs out first, a top-up, the forecast moves, an export."""

import csv
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from tests import factories, wording
from tests.browser.conftest import PHONE
from tests.usage.shops import shop
from usage.models import Price, TopUp

pytestmark = pytest.mark.browser

WORDS = {
    "en": {"before_reset": wording.OUT_BEFORE_THE_RESET["en"], "reason": "Feast days", "lasts": "Lasts", "dir": "ltr"},
    "ar": {"before_reset": wording.OUT_BEFORE_THE_RESET["ar"], "reason": "أيام العيد", "lasts": "تكفي", "dir": "rtl"},
}


@pytest.fixture
def businesses(committed_database) -> None:
    Price.objects.create(model="m", valid_from="2020-01-01", input_per_million="0.4", output_per_million="1.6")
    shop("Plenty", per_day=2, monthly_ai_response_limit=5_000)
    shop("نور للعطور", per_day=9, monthly_ai_response_limit=91)
    shop("Silent", monthly_ai_response_limit=30, used=30)


@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_manager_saves_the_business_that_runs_out_first(businesses, visit, language) -> None:
    words = WORDS[language]
    visitor = visit(factories.staff("Managers"), language=language)
    page = visitor.page
    visitor.open("/usage/profile/")
    assert page.locator("html").get_attribute("dir") == words["dir"]
    page.get_by_role("link", name=words["before_reset"]).first.click()
    assert page.locator("tbody tr").count() == 1
    assert not visitor.violations()
    page.locator("tbody tr a").first.click()
    assert "نور للعطور" in page.locator("h1").inner_text()
    assert page.locator("svg .exhausted").count() == 1
    assert not visitor.violations()

    form = page.locator("form[action$='/top_up/']")
    form.locator("[name=top_up-amount]").fill("3000")
    form.locator("[name=top_up-until]").fill(str(timezone.localdate() + timedelta(days=20)))
    form.locator("[name=top_up-reason]").fill(words["reason"])
    form.get_by_role("button").click()
    assert "3091" in page.locator(".messagelist").inner_text().replace(",", "").replace(".", "")
    assert words["reason"] in page.locator(".history").inner_text()
    assert page.locator("svg .exhausted").count() == 0
    assert page.locator("h1 .status").count() == 0
    assert TopUp.objects.get().amount == 3000

    visitor.open("/usage/profile/")
    total = page.locator("tfoot td.number small bdi").first.inner_text()
    with page.expect_download() as download:
        page.get_by_role("link", name="XLSX").click()
    assert Path(download.value.path()).read_bytes().startswith(b"PK")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    lines = list(csv.reader(Path(download.value.path()).read_text().splitlines()))
    assert lines[-1][10] == total
    assert not visitor.complaints


@pytest.mark.parametrize("language", ["en", "ar"])
def test_many_are_changed_with_a_preview(businesses, visit, language) -> None:
    visitor = visit(factories.staff("Managers"), language=language)
    page = visitor.page
    visitor.open("/usage/profile/")
    for box in page.locator("tbody input[type=checkbox]").all()[:2]:
        box.check()
    assert page.locator("[data-ticked]").inner_text() == "2"
    page.locator("[popovertarget=bulk]").click()
    page.locator("#bulk_number").fill("77")
    page.locator("#bulk_reason").fill("New plans")
    page.locator("#bulk button").click()
    assert page.locator("tbody tr").count() == 2
    assert not visitor.violations()
    page.locator("form[action$='/bulk/'] button").click()
    assert page.locator(".messagelist .success").count() == 1
    assert not visitor.complaints


@pytest.mark.parametrize("language", ["en", "ar"])
def test_on_a_phone_nothing_sticks_out(businesses, visit, language) -> None:
    visitor = visit(factories.staff("Managers"), language=language, viewport=PHONE)
    visitor.open("/usage/profile/")
    assert (visitor.overflow(), visitor.violations()) == (0, [])
    visitor.page.locator(".find [name=o]").select_option("name")
    visitor.page.locator(".find button").click()
    assert visitor.page.locator("tbody tr th").first.inner_text().startswith("Plenty")
    visitor.page.locator("tbody tr a").first.click()
    assert (visitor.overflow(), visitor.violations()) == (0, [])


@pytest.mark.parametrize(
    "path", ["profile/reconcile/", "price/", "price/add/", "alertrule/", "alertrule/add/", "quotachange/", "delivery/"]
)
@pytest.mark.parametrize("language", ["en", "ar"])
def test_prices_alerts_and_history_are_accessible(businesses, visit, path, language) -> None:
    visitor = visit(factories.staff("Managers"), language=language)
    assert visitor.open(f"/usage/{path}") == 200
    assert visitor.violations() == []
    assert not visitor.complaints
