"""From one escalation to the next without loading the page, and the queue beside the conversation or in a drawer."""

import re
from collections.abc import Callable
from threading import Event
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from escalations import procedures
from escalations.models import Escalation
from escalations.models import Event as History
from tests import factories, wording
from tests.browser.conftest import Visitor
from tests.browser.test_desk_live import SOON, listening, page_of, writes
from tests.escalations.replies.conftest import gateway as gateway
from waops.access.log import AccessRecord

pytestmark = pytest.mark.browser

QUEUE = "/escalations/escalation/"
LAPTOP = {"width": 1024, "height": 768}
Visit = Callable[..., Visitor]


@pytest.fixture
def escalations(committed_database: str) -> list[Escalation]:
    return [factories.waiting(minutes=500 - minutes, content=f"message {minutes}") for minutes in range(40)]


def at(visitor: Visitor, escalation: Escalation) -> Page:
    """Its page, opened from the queue; `is_same_document` says whether another one was loaded since."""
    visitor.open(QUEUE)
    visitor.page.locator(f"#escalation-{escalation.pk} .escalation__customer a").click()
    visitor.page.wait_for_url(f"**{page_of(escalation)}*")
    visitor.page.evaluate("window.mark = 'the same document'")
    return visitor.page


def is_same_document(page: Page) -> bool:
    return page.evaluate("window.mark") == "the same document"


def row(page: Page, escalation: Escalation):
    return page.locator(f'[data-queue-part] a[data-escalation="{escalation.pk}"]')


def shows(page: Page, escalation: Escalation, content: str) -> None:
    page.wait_for_url(f"**{page_of(escalation)}*")
    expect(page.locator(".talk__scroll")).to_contain_text(content)


def test_choosing_a_row_replaces_what_differs_and_back_returns(visit: Visit, salma, escalations) -> None:
    visitor = visit(salma)
    page = at(visitor, escalations[0])
    part = page.locator("[data-queue-part]")
    row(page, escalations[30]).scroll_into_view_if_needed()
    scrolled = part.evaluate("part => part.scrollTop")
    assert scrolled > 100
    row(page, escalations[30]).click()
    shows(page, escalations[30], "message 30")
    assert part.evaluate("part => part.scrollTop") == scrolled
    expect(row(page, escalations[30])).to_have_attribute("aria-current", "page")
    expect(page.locator("[data-queue-part] [aria-current]")).to_have_count(1)
    expect(page.locator(".escalation-head h1")).to_be_focused()
    expect(page.locator("[data-announced]")).to_have_text(page.locator("h1").inner_text())
    assert page.locator('.language-switch [name="next"]').input_value() == page_of(escalations[30])
    page.go_back()
    shows(page, escalations[0], "message 0")
    page.go_forward()
    shows(page, escalations[30], "message 30")
    assert is_same_document(page)
    assert page.evaluate("performance.getEntriesByType('navigation').length") == 1
    read = AccessRecord.objects.filter(object_id=str(escalations[30].pk))
    assert read.exists()
    assert (visitor.complaints, visitor.violations(), visitor.overflow()) == ([], [], 0)


def test_a_click_for_another_tab_and_a_place_in_the_conversation_are_the_browsers(
    visit: Visit, salma, escalations
) -> None:
    visitor = visit(salma)
    page = at(visitor, escalations[0])
    with visitor.context.expect_page() as opened:
        row(page, escalations[1]).click(modifiers=["Control"])
    opened.value.wait_for_url(f"**{page_of(escalations[1])}*")
    assert page_of(escalations[0]) in page.url
    page.locator("[popovertarget=jump]").click()
    page.get_by_text("The beginning").click()
    page.wait_for_url("**#start")
    assert not is_same_document(page)


def test_a_reply_resolves_and_opens_the_next_one(gateway, visit: Visit, salma, escalations) -> None:
    visitor = visit(salma)
    page = at(visitor, escalations[0])
    for place in range(3):
        page.keyboard.press("w")
        page.keyboard.type(f"Answer {place}")
        page.keyboard.press("Control+Shift+Enter")
        shows(page, escalations[place + 1], f"message {place + 1}")
        expect(page.locator(".messagelist .success")).to_contain_text("1 escalation resolved")
        expect(page.locator("[data-announced]")).to_contain_text("1 escalation resolved")
        expect(row(page, escalations[place])).to_have_count(0)
        expect(row(page, escalations[place + 1])).to_have_attribute("aria-current", "page")
    assert [one.text for one in gateway.delivered] == ["Answer 0", "Answer 1", "Answer 2"]
    assert Escalation.objects.filter(resolved_at__isnull=False).count() == 3
    # Undone from the message, which leads back to it.
    page.locator(".messagelist button").click()
    shows(page, escalations[2], "message 2")
    expect(row(page, escalations[2])).to_have_count(1)
    assert is_same_document(page)
    assert visitor.complaints == []


def test_every_action_leaves_the_document(visit: Visit, salma, omar, escalations) -> None:
    visitor = visit(salma)
    page = at(visitor, escalations[0])
    success = page.locator(".messagelist .success")
    page.keyboard.press("c")
    expect(success).to_contain_text("claimed")
    page.locator('#close [name="note"]').fill("Called back")
    page.keyboard.press("Control+Enter")
    expect(success).to_contain_text("Note added")
    expect(page.locator('#close [name="note"]')).to_have_value("")
    page.locator("h1").click()
    page.keyboard.press("s")
    page.keyboard.press("Enter")
    expect(success).to_contain_text("snoozed")
    page.get_by_role("button", name="Wake").click()
    expect(success).to_contain_text(wording.BACK_IN_THE_QUEUE)
    page.keyboard.press("h")
    page.locator('[name="to"]').select_option(label="Omar")
    page.locator("#hand-over button").click()
    expect(success).to_contain_text("handed over")
    assert is_same_document(page)
    kinds = list(History.objects.order_by("pk").values_list("kind", flat=True))
    assert kinds == ["claimed", "noted", "snoozed", "woken", "handed_over"]
    assert visitor.complaints == []


def test_what_fails_is_left_to_the_browser(visit: Visit, salma, omar, escalations) -> None:
    visitor = visit(salma)
    page = at(visitor, escalations[0])
    # Refused: the page says why, and the note is there.
    page.locator('#close [name="note"]').fill("Too late")
    procedures.claim([escalations[0].pk], omar)
    with page.expect_response(lambda answer: urlsplit(answer.url).path == QUEUE):
        page.locator('[data-key="resolve"]').click()
    expect(page.locator(".messagelist .warning")).to_contain_text("Omar")
    expect(page.locator('#close [name="note"]')).to_have_value("Too late")
    # One that is gone since the queue was fetched.
    Escalation.objects.filter(pk=escalations[1].pk).delete()
    row(page, escalations[1]).click()
    expect(page.locator("h1")).to_have_text("Not found")
    assert not is_same_document(page)
    # An error, then no answer.
    for answer in (lambda route: route.fulfill(status=503, body="busy"), lambda route: route.abort()):
        page = at(visitor, escalations[2])
        page.route(f"**{page_of(escalations[3])}*", answer)
        row(page, escalations[3]).click()
        page.wait_for_function("window.mark === undefined")
        page.unroute("**")
    # Signed out: what is typed waits behind the login page.
    page = at(visitor, escalations[4])
    page.locator('#close [name="note"]').fill("Kept")
    visitor.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    page.locator("[data-send-note]").click()
    page.wait_for_url("**/login/**")
    assert not History.objects.filter(kind="noted").exists()


def test_without_script_it_works_as_before(visit: Visit, salma, escalations) -> None:
    visitor = visit(salma, java_script_enabled=False)
    visitor.open(page_of(escalations[0]))
    page = visitor.page
    assert page.locator("[data-queue-part]").is_hidden()
    page.locator('[data-key="resolve-next"]').click()
    page.wait_for_url(f"**{page_of(escalations[1])}*")
    page.set_viewport_size(LAPTOP)
    assert page.locator('.escalation-head [popovertarget="queue-part"]').is_hidden()
    page.get_by_text(wording.CUSTOMER_AND_NOTE).click()
    assert page.locator('#close [name="note"]').is_visible()


def test_drafts_are_there_on_coming_back(gateway, visit: Visit, salma, escalations) -> None:
    visitor = visit(salma)
    page = at(visitor, escalations[0])
    box, note = page.locator("#reply-text"), page.locator('#close [name="note"]')
    box.fill("Half a sentence")
    note.fill("Half a note")
    row(page, escalations[1]).click()
    shows(page, escalations[1], "message 1")
    expect(box).to_have_value("")
    expect(note).to_have_value("")
    row(page, escalations[0]).click()
    shows(page, escalations[0], "message 0")
    expect(box).to_have_value("Half a sentence")
    expect(note).to_have_value("Half a note")
    assert is_same_document(page)


def test_a_reply_on_its_way_touches_only_its_own_escalation(
    gateway, settings, visit: Visit, salma, escalations
) -> None:
    settings.EVOLUTION_API_TIMEOUT = 30.0
    chosen = Event()
    gateway.on_delivered = lambda message: chosen.wait(20)
    visitor = visit(salma)
    page = at(visitor, escalations[0])
    page.locator("#reply-text").fill("On its way")
    page.keyboard.press("Control+Shift+Enter")
    row(page, escalations[1]).click()
    shows(page, escalations[1], "message 1")
    page.locator("#reply-text").fill("Mine")
    chosen.set()
    page.wait_for_timeout(SOON)
    expect(page.locator("#reply-text")).to_have_value("Mine")
    expect(page.locator(".messagelist")).to_have_count(0)
    assert page_of(escalations[1]) in page.url
    assert not Escalation.objects.filter(resolved_at__isnull=False).exists()
    row(page, escalations[0]).click()
    shows(page, escalations[0], "On its way")
    expect(page.locator("#reply-text")).to_have_value("")


def test_live_updates_follow_and_nothing_runs_twice(visit: Visit, salma, omar, escalations) -> None:
    visitor = visit(salma)
    page = listening(visitor, QUEUE)
    page.locator(f"#escalation-{escalations[0].pk} .escalation__customer a").click()
    page.wait_for_url(f"**{page_of(escalations[0])}*")
    for escalation in escalations[1:6]:
        page.keyboard.press("j")
        page.wait_for_url(f"**{page_of(escalation)}*")
        expect(row(page, escalation)).to_have_attribute("aria-current", "page")
    shown = escalations[5]
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(5_000)
    live = [url for url in asked if "/live/?" in url]
    assert 2 <= len(live) <= 3
    assert all(f"escalation={shown.pk}" in url for url in live)
    assert len([url for url in asked if f"/live/{shown.pk}/" in url]) <= 1
    assert [url for url in asked if "/live/" in url and str(shown.pk) not in url] == []
    # A message of the one that is shown, and one of the one that was.
    writes(escalations[4], "to the former")
    writes(shown, wording.TO_THIS_ONE)
    expect(page.locator(".talk__scroll")).to_contain_text(wording.TO_THIS_ONE, timeout=SOON)
    expect(page.locator(".talk__scroll")).not_to_contain_text("to the former")
    procedures.claim([shown.pk], omar)
    expect(page.locator("[data-changed]")).to_contain_text("Omar", timeout=SOON)
    procedures.resolve([escalations[20].pk], omar)
    expect(row(page, escalations[20])).to_have_class(re.compile("escalation--gone"), timeout=SOON)
    # Told once, however many escalations are looked at.
    page.evaluate("window.tones = 0")
    procedures.hand_over([escalations[10].pk], omar, salma)
    expect(page.locator('[data-mark="handed"]')).to_be_visible(timeout=SOON)
    for key in ("k", "j"):
        with page.expect_response(lambda answer: "/live/?" in answer.url):
            page.keyboard.press(key)
    page.wait_for_timeout(SOON)
    assert page.evaluate("window.tones") == 1
    assert visitor.complaints == []


@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_drawer_by_keyboard(visit: Visit, salma, escalations, language) -> None:
    visitor = visit(salma, language=language, viewport=LAPTOP)
    page = at(visitor, escalations[5])
    drawer = page.locator("[data-queue-part]")
    expect(drawer).to_be_hidden()
    page.keyboard.press("q")
    expect(row(page, escalations[5])).to_be_focused()
    box = drawer.bounding_box()
    assert box["x"] == (0 if language == "en" else LAPTOP["width"] - box["width"])
    assert (box["y"], box["height"]) == (0, LAPTOP["height"])
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    button = page.locator('.escalation-head [popovertarget="queue-part"]')
    expect(page.locator(".escalation-head h1")).not_to_be_focused()
    button.focus()
    page.keyboard.press("Enter")
    expect(row(page, escalations[5])).to_be_focused()
    for key, place in (("ArrowDown", 6), ("ArrowDown", 7), ("ArrowUp", 6), ("Shift+Tab", 5), ("Tab", 6), ("Tab", 7)):
        page.keyboard.press(key)
        expect(row(page, escalations[place])).to_be_focused()
    assert visitor.violations() == []
    page.keyboard.press("Enter")
    shows(page, escalations[7], "message 7")
    expect(drawer).to_be_hidden()
    expect(page.locator(".escalation-head h1")).to_be_focused()
    page.keyboard.press("q")
    expect(row(page, escalations[7])).to_be_focused()
    assert is_same_document(page)
    assert (visitor.complaints, visitor.overflow()) == ([], 0)


@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_customer_is_a_tab_of_a_laptop(gateway, visit: Visit, salma, escalations, language) -> None:
    visitor = visit(salma, language=language, viewport=LAPTOP)
    page = at(visitor, escalations[0])
    talk, side = page.locator("#chat"), page.locator(".escalation-side")
    expect(talk).to_be_visible()
    expect(side).to_be_hidden()
    page.locator('.escalation-tabs [value="talk"]').focus()
    page.keyboard.press("ArrowRight" if language == "en" else "ArrowLeft")
    expect(side).to_be_visible()
    expect(talk).to_be_hidden()
    assert visitor.violations() == []
    page.locator("h1").click()
    page.keyboard.press("w")
    expect(page.locator("#reply-text")).to_be_focused()
    page.locator("h1").click()
    page.keyboard.press("n")
    expect(page.locator('#close [name="note"]')).to_be_focused()
    page.keyboard.type("Called back")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".messagelist .success")).to_be_visible()
    expect(side).to_be_visible()
    page.locator("h1").click()
    page.keyboard.press("j")
    page.wait_for_url(f"**{page_of(escalations[1])}*")
    expect(talk).to_be_visible()
    assert is_same_document(page)
