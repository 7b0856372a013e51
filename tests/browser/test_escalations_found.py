"""Getting to an escalation: through the queue's filters, and by handing a conversation to people."""

from collections.abc import Callable

import psycopg
import pytest

from conversations.models import Conversation
from escalations.annotations import with_people
from escalations.models import Escalation, Event
from escalations.queries import open_escalations
from tests.browser.conftest import DESKTOP, PHONE, Visitor
from tests.factories import staff
from waops.dev import demo
from waops.models import User

pytestmark = pytest.mark.browser

QUEUE = "/escalations/escalation/"
LOOKS = [
    pytest.param({"language": "en", "viewport": DESKTOP}, id="en-desktop"),
    pytest.param({"language": "ar", "color_scheme": "dark", "viewport": PHONE}, id="ar-dark-phone"),
]

Visit = Callable[..., Visitor]


@pytest.fixture
def salma(committed_database: str) -> User:
    with psycopg.connect(committed_database) as connection:
        demo.load(connection)
    return staff("Support", username="salma", first_name="Salma")


@pytest.mark.parametrize("look", LOOKS)
def test_filters_load_their_choices_on_demand(salma: User, visit: Visit, look: dict) -> None:
    escalation = next(escalation for escalation in with_people(open_escalations()) if escalation.business_name)
    visitor = visit(salma, **look)
    page = visitor.page
    visitor.open(QUEUE)
    assert page.locator("#id_business option").count() == 1
    page.locator(".narrow > summary").click()
    page.locator("#id_business").select_option(str(escalation.business_id))
    page.locator('.narrow__form button[type="submit"]').click()
    page.wait_for_url(f"**business={escalation.business_id}**")
    shown = page.locator("tr[data-escalation]").evaluate_all("rows => rows.map((row) => row.dataset.escalation)")
    wanted = open_escalations().filter(instance__business_id=escalation.business_id)
    assert set(shown) == {str(pk) for pk in wanted.values_list("pk", flat=True)}
    assert page.locator("#id_business").input_value() == str(escalation.business_id)
    assert page.locator("#id_business option").count() > 1
    assert (visitor.complaints, visitor.overflow()) == ([], 0)


def test_the_count_of_what_needs_attention_comes_after_the_page(salma: User, visit: Visit) -> None:
    visitor = visit(salma)
    visitor.open(QUEUE)
    count = visitor.page.locator("[data-count-from]")
    count.wait_for()
    assert int(count.inner_text()) > 0
    assert visitor.complaints == []


@pytest.mark.parametrize("look", LOOKS)
def test_a_conversation_is_handed_to_people(salma: User, visit: Visit, look: dict) -> None:
    waiting = open_escalations().values("whatsapp_number")
    chat = Conversation.objects.exclude(user_phone__in=waiting).order_by("-last_activity").first()
    visitor = visit(salma, **look)
    page = visitor.page
    visitor.open(f"/conversations/conversation/{chat.pk}/change/")
    page.locator(".escalate > summary").click()
    assert visitor.violations() == []
    page.locator('.escalate textarea[name="note"]').fill("يريد التحدث مع المدير — order 12")
    page.locator(".escalate button.button--main").click()
    page.locator(".messagelist .success").wait_for()
    escalation = Escalation.objects.get(resolved_at=None, whatsapp_number=chat.user_phone, instance_id=chat.instance_id)
    event = Event.objects.get(escalation_id=escalation.pk)
    assert (event.kind, event.actor, event.details["note"]) == (
        Event.Kind.ESCALATED,
        salma,
        "يريد التحدث مع المدير — order 12",
    )
    visitor.open(f"/conversations/conversation/{chat.pk}/change/")
    page.locator(".escalate a.button").click()
    page.wait_for_url(f"**{escalation.pk}/change/")
    assert (visitor.complaints, visitor.overflow()) == ([], 0)


@pytest.mark.parametrize("language", ["en", "ar"])
def test_on_a_phone_menus_stay_within_the_page(salma: User, visit: Visit, language: str) -> None:
    staff("Support", username="omar")
    visitor = visit(salma, language=language, viewport=PHONE)
    visitor.open(f"{QUEUE}{open_escalations()[0].pk}/change/")
    visitor.page.locator('[data-key="claim"]').click()
    visitor.page.locator(".messagelist .success").wait_for()
    menus = visitor.page.locator(".holder [popovertarget]")
    assert menus.count() == 2
    for menu in menus.all():
        menu.click()
        assert visitor.overflow() == 0
        visitor.page.keyboard.press("Escape")
