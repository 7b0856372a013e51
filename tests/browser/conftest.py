"""A real browser against a real server, on a database of the test's own."""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.test import Client
from django.test.testcases import LiveServerThread
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests import factories
from tests.conftest import absent
from waops.admin.read_only import ReadOnlyAdmin
from waops.models import User

PROGRAMS = ("chromium-headless-shell", "chromium")
"""The first is the same engine, and needs a third less processor time than the desktop program."""
CHROMIUM = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, PROGRAMS)), None)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WCAG_22_AA = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
DESKTOP, PHONE = {"width": 1400, "height": 900}, {"width": 390, "height": 844}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In CI a test that fails in the browser runs once more, because its machine may stall; the summary names it."""
    for item in items:
        if "CI" in os.environ and item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        absent(f"no {' or '.join(PROGRAMS)} is installed; CHROMIUM can name another program")
    # Playwright keeps an event loop in this thread, where Django would refuse its synchronous database calls.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def site(committed_database: str) -> Iterator[str]:
    """Address of a server on `committed_database`. Unlike pytest-django's, it flushes nothing."""
    thread = LiveServerThread("localhost", StaticFilesHandler)
    thread.daemon = True
    thread.start()
    thread.is_ready.wait()
    if thread.error:
        raise thread.error
    yield f"http://localhost:{thread.port}"
    thread.terminate()


@pytest.fixture
def few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists of a few rows: axe looks at every node, and the fiftieth row is like the fifth."""
    monkeypatch.setattr(ReadOnlyAdmin, "list_per_page", 5)
    monkeypatch.setattr("escalations.desk.queue.PER_PAGE", 10)


@pytest.fixture
def salma(committed_database: str) -> User:
    return factories.staff("Support", username="salma", first_name="Salma")


@pytest.fixture
def omar(committed_database: str) -> User:
    return factories.staff("Support", username="omar", first_name="Omar")


class Visitor:
    """A person at a browser: `visitor.open("/usage/profile/")`, then `visitor.page`.

    Collects complaints: errors of scripts, refusals by the content security policy, requests to other hosts.
    """

    def __init__(self, context: BrowserContext, site: str) -> None:
        self.site = site
        self.context = context
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", self._on_console)
        self.page.on("request", self._on_request)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _on_console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _on_request(self, request: Any) -> None:
        if not request.url.startswith((f"{self.site}/", "data:", "blob:")):
            self.complaints.append(f"a request to another host: {request.url}")

    def speaks(self, language: str) -> None:
        self.context.add_cookies([{"name": settings.LANGUAGE_COOKIE_NAME, "value": language, "url": self.site}])

    def log_in(self, user: User) -> None:
        """Without the login form, whose password hashing takes half a second."""
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        self.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": self.site}])

    def open(self, path: str) -> int:
        """Status of the answer."""
        response = self.page.goto(self.site + path)
        assert response is not None
        return response.status

    def violations(self) -> list[str]:
        """What axe finds against WCAG 2.2 AA on this page. Its own reading of style sheets would break the policy."""
        options = {"runOnly": WCAG_22_AA, "preload": False, "resultTypes": ["violations"], "iframes": False}
        results = Axe().run(self.page, options=options)
        return [
            f"{violation['id']}: {node['html'][:200]}"
            for violation in results.response["violations"]
            for node in violation["nodes"]
        ]

    def overflow(self) -> int:
        """Pixels by which the page is wider than the window."""
        width = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        return int(self.page.evaluate(width))


@pytest.fixture
def visit(browser: Browser, site: str) -> Iterator[Callable[..., Visitor]]:
    """Makes visitors, each with separate cookies: `visit(user, language="ar", viewport=PHONE)`."""
    contexts = []

    def make(user: User | None = None, *, language: str = "en", **options: Any) -> Visitor:
        context = browser.new_context(**{"viewport": DESKTOP, **options})
        contexts.append(context)
        visitor = Visitor(context, site)
        visitor.speaks(language)
        if user is not None:
            visitor.log_in(user)
        return visitor

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def page(visit: Callable[..., Visitor]) -> Page:
    """A page of a person who is not logged in."""
    return visit().page
