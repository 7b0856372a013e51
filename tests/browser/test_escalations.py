"""A working day at the desk, in a real browser."""

from collections.abc import Callable
from itertools import product

import psycopg
import pytest

from escalations.models import Escalation, Event
from escalations.queries import open_escalations
from tests import wording
from tests.browser.conftest import DESKTOP, PHONE, Visitor
from tests.factories import staff
from waops.dev import demo
from waops.models import User

pytestmark = pytest.mark.browser

QUEUE = "/escalations/escalation/"
LOOKS = [
    pytest.param({"language": language, "color_scheme": scheme, "viewport": viewport}, id=f"{language}-{scheme}-{name}")
    for language, (scheme, name, viewport) in product(
        ("en", "ar"), (("light", "desktop", DESKTOP), ("dark", "phone", PHONE))
    )
]

Visit = Callable[..., Visitor]


@pytest.fixture
def demo_data(committed_database: str) -> None:
    with psycopg.connect(committed_database) as connection:
        demo.load(connection)


@pytest.fixture
def salma(demo_data: None) -> User:
    return staff("Support", username="salma", first_name="Salma")


@pytest.mark.parametrize("look", LOOKS)
def test_a_person_resolves_the_longest_waiting(salma: User, visit: Visit, look: dict) -> None:
    longest, following = open_escalations()[:2]
    visitor = visit(salma, **look)
    page = visitor.page

    visitor.open("/")
    page.locator("main .panel form a.button").click()
    page.wait_for_url(f"**{QUEUE}")
    page.locator(".escalation__customer a").first.click()
    page.wait_for_url(f"**{longest.pk}/change/")
    page.locator('[data-key="resolve"]').click()
    page.locator(".messagelist .success").wait_for()

    longest.refresh_from_db()
    assert longest.resolved_at is not None
    assert Event.objects.get().actor == salma
    assert page.locator(".escalation-head .status--done").is_visible()
    page.locator(".escalation-head__actions a.button--main").click()
    page.wait_for_url(f"**{following.pk}/change/")
    assert (visitor.complaints, visitor.overflow()) == ([], 0)


@pytest.mark.parametrize("look", LOOKS)
def test_pages_of_every_state_are_accessible_and_fit(salma: User, few_rows: None, visit: Visit, look: dict) -> None:
    visitor = visit(salma, **look)
    found = []
    escalations = [Escalation.objects.filter(resolved_at__isnull=resolved).first() for resolved in (True, False)]
    lonely = Escalation.objects.create(whatsapp_number="120363041234567890@g.us", conversation_context={"odd": 1})
    for address in (
        "/",
        QUEUE,
        *(f"{QUEUE}?view={view}" for view in ("mine", "snoozed", "resolved")),
        f"{QUEUE}?q=nobody",
        f"{QUEUE}?business=x",
        *(f"{QUEUE}{escalation.pk}/change/" for escalation in [*escalations, lonely]),
    ):
        status = visitor.open(address)
        assert status == (400 if address.endswith("business=x") else 200)
        found += [f"{address}: {fault}" for fault in visitor.violations()]
        if overflow := visitor.overflow():
            found.append(f"{address}: {overflow} pixels too wide")
        assert visitor.page.locator("h1").count() == 1
    assert found == []
    assert [text for text in visitor.complaints if "400 (Bad Request)" not in text] == []


def test_of_two_people_with_the_same_escalation_open_the_second_is_told(salma: User, visit: Visit) -> None:
    escalation = open_escalations()[0]
    first, second = visit(salma), visit(staff("Support", username="omar"), language="ar")
    for visitor in (first, second):
        visitor.open(f"{QUEUE}{escalation.pk}/change/")
    for visitor in (first, second):
        visitor.page.locator('[data-key="resolve"]').click()
    first.page.locator(".messagelist .success").wait_for()
    told = second.page.locator(".messagelist .warning")
    told.wait_for()
    assert "Salma" in told.inner_text()
    assert second.page.locator(".escalation-head .status--done").is_visible()
    assert second.page.locator('[data-key="resolve"]').count() == 0
    assert Event.objects.count() == 1


def test_selected_rows_are_resolved_together(salma: User, visit: Visit) -> None:
    waiting = list(open_escalations()[:4])
    visitor = visit(salma)
    page = visitor.page
    visitor.open(QUEUE)
    button = page.locator('#bulk button[value="resolve"]')
    assert button.is_disabled()
    for escalation in waiting[:3]:
        page.locator(f'input[name="escalation"][value="{escalation.pk}"]').check()
    page.locator(f'input[name="escalation"][value="{waiting[1].pk}"]').uncheck()
    assert page.locator("[data-selected-count]").inner_text() == "2"
    button.click()
    page.get_by_text(f"2 {wording.CAN_BE_DONE}").wait_for()
    assert visitor.violations() == []
    page.locator(".bulk button.button--main").click()
    page.get_by_text("2 done.").wait_for()
    assert page.locator(".escalation__result").all_inner_texts() == ["Resolved", "Resolved"]
    assert list(open_escalations()[:2]) == [waiting[1], waiting[3]]
    assert visitor.complaints == []


def test_all_of_a_page_are_selected_at_once(salma: User, visit: Visit) -> None:
    visitor = visit(salma)
    visitor.open(QUEUE)
    everything = visitor.page.locator("[data-select-all]")
    everything.check()
    boxes = visitor.page.locator('input[name="escalation"]')
    assert boxes.count() == visitor.page.locator('input[name="escalation"]:checked').count() == 50
    boxes.first.uncheck()
    assert everything.evaluate("box => box.indeterminate")


def test_without_script_selecting_and_resolving_work(salma: User, visit: Visit) -> None:
    escalation = open_escalations()[0]
    visitor = visit(salma, java_script_enabled=False)
    visitor.open(QUEUE)
    visitor.page.locator(f'input[name="escalation"][value="{escalation.pk}"]').check()
    visitor.page.locator('#bulk button[value="resolve"]').click()
    visitor.page.locator(".bulk button.button--main").click()
    visitor.page.get_by_text("1 done.").wait_for()
    escalation.refresh_from_db()
    assert escalation.resolved_at is not None


def test_the_number_is_copied_as_it_is_stored(salma: User, visit: Visit) -> None:
    escalation = open_escalations()[0]
    visitor = visit(salma, permissions=["clipboard-read", "clipboard-write"])
    visitor.open(f"{QUEUE}{escalation.pk}/change/")
    visitor.page.locator("[popovertarget=contact]").click()
    visitor.page.locator("[data-copy]").click()
    visitor.page.get_by_text("Copied").wait_for()
    assert visitor.page.evaluate("navigator.clipboard.readText()") == escalation.whatsapp_number


def test_a_long_conversation_opens_at_its_newest_message(salma: User, visit: Visit) -> None:
    visitor = visit(salma)
    for escalation in open_escalations()[:10]:
        visitor.open(f"{QUEUE}{escalation.pk}/change/")
        last = visitor.page.locator(".talk__scroll .chat > li").last
        if last.count():
            assert last.evaluate(
                "item => { const box = item.closest('.talk__scroll').getBoundingClientRect();"
                " return item.getBoundingClientRect().bottom <= box.bottom + 1 }"
            )
