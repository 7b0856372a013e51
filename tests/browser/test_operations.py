"""The operations pages in a real browser, in both languages, with something to show on each."""

from collections.abc import Callable

import psycopg
import pytest

from tests import wording
from tests.browser.conftest import DESKTOP, PHONE, Visitor
from tests.factories import staff
from waops.dbops.explain import record
from waops.dbops.models import ExplainBaseline, Snapshot
from waops.dbops.pages import PAGES
from waops.dbops.snapshots import take_snapshot
from waops.dev import demo

pytestmark = pytest.mark.browser

LOOKS = [
    pytest.param({"language": "en", "color_scheme": "light", "viewport": DESKTOP}, id="en-light-desktop"),
    pytest.param({"language": "ar", "color_scheme": "dark", "viewport": PHONE}, id="ar-dark-phone"),
]
BASE = "/waops/operations/"


@pytest.fixture
def figures(committed_database: str) -> list[str]:
    """Addresses of every page, with findings, figures and comparisons on them."""
    with psycopg.connect(committed_database, autocommit=True) as owner:
        demo.load(owner)
        owner.execute("DROP INDEX public.idx_messages_conversation")
        owner.execute("ALTER TABLE public.profiles ADD COLUMN mood text")
    for name in ("before", "after"):
        take_snapshot(name)
        record(name, runs=1)
    compared = [
        f"{BASE}{page}/?before={model.objects.last().pk}&after={model.objects.first().pk}"
        for page, model in (("snapshots", Snapshot), ("plans", ExplainBaseline))
    ]
    return [BASE, *(f"{BASE}{page.name}/" for page in PAGES[1:]), *compared, f"{BASE}report/"]


@pytest.mark.parametrize("look", LOOKS)
def test_every_page_is_accessible_and_fits(figures: list[str], visit: Callable[..., Visitor], look: dict) -> None:
    visitor = visit(staff("Operators"), **look)
    found = []
    for address in figures:
        status = visitor.open(address)
        faults = [*visitor.violations(), *visitor.complaints]
        visitor.complaints.clear()
        if status != 200:
            faults.append(f"status {status}")
        if overflow := visitor.overflow():
            faults.append(f"{overflow} pixels too wide")
        found += [f"{address}: {fault}" for fault in faults]
    assert found == []


def test_an_operator_finds_the_damage_ticks_and_accepts(figures: list[str], visit: Callable[..., Visitor]) -> None:
    visitor = visit(staff("Operators", username="amal"))
    page = visitor.page
    visitor.open("/")
    page.get_by_role("link", name="Operations").first.click()
    assert "CREATE INDEX CONCURRENTLY idx_messages_conversation" in page.locator("main").inner_text()
    page.get_by_role("link", name="Change").click()
    page.get_by_role("link", name="Drift").click()
    page.get_by_role("button", name=wording.STOP_REPORTING).click()
    assert page.get_by_text("mood").count() == 0
    page.get_by_role("link", name="Checklist", exact=True).click()
    page.locator("summary", has_text="indexes").click()
    page.get_by_label(f"Note: {wording.BUILD_OFF_PEAK}").fill("Friday, 03:00")
    page.get_by_role("button", name=f"Tick: {wording.BUILD_OFF_PEAK}").click()
    assert "amal" in page.locator("main").inner_text()
    assert "Friday, 03:00" in page.locator("main").inner_text()
    assert visitor.complaints == []
