"""Several people at the desk at once, in a real browser: claims, undo, snoozes, and what they see of each other."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from escalations.models import Escalation, Event
from escalations.procedures import claim, resolve
from tests import factories, wording
from tests.browser.conftest import DESKTOP, PHONE, Visitor
from waops.models import User

pytestmark = pytest.mark.browser

QUEUE = "/escalations/escalation/"
LOOKS = [
    pytest.param({"language": "en", "viewport": DESKTOP}, id="en-desktop"),
    pytest.param({"language": "ar", "viewport": DESKTOP}, id="ar-desktop"),
    pytest.param({"language": "en", "viewport": PHONE}, id="en-phone"),
    pytest.param({"language": "ar", "viewport": PHONE}, id="ar-phone"),
]
POLL = 10_500

Visit = Callable[..., Visitor]


def page_of(escalation: Escalation) -> str:
    return f"{QUEUE}{escalation.pk}/change/"


def listen(visitor: Visitor, path: str) -> None:
    """Open a page whose clock the test turns: `visitor.page.clock.run_for(POLL)`."""
    visitor.page.clock.install()
    visitor.open(path)


@pytest.mark.parametrize("look", LOOKS)
def test_of_two_who_claim_one_gets_it_and_the_other_learns_who(salma: User, omar: User, visit: Visit, look) -> None:
    escalation = factories.waiting(minutes=90)
    first, second = visit(salma, **look), visit(omar, **look)
    for visitor in (first, second):
        visitor.open(page_of(escalation))
    first.page.locator('[data-key="claim"]').click()
    first.page.locator(".messagelist .success").wait_for()
    assert first.page.locator(".person--me").is_visible()
    second.page.locator('[data-key="claim"]').click()
    told = second.page.locator(".messagelist .warning")
    told.wait_for()
    assert "Salma" in told.inner_text()
    assert "Salma" in second.page.locator(".holder__who").inner_text()
    assert second.page.locator('[data-key="resolve"]').count() == 0
    assert Event.objects.get().actor == salma
    for visitor in (first, second):
        assert (visitor.complaints, visitor.overflow(), visitor.violations()) == ([], 0, [])


@pytest.mark.parametrize("look", LOOKS)
def test_an_escalation_is_claimed_resolved_with_a_note_and_undone(salma: User, visit: Visit, look) -> None:
    escalation, following = factories.waiting(minutes=90), factories.waiting(minutes=20)
    visitor = visit(salma, **look)
    page = visitor.page
    visitor.open(QUEUE)
    page.locator(f"#escalation-{escalation.pk} [data-claim]").click()
    page.locator(f"#escalation-{escalation.pk} .person--me").wait_for()
    page.locator(f"#escalation-{escalation.pk} .escalation__customer a").click()
    page.locator("[data-canned]").select_option(index=1)
    page.locator('[name="outcome"]').select_option("answered")
    page.locator('[data-key="resolve-next"]').click()
    page.wait_for_url(f"**{page_of(following)}")
    resolved = Event.objects.get(kind="resolved")
    assert resolved.details["outcome"] == "answered"
    assert resolved.details["note"]
    page.locator(".messagelist button").click()
    page.wait_for_url(f"**{page_of(escalation)}")
    page.locator(".messagelist .success").wait_for()
    escalation.refresh_from_db()
    assert escalation.resolved_at is None
    assert (visitor.complaints, visitor.overflow()) == ([], 0)


def test_a_snoozed_escalation_comes_back_when_the_customer_writes(salma: User, visit: Visit) -> None:
    escalation = factories.waiting(minutes=90)
    visitor = visit(salma, language="ar")
    page = visitor.page
    visitor.open(page_of(escalation))
    page.locator(".holder [popovertarget]").first.click()
    assert visitor.violations() == []
    page.locator('[name="until"][value="customer"]').click()
    page.locator(".messagelist .success").wait_for()
    visitor.open(QUEUE)
    assert page.locator("tr[data-escalation]").count() == 0
    chat = escalation.instance.conversations.get()
    factories.message(chat, "أنا هنا", timestamp=timezone.now() + timedelta(seconds=1))
    visitor.open(QUEUE)
    assert "أنا هنا" in page.locator("tr[data-escalation]").inner_text()


def test_what_others_do_shows_without_moving_anything(salma: User, omar: User, visit: Visit) -> None:
    escalations = [factories.waiting(minutes=minutes) for minutes in (90, 60, 30)]
    visitor = visit(salma)
    page = visitor.page
    listen(visitor, QUEUE)
    expect(page).to_have_title(re.compile(r"^\(3\)"))
    before = page.locator("tr[data-escalation]").all()
    places = [row.bounding_box() for row in before]
    factories.waiting(minutes=-0.1)
    claim([escalations[0].pk], omar)
    resolve([escalations[1].pk], omar)
    page.clock.run_for(POLL)
    page.locator(f"#escalation-{escalations[0].pk} [data-claimant] >> text=Omar").wait_for()
    assert page.locator(f"#escalation-{escalations[0].pk} [data-claim]").is_hidden()
    assert "Omar" in page.locator(f"#escalation-{escalations[1].pk} [data-closed]").inner_text()
    assert page.title().startswith("(2)")
    assert page.locator("[data-mark=new]").inner_text().split() == ["1", "new"]
    assert page.locator('[data-count="today"]').inner_text() == "1"
    assert [row.get_attribute("id") for row in page.locator("tr[data-escalation]").all()] == [
        f"escalation-{escalation.pk}" for escalation in escalations
    ]
    assert [box["y"] for box in places] == [row.bounding_box()["y"] for row in before]
    page.locator("[data-mark=new]").click()
    page.wait_for_url("**/change/**")
    assert visitor.complaints == []


def test_who_looks_at_an_escalation_is_shown(salma: User, omar: User, visit: Visit) -> None:
    escalation = factories.waiting(minutes=90)
    other = visit(omar)
    other.open(page_of(escalation))
    other.page.wait_for_load_state("networkidle")
    visitor = visit(salma, language="ar")
    for path, place in (
        (QUEUE, f"#escalation-{escalation.pk} [data-viewers]"),
        (page_of(escalation), ".holder [data-viewers]"),
    ):
        visitor.open(path)
        visitor.page.locator(f"{place} >> text=Omar").wait_for()


def test_an_open_escalation_tells_when_a_colleague_takes_it(salma: User, omar: User, visit: Visit) -> None:
    escalation = factories.waiting(minutes=90)
    visitor = visit(salma)
    listen(visitor, page_of(escalation))
    claim([escalation.pk], omar)
    visitor.page.clock.run_for(POLL)
    visitor.page.get_by_text("Now claimed by \u2068Omar\u2069.").wait_for()
    resolve([escalation.pk], omar)
    visitor.page.clock.run_for(POLL)
    visitor.page.get_by_text(f"{wording.RESOLVED_IN_THE_MEANTIME} \u2068Omar\u2069.").wait_for()


def test_sound_and_notifications_are_off_until_asked_for(salma: User, visit: Visit) -> None:
    visitor = visit(salma, permissions=["notifications"])
    visitor.open(QUEUE)
    page = visitor.page
    page.locator("[data-alerts] [popovertarget]").click()
    for name in ("data-sound", "data-notify"):
        assert not page.locator(f"[{name}]").is_checked()
        page.locator(f"[{name}]").check()
    visitor.open(QUEUE)
    page.locator("[data-alerts] [popovertarget]").click()
    assert page.locator("[data-sound]").is_checked()
    assert visitor.complaints == []
