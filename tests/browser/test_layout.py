"""Every page at every width, in both languages: nothing sticks out or overlaps, and the focus is always in sight."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.test import Client

from tests.browser.conftest import Visitor
from tests.browser.test_pages import administrator as administrator
from tests.browser.test_pages import pages
from waops.dbops.pages import PAGES
from waops.models import User

pytestmark = pytest.mark.browser

MEASURE = (Path(__file__).parent / "measure.js").read_text()
WIDTHS = (320, 390, 768, 1024, 1152, 1400, 2560)
QUEUE, CUSTOMER = "/escalations/escalation/", "tr[data-escalation] .escalation__customer a"
OPERATIONS = ["/waops/operations/", *(f"/waops/operations/{page.name}/" for page in PAGES[1:])]
A4_PAGES = 4


def every_page(administrator: User) -> Iterator[str]:
    client = Client()
    client.force_login(administrator, "django.contrib.auth.backends.ModelBackend")
    yield from pages(client)
    yield from OPERATIONS


def faults_at(visitor: Visitor, width: int) -> list[str]:
    visitor.page.set_viewport_size({"width": width, "height": 900})
    return [f"{width}: {fault}" for fault in visitor.page.evaluate(MEASURE)]


@pytest.mark.parametrize("language", ["en", "ar"])
def test_every_page_at_every_width(administrator: User, visit: Callable[..., Visitor], language: str) -> None:
    visitor = visit(administrator, language=language)
    found = []
    for address in every_page(administrator):
        visitor.open(address)
        found += [f"{address} {fault}" for width in WIDTHS for fault in faults_at(visitor, width)]
    assert found == []


def test_forced_colours_keep_shapes_bars_and_widths(administrator: User, visit: Callable[..., Visitor]) -> None:
    visitor = visit(administrator, forced_colors="active")
    found = []
    for address in (QUEUE, "/usage/profile/", "/escalations/escalation/reports/", *OPERATIONS):
        visitor.open(address)
        found += [f"{address} {fault}" for width in (390, 1400) for fault in faults_at(visitor, width)]
        paper = visitor.page.evaluate("getComputedStyle(document.body).backgroundColor")
        for colours in (
            "('.status, .person')].map(e => getComputedStyle(e, '::before').backgroundColor)",
            "('.chart .bar')].map(e => getComputedStyle(e).fill)",
            "('progress')].map(e => getComputedStyle(e).borderTopColor)",
        ):
            shown = visitor.page.evaluate(f"[...document.querySelectorAll{colours}")
            found += [f"{address}: {colours} as paper" for one in shown if one == paper]
    assert found == []


def test_escape_closes_every_menu(administrator: User, visit: Callable[..., Visitor]) -> None:
    visitor = visit(administrator)
    page = visitor.page
    visitor.open(QUEUE)
    page.locator(CUSTOMER).first.click()
    for address in (page.url.removeprefix(visitor.site), QUEUE, "/usage/profile/"):
        visitor.open(address)
        for button in page.locator("[popovertarget]:visible").all():
            button.click()
            assert page.locator(":popover-open").count() == 1
            page.keyboard.press("Escape")
            assert page.locator(":popover-open").count() == 0
            button.click()
            page.mouse.click(700, 880)
            assert page.locator(":popover-open").count() == 0


def test_the_keyboard_walks_through_the_queue(administrator: User, visit: Callable[..., Visitor]) -> None:
    """With real keys, there and back: `measure.js` focuses by script."""
    visitor = visit(administrator, viewport={"width": 1024, "height": 600})
    visitor.open(QUEUE)
    in_sight = """() => {
        const it = document.activeElement, box = it.getBoundingClientRect();
        const hit = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
        const isSeen = it === document.body || hit && (it.contains(hit) || hit.contains(it));
        return Boolean(isSeen) || it.outerHTML.slice(0, 200);
    }"""
    for key in ("Tab", "Shift+Tab"):
        for _ in range(60):
            visitor.page.keyboard.press(key)
            assert visitor.page.evaluate(in_sight) is True


def test_printed_the_queue_is_short_and_without_buttons(
    administrator: User, visit: Callable[..., Visitor], monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = visit(administrator)
    visitor.open(QUEUE)
    per_page = visitor.page.locator("tr[data-escalation]").count()
    visitor.page.emulate_media(media="print")
    assert visitor.page.locator("button:visible, select:visible").count() == 0
    pdf = visitor.page.pdf(format="A4")
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) <= max(1, A4_PAGES * per_page // 50)
