"""The desk by keyboard, on any layout, and long conversations by scrolling."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from escalations.models import Escalation, Event
from tests import factories
from tests.browser.conftest import PHONE, Visitor
from waops.models import User

pytestmark = pytest.mark.browser

QUEUE = "/escalations/escalation/"
ARABIC = {"KeyJ": "ت", "KeyK": "ن", "KeyO": "خ", "KeyC": "ؤ", "KeyR": "ق", "KeyE": "ث", "KeyU": "ع", "Slash": "ظ"}

Visit = Callable[..., Visitor]


@pytest.fixture
def escalations(committed_database: str) -> list[Escalation]:
    return [factories.waiting(minutes=minutes) for minutes in (90, 60, 30)]


def press(page: Page, code: str, layout: str = "en", **modifiers: bool) -> None:
    """A key as a keyboard of that language sends it."""
    key = ARABIC[code] if layout == "ar" else code.removeprefix("Key").lower()
    page.evaluate(
        "event => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {bubbles: true, ...event}))",
        {"code": code, "key": key, **modifiers},
    )


@pytest.mark.parametrize("layout", ["en", "ar"])
def test_a_day_by_keyboard(salma: User, escalations: list[Escalation], visit: Visit, layout: str) -> None:
    visitor = visit(salma, language=layout)
    page = visitor.page
    visitor.open(QUEUE)
    for code in ("KeyJ", "KeyJ", "KeyJ", "KeyK"):
        press(page, code, layout)
    assert page.evaluate("document.activeElement.closest('tr').dataset.escalation") == str(escalations[1].pk)
    press(page, "KeyC", layout)
    page.locator(f"#escalation-{escalations[1].pk} .person--me").wait_for()
    press(page, "KeyO", layout)  # the claim has left the focus on its row
    page.wait_for_url(f"**{escalations[1].pk}/change/")
    press(page, "KeyE", layout)
    page.locator("dialog#confirm[open]").wait_for()
    page.keyboard.press("Escape")
    assert Event.objects.count() == 1
    press(page, "KeyE", layout)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{escalations[0].pk}/change/")
    press(page, "KeyJ", layout)  # past the one that is resolved by now
    page.wait_for_url(f"**{escalations[2].pk}/change/")
    press(page, "KeyK", layout)
    page.wait_for_url(f"**{escalations[0].pk}/change/")
    press(page, "KeyU", layout)
    page.wait_for_url(f"**{QUEUE}")
    assert list(Event.objects.order_by("pk").values_list("kind", flat=True)) == ["claimed", "resolved"]
    assert visitor.complaints == []


def test_keys_do_nothing_while_typing(salma: User, escalations: list[Escalation], visit: Visit) -> None:
    visitor = visit(salma)
    page = visitor.page
    visitor.open(f"{QUEUE}{escalations[0].pk}/change/")
    page.locator('[name="note"]').click()
    page.keyboard.type("react to the cc, ok? juke")
    page.locator("h1").click()
    press(page, "KeyR", ctrlKey=True)
    page.wait_for_timeout(200)
    assert page.locator('[name="note"]').input_value() == "react to the cc, ok? juke"
    assert Event.objects.count() == 0


def test_a_person_switches_the_keys_off(salma: User, escalations: list[Escalation], visit: Visit) -> None:
    visitor = visit(salma)
    page = visitor.page
    visitor.open(QUEUE)
    page.locator("[data-keys]").click()
    page.locator("[data-keys-on]").uncheck()
    visitor.open(f"{QUEUE}{escalations[0].pk}/change/")
    press(page, "KeyC")
    press(page, "KeyR")
    page.wait_for_timeout(200)
    assert page.locator("dialog[open]").count() == 0
    assert Event.objects.count() == 0


def test_a_claim_leaves_the_queue_where_it_was(salma: User, committed_database: str, visit: Visit) -> None:
    waiting = [factories.waiting(minutes=minutes) for minutes in range(200, 160, -1)]
    visitor = visit(salma)
    page = visitor.page
    visitor.open(QUEUE)
    row = page.locator(f"#escalation-{waiting[30].pk}")
    row.scroll_into_view_if_needed()
    top = row.bounding_box()["y"]
    row.locator("[data-claim]").click()
    row.locator(".person--me").wait_for()
    assert abs(row.bounding_box()["y"] - top) < 2
    assert page.evaluate("document.activeElement.closest('tr').dataset.escalation") == str(waiting[30].pk)


def test_the_help_lists_the_keys(salma: User, escalations: list[Escalation], visit: Visit) -> None:
    for language in ("en", "ar"):
        visitor = visit(salma, language=language)
        visitor.open(QUEUE)
        press(visitor.page, "Slash", shiftKey=True)
        visitor.page.locator("dialog#keys[open]").wait_for()
        assert visitor.violations() == []
        press(visitor.page, "KeyJ")
        visitor.page.keyboard.press("Escape")
        assert visitor.page.locator("dialog#keys[open]").count() == 0
        press(visitor.page, "Slash", language)
        assert visitor.page.evaluate("document.activeElement.name") == "q"
    # German keyboards have the question mark elsewhere.
    visitor.open(QUEUE)
    visitor.page.evaluate(
        "document.body.dispatchEvent(new KeyboardEvent('keydown',"
        " {bubbles: true, code: 'Minus', key: '?', shiftKey: true}))"
    )
    visitor.page.locator("dialog#keys[open]").wait_for()


@pytest.mark.parametrize("options", [{}, {"viewport": PHONE, "language": "ar"}])
def test_a_chat_opens_at_its_end_and_goes_back_by_scrolling(salma: User, visit: Visit, options: dict) -> None:
    escalation = factories.waiting(minutes=5, content="the very last")
    chat = escalation.instance.conversations.get()
    for number in range(1, 120):
        factories.message(
            chat, f"message-{number:03}", timestamp=escalation.escalated_at - timedelta(minutes=10 + number)
        )
    visitor = visit(salma, **options)
    page = visitor.page
    visitor.open(f"{QUEUE}{escalation.pk}/change/")
    messages = page.locator(".talk__scroll .chat__message")
    last = page.locator("#chat").get_by_text("the very last")
    frame = page.locator(".talk__scroll")
    bottom = frame.bounding_box()["y"] + frame.bounding_box()["height"]
    assert last.bounding_box()["y"] < bottom
    assert messages.count() == 50
    while (count := messages.count()) < 120:
        frame.evaluate("frame => frame.scrollTo(0, -frame.scrollHeight)")
        expect(messages).not_to_have_count(count)
    texts = messages.locator(".outside-block").all_inner_texts()
    assert texts == [*(f"message-{number:03}" for number in range(119, 0, -1)), "the very last"]
    days = page.locator(".talk__scroll .chat__day time").evaluate_all("all => all.map(day => day.dateTime)")
    assert len(days) == len(set(days))
    assert page.locator(".chat__older").count() == 0
    assert visitor.complaints == []
