"""Search, what needs attention and numbers in a real browser: both languages, both themes, desk and phone."""

from collections.abc import Callable

import psycopg
import pytest
from playwright.sync_api import expect

from escalations.models import Escalation
from tests import factories, wording
from tests.browser.conftest import Visitor
from tests.browser.test_pages import LOOKS
from waops.dev import demo
from waops.models import User

pytestmark = pytest.mark.browser

DESK = "/escalations/escalation/"
PAGES = ("search/", "search/?q=طلب", "search/?q=5678", "search/?q=nothing-like-it", "attention/", "reports/")


@pytest.fixture
def administrator(committed_database: str) -> User:
    with psycopg.connect(committed_database) as connection:
        demo.load(connection)
    return User.objects.create_superuser("admin")


def test_pages_are_accessible_and_fit(administrator: User, visit: Callable[..., Visitor]) -> None:
    found = []
    for look in LOOKS:
        visitor = visit(administrator, **look.values[0])
        for page in PAGES:
            faults = [] if visitor.open(DESK + page) == 200 else ["not shown"]
            if overflow := visitor.overflow():
                faults.append(f"{overflow} pixels too wide")
            found += [f"{look.id} {page}: {fault}" for fault in faults + visitor.violations()]
        found += visitor.complaints
    assert found == []


@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_person_searches_and_goes_to_the_message(
    committed_database: str, visit: Callable[..., Visitor], language: str
) -> None:
    chat = factories.conversation()
    factories.message(chat, "وصل الطَّلب إلى القاهرة", timestamp=factories.ago(days=2))
    visitor = visit(factories.staff("Support"), language=language)
    visitor.open(f"{DESK}search/")
    visitor.page.get_by_role("searchbox").fill("القاهره")
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.locator("mark")).to_have_text("القاهرة")
    text = visitor.page.locator(".result__text")
    assert text.evaluate("element => getComputedStyle(element).direction") == "rtl"
    visitor.page.locator(".result__head a").click()
    expect(visitor.page.locator(".chat__message")).to_contain_text("وصل الطَّلب")


def test_a_missed_escalation_is_queued_with_one_press(committed_database: str, visit: Callable[..., Visitor]) -> None:
    chat = factories.conversation()
    factories.message(chat, "transferred", "assistant", message_id="escalation_1", timestamp=factories.ago(hours=1))
    visitor = visit(factories.staff("Support"))
    visitor.open(f"{DESK}attention/")
    visitor.page.get_by_role("button", name=wording.PUT_IN_THE_QUEUE).click()
    expect(visitor.page.get_by_text("1 fixed.")).to_be_visible()
    assert Escalation.objects.get().whatsapp_number == chat.user_phone


def test_a_manager_downloads_the_escalations_of_the_period_shown(
    committed_database: str, visit: Callable[..., Visitor]
) -> None:
    factories.escalation(factories.conversation(), escalated_at=factories.ago(days=40))
    visitor = visit(factories.staff("Managers"))
    visitor.open(f"{DESK}reports/")
    today = factories.day_before(0)
    visitor.page.get_by_label("Period").select_option("")
    visitor.page.get_by_label("From:", exact=True).fill(str(factories.day_before(60)))
    visitor.page.get_by_label("To:", exact=True).fill(str(today))
    visitor.page.get_by_role("button", name="Show").click()
    expect(visitor.page.locator(".figures dd").first).to_have_text("1")
    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("link", name="Download").click()
    content = download.value.path().read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.count(b"\r\n") == 2
