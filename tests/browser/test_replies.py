"""Replying to customers in a browser: by keyboard, on a phone, in both languages; what fails and what is unknown."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from conversations.models import Message
from escalations.models import Escalation, Reply
from tests import factories, wording
from tests.browser.conftest import PHONE, Visitor
from tests.escalations.conftest import address
from tests.escalations.replies.conftest import gateway as gateway
from tests.programs import wait_until

pytestmark = pytest.mark.browser

Visit = Callable[..., Visitor]
WORDS = {"en": "Your order left today.", "ar": "خرج طلبك اليوم."}


@pytest.fixture
def escalations(committed_database: str) -> list[Escalation]:
    return [factories.waiting(minutes=minutes, content=f"message {minutes}") for minutes in (90, 60, 30)]


def box(page: Page):
    return page.locator("#reply-text")


@pytest.mark.parametrize("language", ["en", "ar"])
def test_from_home_to_the_next_in_three_presses(gateway, visit: Visit, salma, escalations, language) -> None:
    visitor = visit(salma, language=language)
    visitor.open("/")
    page = visitor.page
    page.locator(f'a[href="{address(escalations[0])}"]').first.click()  # 1: the one that has waited longest
    expect(page.locator("[data-send-resolve]")).to_be_visible()
    page.keyboard.press("w")  # 2: to the box
    expect(box(page)).to_be_focused()
    page.keyboard.type(WORDS[language])
    page.keyboard.press("Control+Shift+Enter")  # 3: send, resolve, next
    page.wait_for_url(re.compile(str(escalations[1].pk)))
    [delivered] = gateway.delivered
    assert (delivered.number, delivered.text) == (escalations[0].whatsapp_number, WORDS[language])
    assert Escalation.objects.get(pk=escalations[0].pk).resolved_at is not None
    assert Message.objects.filter(content=WORDS[language], role="assistant").count() == 1
    assert visitor.complaints == []


@pytest.mark.parametrize("language", ["en", "ar"])
def test_on_a_phone(gateway, visit: Visit, salma, escalations, language) -> None:
    visitor = visit(salma, language=language, viewport=PHONE, has_touch=True)
    visitor.open(address(escalations[0]))
    page = visitor.page
    # In reach without scrolling.
    place = box(page).bounding_box()
    assert place is not None
    assert 0 <= place["y"] <= PHONE["height"] - place["height"]
    assert visitor.overflow() == 0
    box(page).tap()
    page.keyboard.type(WORDS[language])
    page.locator("[data-send]").tap()
    expect(page.locator(".chat__message--reply")).to_contain_text(WORDS[language])
    assert len(gateway.delivered) == 1
    expect(box(page)).to_have_value("")
    assert visitor.complaints == []


def test_the_box_is_accessible_and_quiet(gateway, visit: Visit, salma, escalations) -> None:
    gateway.misbehave("hang")
    visitor = visit(salma)
    visitor.open(address(escalations[0]))
    page = visitor.page
    box(page).fill("First")
    box(page).press("Control+Enter")
    expect(page.locator(".unsent--unknown")).to_be_visible()
    expect(page.locator(".reply__state")).to_contain_text(wording.NOT_CLEAR_WHETHER_SENT)
    assert visitor.violations() == []
    # Enter alone begins a line, and nothing that is typed is a key of the desk.
    box(page).fill("")
    box(page).press("c")
    box(page).press("Enter")
    box(page).press("r")
    expect(box(page)).to_have_value("c\nr")
    assert (len(gateway.requests), Escalation.objects.filter(resolved_at=None).count()) == (1, 3)
    # A person looks into WhatsApp, and decides.
    page.get_by_role("button", name="It arrived").click()
    expect(page.locator(".unsent")).to_have_count(0)
    expect(page.locator(".chat__message--reply")).to_contain_text("First")
    expect(box(page)).to_have_value("c\nr")
    assert visitor.complaints == []


def test_what_failed_stays_in_the_box_and_is_sent_again_once(gateway, visit: Visit, salma, escalations) -> None:
    gateway.misbehave("broken")
    visitor = visit(salma)
    visitor.open(address(escalations[0]))
    page = visitor.page
    box(page).fill("Please wait")
    page.locator("[data-send]").click()
    expect(page.locator(".reply__state")).to_contain_text(f"Not sent. {wording.GATEWAY_DISCONNECTED}")
    expect(box(page)).to_have_value("Please wait")
    expect(page.locator(".unsent--failed")).to_have_count(1)
    page.locator("[data-send]").dblclick()
    expect(page.locator(".chat__message--reply")).to_contain_text("Please wait")
    expect(page.locator(".unsent")).to_have_count(0)
    assert [one.text for one in gateway.delivered] == ["Please wait"]
    assert sorted(Reply.objects.values_list("state", flat=True)) == ["failed", "sent"]
    assert visitor.complaints == []


def test_a_failed_reply_is_shown_once_and_sent_once(gateway, visit: Visit, salma, escalations) -> None:
    """In the box, also after loading the page again; with its button once the box is emptied."""
    gateway.misbehave("broken")
    visitor = visit(salma)
    visitor.open(address(escalations[0]))
    page = visitor.page
    box(page).fill("Please wait")
    page.locator("[data-send]").click()
    failed = page.locator(".unsent--failed")
    expect(failed).to_be_hidden()
    visitor.open(address(escalations[0]))
    expect(box(page)).to_have_value("Please wait")
    expect(failed).to_be_hidden()
    expect(page.locator(".reply__state")).to_contain_text(wording.GATEWAY_DISCONNECTED)
    box(page).fill("")
    expect(failed).to_be_visible()
    box(page).fill("Please wait!")
    expect(failed).to_be_hidden()
    # Sent again from another tab: the box says so, and can be used again.
    other = visit(salma)
    other.open(address(escalations[0]))
    other.page.get_by_role("button", name="Send again").click()
    wait_until(lambda: len(gateway.delivered) == 1)
    page.locator("[data-send]").click()
    expect(page.locator(".reply__state")).to_contain_text(wording.ALREADY_SENT_AGAIN)
    expect(box(page)).to_have_value("Please wait!")
    page.locator("[data-send]").click()
    wait_until(lambda: len(gateway.delivered) == 2)
    assert [one.text for one in gateway.delivered] == ["Please wait", "Please wait!"]
    assert visitor.complaints == []


def test_a_page_that_is_left_while_it_sends_keeps_no_draft_of_it(
    gateway, visit: Visit, salma, escalations, settings
) -> None:
    settings.EVOLUTION_API_TIMEOUT = 20.0
    gateway.seconds = 4.0
    visitor = visit(salma)
    visitor.open(address(escalations[0]))
    page = visitor.page
    box(page).fill("Hello")
    page.locator("[data-send]").click()
    expect(page.locator(".reply__state")).to_contain_text(wording.CAN_LEAVE)
    visitor.open(address(escalations[1]))
    visitor.open(address(escalations[0]))
    expect(page.locator(".reply__state")).to_contain_text("Sent.")
    expect(box(page)).to_have_value("")
    visitor.open(address(escalations[0]))
    expect(box(page)).to_have_value("")
    assert [one.text for one in gateway.delivered] == ["Hello"]
    # The button of the card says nothing that stays.
    gateway.seconds = 0.0
    gateway.misbehave("broken")
    box(page).fill("Second")
    page.locator("[data-send]").click()
    box(page).fill("")
    gateway.seconds = 4.0
    page.get_by_role("button", name="Send again").click()
    expect(page.locator(".unsent--sending")).to_be_visible()
    expect(page.locator(".reply__state")).to_be_empty()
    expect(page.locator(".chat__message--reply")).to_have_count(2)
    assert visitor.complaints == []


def test_a_text_that_is_too_long_is_not_cut_off(gateway, visit: Visit, salma, escalations) -> None:
    visitor = visit(salma)
    visitor.open(address(escalations[0]))
    page = visitor.page
    box(page).fill("😀" * 4096)
    page.locator("[data-send]").click()
    wait_until(lambda: len(gateway.delivered) == 1)
    expect(box(page)).to_have_value("")
    box(page).fill("x" * 4099)
    expect(page.locator(".reply__count")).to_have_text("-3")
    page.locator("[data-send]").click()
    assert box(page).evaluate("element => element.validationMessage") == wording.LONGEST_REPLY.format(4096)
    expect(box(page)).to_have_value("x" * 4099)
    assert [len(one.text) for one in gateway.delivered] == [4096]


def test_a_draft_survives_leaving_and_signing_out(gateway, visit: Visit, salma, escalations) -> None:
    visitor = visit(salma)
    visitor.open(address(escalations[0]))
    box(visitor.page).fill("Half a sentence")
    visitor.open(address(escalations[1]))
    expect(box(visitor.page)).to_have_value("")
    visitor.open(address(escalations[0]))
    expect(box(visitor.page)).to_have_value("Half a sentence")
    visitor.context.clear_cookies()
    visitor.open(address(escalations[0]))
    visitor.log_in(salma)
    visitor.open(address(escalations[0]))
    expect(box(visitor.page)).to_have_value("Half a sentence")
    box(visitor.page).press("Control+Enter")
    wait_until(lambda: len(gateway.delivered) == 1)
    expect(box(visitor.page)).to_have_value("")
    visitor.open(address(escalations[0]))
    expect(box(visitor.page)).to_have_value("")


def test_an_answer_of_this_app_that_is_lost_is_looked_up(gateway, visit: Visit, salma, escalations) -> None:
    """The reply was sent, and the answer never reached the browser: it is not sent again."""
    visitor = visit(salma)
    visitor.open(address(escalations[0]))
    page = visitor.page

    def lose(route) -> None:
        route.fetch()
        route.abort()

    page.route("**/reply/", lose)
    box(page).fill("Hello")
    page.locator("[data-send]").click()
    expect(page.locator(".chat__message--reply")).to_contain_text("Hello")
    expect(box(page)).to_have_value("")
    assert len(gateway.requests) == 1
    # And one that never left the browser.
    page.unroute("**/reply/")
    page.route("**/reply/", lambda route: route.abort())
    box(page).fill("Again")
    page.locator("[data-send]").click()
    expect(page.locator(".reply__state")).to_contain_text(wording.NOT_SENT)
    page.unroute("**/reply/")
    page.locator("[data-send]").click()
    expect(page.locator(".chat__message--reply")).to_have_count(2)
    assert [one.text for one in gateway.delivered] == ["Hello", "Again"]


@pytest.mark.parametrize("has_arrived", [True, False])
def test_a_long_time_without_a_connection_loses_no_text(gateway, visit: Visit, salma, escalations, has_arrived) -> None:
    visitor = visit(salma)
    page = visitor.page
    page.clock.install()
    visitor.open(address(escalations[0]))

    def lose(route) -> None:
        if has_arrived and route.request.method == "POST":
            route.fetch()
        route.abort()

    page.route(re.compile("/repl(y|ies)/"), lose)
    box(page).fill("Hello")
    page.locator("[data-send]").click()
    expect(page.locator(".reply__state")).to_contain_text("Connection lost")
    page.clock.fast_forward(61_000)
    expect(page.locator(".reply__state")).to_contain_text(wording.PRESS_SEND_AGAIN)
    expect(box(page)).to_have_value("Hello")
    page.unroute_all()
    page.locator("[data-send]").click()
    expect(box(page)).to_have_value("")
    assert [one.text for one in gateway.delivered] == ["Hello"]


def test_a_canned_reply_is_put_where_one_writes(gateway, visit: Visit, salma, escalations) -> None:
    factories.customer(escalations[0].instance, escalations[0].whatsapp_number, name="Mona")
    visitor = visit(salma)
    visitor.open(address(escalations[0]))
    page = visitor.page
    box(page).fill("One.")
    page.locator("[data-canned-reply]").select_option(index=2)
    assert re.match(r"One\.\nHello Mona, this is Salma from ", box(page).input_value())
    # The direction follows what is typed, whatever the language of the page.
    assert box(page).evaluate("element => getComputedStyle(element).direction") == "ltr"
    box(page).fill("مرحبًا")
    assert box(page).evaluate("element => getComputedStyle(element).direction") == "rtl"
