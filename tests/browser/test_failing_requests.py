"""What the desk's scripts do when their requests fail, or the person is logged out in the meantime."""

from collections.abc import Callable

import pytest
from django.conf import settings
from playwright.sync_api import Page, Route, expect

from escalations.models import Escalation, Event
from tests import factories, wording
from tests.browser.conftest import Visitor
from waops.models import User

pytestmark = pytest.mark.browser

QUEUE = "/escalations/escalation/"
Visit = Callable[..., Visitor]


@pytest.fixture
def escalation(committed_database: str) -> Escalation:
    """Of a customer with more messages than a page shows."""
    chat = factories.conversation()
    for minutes in range(130):
        factories.message(chat, f"message {minutes}", timestamp=factories.ago(minutes=minutes))
    return factories.escalation(chat, escalated_at=factories.ago(minutes=9))


def on_a_clock_of_ours(visitor: Visitor) -> Page:
    visitor.page.clock.install()
    return visitor.page


def fail_first(page: Page, address: str, times: int, **answer: object) -> list[str]:
    """Addresses asked for: the first ones in vain."""
    asked: list[str] = []

    def handle(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) > times:
            route.continue_()
        elif answer:
            route.fulfill(**answer)
        else:
            route.abort()

    page.route(address, handle)
    return asked


def wait_for(page: Page, asked: list[str], count: int) -> None:
    for _ in range(60):
        if len(asked) >= count:
            return
        page.clock.run_for(1_000)
        page.wait_for_timeout(50)
    pytest.fail(f"asked {len(asked)} times, not {count}")


@pytest.mark.parametrize(
    "answer",
    [{}, {"status": 503, "body": "busy"}, {"status": 200, "content_type": "text/html", "body": "<h1>Log in</h1>"}],
    ids=["no answer", "an error", "another page"],
)
def test_older_messages_come_after_failures(salma: User, escalation: Escalation, visit: Visit, answer: dict) -> None:
    visitor = visit(salma)
    page = on_a_clock_of_ours(visitor)
    asked = fail_first(page, "**/messages/**", 4, **answer)
    visitor.open(f"{QUEUE}{escalation.pk}/change/")
    page.locator(".chat__older a").scroll_into_view_if_needed()
    wait_for(page, asked, 5)
    expect(page.locator("ol.chat")).to_contain_text("message 70")


def test_a_person_who_is_logged_out_is_told_and_keeps_their_text(
    salma: User, escalation: Escalation, visit: Visit
) -> None:
    visitor = visit(salma)
    page = on_a_clock_of_ours(visitor)
    visitor.open(f"{QUEUE}{escalation.pk}/change/")
    page.locator("textarea[name=note]").fill("Called back")
    visitor.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    page.clock.run_for(11_000)  # older messages may have come before, the next look at what is new comes after
    expect(page.locator("#signed-out")).to_be_visible()
    expect(page.locator("#signed-out")).to_contain_text(wording.LOGGED_OUT)
    page.locator(".chat__older a").scroll_into_view_if_needed()
    expect(page.locator(".chat__older a")).to_be_attached()
    assert page.locator("#signed-out a").get_attribute("href") == "/login/"

    visitor.log_in(salma)
    visitor.context.clear_cookies(name=settings.CSRF_COOKIE_NAME)  # signing in makes another one
    page.clock.run_for(6_000)
    expect(page.locator("#signed-out")).to_be_hidden()
    expect(page.locator("textarea[name=note]")).to_have_value("Called back")
    page.get_by_role("button", name=wording.ADD_NOTE_ONLY).click()
    page.locator(".messagelist .success").wait_for()
    assert Event.objects.get(kind="noted").details == {"note": "Called back"}


def test_filters_are_offered_after_a_failure(salma: User, escalation: Escalation, visit: Visit) -> None:
    visitor = visit(salma)
    page = on_a_clock_of_ours(visitor)
    asked = fail_first(page, "**/filters/**", 3)
    visitor.open(QUEUE)
    page.locator(".narrow > summary").click()
    wait_for(page, asked, 3)
    page.wait_for_timeout(200)
    page.locator("select[name=business]").focus()
    wait_for(page, asked, 4)
    expect(page.locator("select[name=business] option")).to_have_count(2)


def test_a_state_that_could_not_be_shown_is_asked_for_again(salma: User, escalation: Escalation, visit: Visit) -> None:
    visitor = visit(salma)
    page = on_a_clock_of_ours(visitor)
    etags: list[str | None] = []

    def handle(route: Route) -> None:
        etags.append(route.request.headers.get("if-none-match"))
        if len(etags) == 1:
            route.fulfill(status=200, content_type="application/json", headers={"ETag": '"lost"'}, body='{"counts":')
        else:
            route.continue_()

    page.route("**/live/?**", handle)
    visitor.open(QUEUE)
    expect(page.locator(".live__state")).to_contain_text(wording.CONNECTION_LOST)
    page.clock.run_for(11_000)
    expect(page.locator(".live__state")).to_be_empty()
    assert etags[:2] == [None, None]
