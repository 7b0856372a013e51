"""The pictures of README and docs: `make screenshots` takes them again from the demo data."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser.conftest import Visitor
from tests.browser.test_layout import CUSTOMER, QUEUE
from tests.browser.test_pages import administrator as administrator
from waops.models import User

pytestmark = pytest.mark.browser

IMAGES = Path(__file__).parents[2] / "docs" / "images"


@pytest.fixture
def few_rows() -> None:
    """Nothing: a picture shows a page as it is."""


@pytest.mark.parametrize("language", ["en", "ar"])
def test_pictures(administrator: User, visit: Callable[..., Visitor], language: str) -> None:
    visitor = visit(administrator, language=language, viewport={"width": 1400, "height": 900})
    page = visitor.page
    for name, address in (("queue", QUEUE), ("quota", "/usage/profile/"), ("escalation", QUEUE)):
        visitor.open(address)
        if name == "escalation":
            page.locator(CUSTOMER).nth(5).click()
            page.locator("[data-rows] a").first.wait_for()
        page.screenshot(path=IMAGES / f"{name}-{language}.png")
