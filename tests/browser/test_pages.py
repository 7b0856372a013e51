"""Every page in both languages, both themes, on a desk and on a phone."""

from collections.abc import Callable, Iterator

import psycopg
import pytest
from django.test import Client

from tests.browser.conftest import DESKTOP, PHONE, Visitor
from tests.factories import staff
from tests.pages.addresses import addresses
from waops.dev import demo
from waops.models import ArchivedRow, User

pytestmark = pytest.mark.browser

PASSWORD = "correct horse battery staple"

LOOKS = [
    pytest.param({"language": "en", "color_scheme": "light", "viewport": DESKTOP}, id="en-light-desktop"),
    pytest.param({"language": "ar", "color_scheme": "light", "viewport": DESKTOP}, id="ar-light-desktop"),
    pytest.param({"language": "en", "color_scheme": "dark", "viewport": PHONE}, id="en-dark-phone"),
    pytest.param({"language": "ar", "color_scheme": "dark", "viewport": PHONE}, id="ar-dark-phone"),
]


@pytest.fixture
def administrator(committed_database: str, few_rows: None) -> User:
    with psycopg.connect(committed_database) as connection:
        demo.load(connection)
    ArchivedRow.objects.create(table="whatsapp_conversation_messages", row_id="1", row={"text": "نص"}, repair="repair")
    return User.objects.create_superuser("admin")


ERRORS = {"/no-such-page/": 404, "/conversations/message/?no_such_filter=1": 400, "/usage/profile/add/": 403}


def pages(client: Client) -> Iterator[str]:
    """Every address of the URL configuration that is a page, with a row of the demo data; and pages of errors.

    Django's own pages of a row's changes, and of its removal, differ in words only: the first of each will do.
    Operators' pages have a separate test, with damage on them.
    """
    yield from ERRORS
    alike = set()
    for address in addresses():
        path = address.real()
        if path is None or address.name.startswith("admin:waops_operations_"):
            continue
        kind = next((end for end in ("_history", "_delete") if address.name.endswith(end)), address.name)
        response = client.get(path)
        is_page = response.status_code == 200 and response["Content-Type"].startswith("text/html")
        if is_page and "<html" in response.content.decode() and kind not in alike:
            alike.add(kind)
            yield path


@pytest.mark.parametrize("look", [LOOKS[0], LOOKS[3]])
def test_it_is_accessible_and_fits(administrator: User, visit: Callable[..., Visitor], look: dict) -> None:
    visitor = visit(administrator, **look)
    found = []
    client = Client()
    client.force_login(administrator, "django.contrib.auth.backends.ModelBackend")
    for address in pages(client):
        status = visitor.open(address)
        expected = ERRORS.get(address, 200)
        faults = visitor.violations()
        if status != expected:
            faults.append(f"status {status}")
        if overflow := visitor.overflow():
            faults.append(f"{overflow} pixels too wide")
        if visitor.page.locator("h1").count() != 1:
            faults.append("not one h1")
        faults += [text for text in visitor.complaints if status == 200 or "Failed to load resource" not in text]
        visitor.complaints.clear()
        found += [f"{address}: {fault}" for fault in faults]
    assert found == []


@pytest.mark.parametrize("look", LOOKS)
def test_login_page_is_accessible_and_fits(visit: Callable[..., Visitor], look: dict) -> None:
    visitor = visit(**look)
    assert visitor.open("/login/") == 200
    assert visitor.page.locator("h1").count() == 1
    assert (visitor.violations(), visitor.overflow(), visitor.complaints) == ([], 0, [])


def test_a_person_logs_in_switches_language_and_logs_out(visit: Callable[..., Visitor]) -> None:
    user = staff("Support", username="mona")
    user.set_password(PASSWORD)
    user.save()
    visitor = visit(language="ar")
    page = visitor.page
    visitor.open("/")
    assert page.locator("html").get_attribute("dir") == "rtl"
    page.get_by_role("button", name="English").click()
    assert page.locator("html").get_attribute("dir") == "ltr"
    page.get_by_label("Username").fill("mona")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    assert page.get_by_role("alert").count() == 1
    page.get_by_label("Username").fill("mona")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Home"
    page.locator(".account").click()
    page.get_by_role("button", name="Log out").click()
    assert page.get_by_text("mona").count() == 0
    assert visitor.complaints == []


def test_theme_follows_the_toggle(visit: Callable[..., Visitor]) -> None:
    visitor = visit(color_scheme="light")
    visitor.open("/login/")
    background = "getComputedStyle(document.body).backgroundColor"
    light = visitor.page.evaluate(background)
    visitor.page.locator(".theme-toggle").click()
    assert visitor.page.evaluate(background) != light


def test_phone_has_a_bar_instead_of_the_sidebar(visit: Callable[..., Visitor]) -> None:
    visitor = visit(staff("Support"), viewport=PHONE)
    visitor.open("/")
    assert not visitor.page.locator(".sidebar").is_visible()
    visitor.page.get_by_role("navigation", name="Main pages").get_by_text("Menu").click()
    visitor.page.locator("#pages").get_by_text("Records").click()
    visitor.page.locator("#pages").get_by_role("link", name="Messages").click()
    assert visitor.page.get_by_role("heading", level=1).inner_text() == "Messages"
