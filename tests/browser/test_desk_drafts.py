"""A note that is being written is kept until it is sent, whichever way the page is left."""

from collections.abc import Callable

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from escalations import procedures
from escalations.models import Event
from tests import factories
from tests.browser.conftest import Visitor
from tests.browser.test_desk_live import QUEUE, SOON, Visit, at, page_of
from waops.models import User

pytestmark = pytest.mark.browser

TEXT = "يريد استبدال المقاس، اتصلت به"


def in_another_tab(visitor: Visitor, path: str) -> Page:
    page = visitor.context.new_page()
    page.goto(visitor.site + path)
    return page


def press(selector: str) -> Callable[[Visitor], None]:
    def leave(visitor: Visitor) -> None:
        visitor.page.locator(selector).first.click()
        visitor.page.locator(".messagelist .success").wait_for()

    return leave


def snoozes(visitor: Visitor) -> None:
    visitor.page.locator('[popovertarget="snooze"]').click()
    visitor.page.locator('[name="until"][value="1h"]').click()
    visitor.page.locator(".messagelist .success").wait_for()


def hands_over(visitor: Visitor) -> None:
    visitor.page.locator('[popovertarget="hand-over"]').click()
    visitor.page.locator('[name="to"]').select_option(label="Omar")
    visitor.page.locator("#hand-over button").click()
    visitor.page.locator(".messagelist .success").wait_for()


def key(name: str) -> Callable[[Visitor], None]:
    def leave(visitor: Visitor) -> None:
        visitor.page.locator("h1").click()
        with visitor.page.expect_navigation():
            visitor.page.keyboard.press(name)

    return leave


def signs_out(visitor: Visitor) -> None:
    visitor.page.locator('[popovertarget="account"]').click()
    visitor.page.locator("#logout-form button").click()
    visitor.page.wait_for_load_state()


def session_ends(visitor: Visitor) -> None:
    visitor.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    visitor.page.locator("[data-send-note]").click()
    visitor.page.wait_for_url("**/login/**")


def closes_the_tab(visitor: Visitor) -> None:
    visitor.page.close()
    visitor.page = visitor.context.new_page()


def goes_back(visitor: Visitor) -> None:
    visitor.page.go_back()


def reloads(visitor: Visitor) -> None:
    visitor.page.reload()


def speaks_arabic(visitor: Visitor) -> None:
    visitor.speaks("ar")
    visitor.page.reload()


def opens_another(visitor: Visitor) -> None:
    visitor.open(QUEUE)


WAYS = {
    "claim": press('[data-key="claim"]'),
    "snooze": snoozes,
    "hand over": hands_over,
    "J": key("j"),
    "U": key("u"),
    "sign out": signs_out,
    "session ends": session_ends,
    "tab closed": closes_the_tab,
    "back": goes_back,
    "reload": reloads,
    "language": speaks_arabic,
    "another page": opens_another,
}


@pytest.mark.parametrize("way", WAYS)
def test_a_note_is_there_again_whichever_way_the_page_was_left(salma: User, omar: User, visit: Visit, way: str) -> None:
    escalation = factories.waiting(minutes=90)
    factories.waiting(minutes=60)
    visitor = visit(salma)
    visitor.open(QUEUE)
    visitor.page.locator(f"#escalation-{escalation.pk} .escalation__customer a").click()
    visitor.page.wait_for_url(f"**{page_of(escalation)}*")
    visitor.page.locator('#close [name="note"]').fill(TEXT)
    WAYS[way](visitor)
    assert not Event.objects.filter(kind="noted").exists()
    visitor.log_in(salma)
    visitor.open(page_of(escalation))
    expect(visitor.page.locator('#close [name="note"]')).to_have_value(TEXT)


def test_a_note_that_was_sent_is_forgotten_and_one_of_another_escalation_is_not(salma: User, visit: Visit) -> None:
    escalation, other = factories.waiting(minutes=90), factories.waiting(minutes=60)
    visitor = visit(salma)
    page = visitor.page
    note = page.locator('#close [name="note"]')
    visitor.open(page_of(other))
    note.fill("kept")
    visitor.open(page_of(escalation))
    note.fill(TEXT)
    note.press("Control+Enter")
    page.locator(".messagelist .success").wait_for()
    assert Event.objects.get(kind="noted").details["note"] == TEXT
    expect(note).to_have_value("")
    visitor.open(page_of(other))
    expect(note).to_have_value("kept")
    page.locator('[data-key="resolve"]').click()
    page.locator(".messagelist .success").wait_for()
    expect(note).to_have_value("")
    assert visitor.complaints == []


def test_a_note_outlives_a_colleague_who_was_faster(salma: User, omar: User, visit: Visit) -> None:
    escalation = factories.waiting(minutes=90)
    visitor = visit(salma)
    visitor.open(page_of(escalation))
    procedures.claim([escalation.pk], omar)
    note = visitor.page.locator('#close [name="note"]')
    note.fill(TEXT)
    visitor.page.locator('[data-key="resolve"]').click()
    visitor.page.locator(".messagelist .warning").wait_for()
    visitor.open(page_of(escalation))
    expect(note).to_have_value(TEXT)


def test_signed_in_again_elsewhere_the_note_can_be_sent(salma: User, visit: Visit) -> None:
    escalation = factories.waiting(minutes=90)
    visitor = at(visit(salma), escalation)
    page = visitor.page
    page.locator('#close [name="note"]').fill(TEXT)
    visitor.context.clear_cookies()
    visitor.log_in(salma)
    # What the other tab's sign-in brings along: another token for forms.
    other = in_another_tab(visitor, QUEUE)
    other.close()
    with page.expect_response(lambda answer: answer.url.endswith("/change/")):
        page.wait_for_timeout(SOON)
    page.locator("[data-send-note]").click()
    page.locator(".messagelist .success").wait_for()
    assert Event.objects.get(kind="noted").details["note"] == TEXT
