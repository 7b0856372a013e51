"""The desk is live: two people at two browsers, on the wall clock."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone
from playwright.sync_api import Page, expect

from escalations import procedures
from escalations.desk import board
from escalations.models import Escalation, EscalationState
from tests import factories, wording
from tests.browser.conftest import Visitor
from waops.models import User

pytestmark = pytest.mark.browser

QUEUE = "/escalations/escalation/"
SOON = 3_000
"""Milliseconds in which what one does shows at the other."""

Visit = Callable[..., Visitor]


@pytest.fixture
def at_escalation(salma: User, visit: Visit) -> tuple[Visitor, Escalation]:
    """Salma, with an escalation before her whose page listens."""
    escalation = factories.waiting(minutes=90)
    return at(visit(salma), escalation), escalation


def at(visitor: Visitor, escalation: Escalation) -> Visitor:
    with visitor.page.expect_response(lambda answer: "/live/?" in answer.url):
        visitor.open(page_of(escalation))
    return visitor


def page_of(escalation: Escalation) -> str:
    return f"{QUEUE}{escalation.pk}/change/"


def writes(escalation: Escalation, text: str = "one more thing") -> None:
    factories.message(escalation.instance.conversations.get(), text, timestamp=timezone.now())


# What others do


def test_a_message_appears_and_resolving_knows_what_was_read(at_escalation) -> None:
    visitor, escalation = at_escalation
    page = visitor.page
    writes(escalation)
    expect(page.locator(".chat__message--customer").last).to_contain_text("one more thing", timeout=SOON)
    # It was in view: read.
    page.locator('[data-key="resolve"]').click()
    page.locator(".messagelist .success").wait_for()
    assert visitor.complaints == []


def test_a_message_below_what_is_read_moves_nothing_and_is_not_read(at_escalation) -> None:
    visitor, escalation = at_escalation
    chat = escalation.instance.conversations.get()
    for place in range(40):
        factories.message(chat, f"long ago {place} " * 9, timestamp=factories.ago(minutes=200 - place))
    at(visitor, escalation)
    page = visitor.page
    frame = page.locator(".talk__scroll")
    frame.evaluate("frame => { frame.scrollTop = -600; }")
    reading = page.locator(".chat__message", has_text="long ago 20 ").first
    before = reading.bounding_box()
    writes(escalation)
    mark = page.locator("[data-new-messages] a")
    expect(mark).to_be_visible(timeout=SOON)
    assert mark.inner_text().split()[0] == "1"
    assert abs(reading.bounding_box()["y"] - before["y"]) < 2
    page.keyboard.press("r")
    page.keyboard.press("Enter")
    expect(page.locator(".messagelist .warning")).to_contain_text(wording.WROTE_SINCE_OPENED)
    escalation.refresh_from_db()
    assert escalation.resolved_at is None
    expect(page.locator(".chat__message--customer").last).to_contain_text("one more thing")
    page.locator('[data-key="resolve"]').click()
    page.locator(".messagelist .success").wait_for()
    # The page that warns is an answer of status 409, which browsers report.
    assert [told for told in visitor.complaints if "409" not in told] == []


def test_the_mark_leads_to_the_message(at_escalation) -> None:
    visitor, escalation = at_escalation
    chat = escalation.instance.conversations.get()
    for place in range(40):
        factories.message(chat, f"long ago {place} " * 9, timestamp=factories.ago(minutes=200 - place))
    at(visitor, escalation)
    page = visitor.page
    page.locator(".talk__scroll").evaluate("frame => { frame.scrollTop = -600; }")
    writes(escalation)
    page.locator("[data-new-messages] a").click(timeout=SOON)
    expect(page.locator("[data-new-messages]")).to_be_hidden()
    expect(page.locator(".chat__message--customer").last).to_be_in_viewport()


def test_a_claim_a_hand_over_and_a_closing_show_at_the_others_page(at_escalation, omar: User, salma: User) -> None:
    visitor, escalation = at_escalation
    changed = visitor.page.locator("[data-changed]")
    procedures.claim([escalation.pk], omar)
    expect(changed).to_contain_text("Now claimed by \u2068Omar\u2069.", timeout=SOON)
    procedures.hand_over([escalation.pk], omar, salma)
    expect(changed).to_contain_text(f"\u2068Omar\u2069 {wording.HANDED_IT_OVER}", timeout=SOON)
    procedures.resolve([escalation.pk], salma)
    expect(changed).to_contain_text(f"{wording.RESOLVED_IN_THE_MEANTIME} \u2068Salma\u2069.", timeout=SOON)
    assert visitor.complaints == []


def test_they_show_in_the_others_queue(salma: User, omar: User, visit: Visit) -> None:
    first, second, third = (factories.waiting(minutes=minutes) for minutes in (90, 60, 30))
    visitor = visit(salma)
    page = visitor.page
    visitor.open(QUEUE)
    expect(page).to_have_title(re.compile(r"^\(3\)"))
    procedures.claim([first.pk], omar)
    expect(page.locator(f"#escalation-{first.pk} [data-claimant] >> text=Omar")).to_be_visible(timeout=SOON)
    procedures.hand_over([second.pk], omar, salma)
    expect(page.locator(f"#escalation-{second.pk} .person--me >> text=Salma")).to_be_visible(timeout=SOON)
    procedures.resolve([third.pk], omar)
    expect(page.locator(f"#escalation-{third.pk} [data-closed]")).to_contain_text("Omar", timeout=SOON)
    writes(first)
    expect(page.locator(f"#escalation-{first.pk} [data-wrote]")).to_be_visible(timeout=SOON)
    assert visitor.complaints == []


def test_a_claim_that_ends_is_said_in_one_sentence(at_escalation, salma: User) -> None:
    visitor, escalation = at_escalation
    procedures.claim([escalation.pk], salma)
    at(visitor, escalation)
    page = visitor.page
    expect(page.locator(".holder__who")).to_contain_text("Yours")
    EscalationState.objects.update(claimed_at=factories.ago(minutes=20), lease_until=factories.ago(minutes=10))
    expect(page.locator("[data-changed]")).to_contain_text(wording.CLAIM_ENDED, timeout=SOON)
    expect(page.locator(".holder__who")).to_be_hidden()


def test_answering_in_another_tab_keeps_the_claim(at_escalation, salma: User) -> None:
    visitor, escalation = at_escalation
    procedures.claim([escalation.pk], salma)
    page = visitor.page
    page.clock.install()
    at(visitor, escalation)
    hide = "Object.defineProperty(document, 'hidden', { get: () => true })"
    page.evaluate(hide)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    EscalationState.objects.update(lease_until=timezone.now() + timedelta(minutes=1))
    cache.delete(board.KEY)  # the board of a moment ago is kept
    with page.expect_response(lambda answer: 'name="away"' in (answer.request.post_data or "")):
        page.clock.run_for(10_500)
    expect(page.locator(".holder__who")).to_contain_text("Yours")
    assert EscalationState.objects.get().lease_until > timezone.now() + timedelta(minutes=8)


# Alerts


def listening(visitor: Visitor, path: str) -> Page:
    """A page whose sound is on; `tones` counts how often it played."""
    page = visitor.page
    visitor.context.add_init_script("localStorage.setItem('desk-sound', 'on');")
    visitor.context.add_init_script(
        "window.tones = 0; const Real = AudioContext;"
        "window.AudioContext = class extends Real { constructor() { super(); window.tones += 1; } };"
    )
    with page.expect_response(lambda answer: "/live/?" in answer.url):
        visitor.open(path)
    return page


def test_one_closed_and_one_new_at_once_give_a_tone(salma: User, omar: User, visit: Visit) -> None:
    old = factories.waiting(minutes=90)
    page = listening(visit(salma), QUEUE)
    procedures.resolve([old.pk], omar)
    new = factories.waiting(minutes=-0.1)
    mark = page.locator('[data-mark="new"]')
    expect(mark).to_be_visible(timeout=SOON)
    assert page.evaluate("window.tones") == 1
    page.wait_for_timeout(2_500)
    assert page.evaluate("window.tones") == 1
    mark.click()
    page.wait_for_url(f"**{page_of(new)}")


def test_several_new_ones_are_listed_by_themselves(salma: User, visit: Visit) -> None:
    for minutes in range(12):
        factories.waiting(minutes=90 + minutes)
    visitor = visit(salma)
    page = listening(visitor, f"{QUEUE}?view=unclaimed")
    new = {f"escalation-{factories.waiting(minutes=-0.1).pk}" for _ in range(2)}
    mark = page.locator('[data-mark="new"]')
    expect(mark).to_contain_text("2", timeout=SOON)
    mark.click()
    page.wait_for_url("**only=**")
    assert {row.get_attribute("id") for row in page.locator("tr[data-escalation]").all()} == new
    assert visitor.complaints == []


def test_what_the_filters_leave_out_is_not_announced(salma: User, visit: Visit) -> None:
    shown = factories.waiting(minutes=90)
    page = listening(visit(salma), f"{QUEUE}?number={shown.instance_id}")
    factories.waiting(minutes=-0.1)
    expect(page.locator('[data-count="open"]')).to_have_text("2", timeout=SOON)
    assert page.locator('[data-mark="new"]').is_hidden()
    assert page.evaluate("window.tones") == 0


@pytest.mark.parametrize("path", ["/", f"{QUEUE}search/", f"{QUEUE}attention/", f"{QUEUE}reports/"])
def test_what_is_handed_over_is_told_wherever_the_colleague_is(salma: User, omar: User, visit: Visit, path) -> None:
    escalation = factories.waiting(minutes=90)
    visitor = visit(salma)
    page = listening(visitor, path)
    procedures.hand_over([escalation.pk], omar, salma)
    mark = page.locator('[data-mark="handed"]')
    expect(mark).to_be_visible(timeout=SOON)
    expect(page).to_have_title(re.compile(f"\u2068Omar\u2069 {wording.HANDED_ONE_OVER}"))
    assert page.evaluate("window.tones") == 1
    mark.click()
    page.wait_for_url(f"**{page_of(escalation)}")
    assert page.locator('[data-mark="handed"]').is_hidden()
    assert (visitor.complaints, visitor.overflow()) == ([], 0)


def test_a_message_of_ones_own_customer_is_told_elsewhere_and_can_be_turned_off(
    salma: User, omar: User, visit: Visit
) -> None:
    mine, other = factories.waiting(minutes=90), factories.waiting(minutes=80)
    procedures.claim([mine.pk], salma)
    procedures.claim([other.pk], omar)
    page = listening(visit(salma), QUEUE)
    writes(other)
    writes(mine)
    mark = page.locator('[data-mark="wrote"]')
    expect(mark).to_be_visible(timeout=SOON)
    assert page.evaluate("window.tones") == 1
    page.locator('[popovertarget="alerts"]').click()
    page.locator('[data-kind="wrote"]').uncheck()
    writes(mine, "and another")
    page.wait_for_timeout(SOON)
    assert page.evaluate("window.tones") == 1
    mark.click()
    page.wait_for_url(f"**{page_of(mine)}")
    expect(page.locator('[data-mark="wrote"]')).to_be_hidden()


# The way through the queue


def test_j_and_k_leave_out_what_a_colleague_has_closed(salma: User, omar: User, visit: Visit) -> None:
    first, second, third = (factories.waiting(minutes=minutes) for minutes in (90, 60, 30))
    page = visit(salma).page
    visitor = visit(salma)
    page = visitor.page
    visitor.open(QUEUE)
    page.locator(f"#escalation-{first.pk} .escalation__customer a").click()
    page.wait_for_url(f"**{page_of(first)}*")
    with page.expect_response(lambda answer: "/live/?" in answer.url and answer.status == 200):
        procedures.resolve([second.pk], omar)
    page.wait_for_timeout(SOON)
    page.keyboard.press("j")
    page.wait_for_url(f"**{page_of(third)}*")
    page.keyboard.press("k")
    page.wait_for_url(f"**{page_of(first)}*")


# Keys


def test_every_action_has_a_key(salma: User, omar: User, visit: Visit) -> None:
    escalation = factories.waiting(minutes=90)
    visitor = visit(salma)
    page = visitor.page
    visitor.open(page_of(escalation))
    page.keyboard.press("n")
    expect(page.locator('#close [name="note"]')).to_be_focused()
    page.keyboard.press("s")
    expect(page.locator('#close [name="note"]')).to_have_value("s")
    page.locator("h1").click()
    page.keyboard.press("s")
    expect(page.locator('[name="until"]').first).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("h")
    expect(page.locator('[name="to"]')).to_be_focused()
    page.keyboard.press("Escape")
    with visitor.context.expect_page() as opened:
        page.keyboard.press("g")
    assert opened.value.url.startswith(("https://wa.me/", "about:blank", "chrome-error:"))
