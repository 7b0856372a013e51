"""Ten escalations in a row, each answered with a reply and resolved: clicks, keys, page loads and seconds.

    python -m benchmarks.ten_escalations [--escalations 10] [--rounds 2] [--postgres-bin FOLDER]

Starts its own Postgres, gunicorn (two workers, production settings), the development gateway and a real browser. A
person logs in, opens the escalation that has waited longest from the home page and works until the last one is
resolved, by keyboard and by mouse. Each way is measured twice: loading every page, and replacing its parts as
`visit.js` does. Typing and reading take no time here, so the seconds are what the person waits for the app. Then rows
of the queue next to the conversation are chosen, one after another. The ways take turns; medians of the rounds count.
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import django
from rich.table import Table

from waops.serving.terminal import Terminal

console = Terminal()

MESSAGES, ROWS = 40, 20
TEXT = "Your order left today and arrives tomorrow."
WORD = "benchmark"
# Registered before the listeners of `visit.js`, and only at the document, where these two events end.
PAGES_LOAD = """
    for (const kind of ["click", "submit"]) {
        document.addEventListener(kind, (event) => event.stopImmediatePropagation());
    }
"""
READY = """id => {
    const head = document.querySelector(".escalation-head");
    return head && head.dataset.escalation !== id && document.querySelector("[data-send-resolve]:not([hidden])");
}"""
LOADS, REPLACES = "pages load", "parts replaced"


@dataclass
class Shift:
    """A person at a new browser, and what their work took."""

    page: Any
    site: str
    clicks: int = 0
    keys: int = 0
    documents: int = 0
    requests: int = 0
    waits: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", self._count)

    def _count(self, request: Any) -> None:
        self.requests += 1
        self.documents += request.is_navigation_request()

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)
        self.keys += 1

    def click(self, selector: str) -> None:
        self.page.locator(selector).first.click()
        self.clicks += 1

    def log_in(self) -> None:
        self.page.goto(f"{self.site}/login/")
        for text, key in (("salma", "Tab"), (WORD, "Enter")):
            self.page.keyboard.insert_text(text)
            self.press(key)
        self.page.locator(".panel").first.wait_for()

    def answer(self, number: int, reply: Callable[["Shift"], None]) -> float:
        """Seconds from the login page to the last one."""
        started = time.perf_counter()
        self.log_in()
        self.click('main .panel a[href*="/change/"]')
        self.wait_for_another("")
        for _ in range(number):
            begun, before = time.perf_counter(), self.shown()
            reply(self)
            self.wait_for_another(before)
            self.waits.append(time.perf_counter() - begun)
        return time.perf_counter() - started

    def choose(self, rows: int) -> None:
        """Rows of the queue beside the conversation."""
        self.log_in()
        self.click('main .panel a[href*="/change/"]')
        self.wait_for_another("")
        for place in range(rows):
            row = self.page.locator("[data-rows] a").nth(place + 1)
            row.wait_for()
            begun, before = time.perf_counter(), self.shown()
            row.click()
            self.wait_for_another(before)
            self.waits.append(time.perf_counter() - begun)

    def shown(self) -> str:
        return str(self.page.locator(".escalation-head").get_attribute("data-escalation"))

    def wait_for_another(self, shown: str) -> None:
        try:
            self.page.wait_for_function(READY, arg=shown)
        except Exception as error:
            told = self.page.locator(".messagelist, .reply__state, .unsent").all_inner_texts()
            raise RuntimeError(f"{self.page.url} stays, and says {told}") from error


def by_keyboard(shift: Shift) -> None:
    shift.press("w")
    shift.page.keyboard.insert_text(TEXT)
    shift.press("Control+Shift+Enter")


def by_mouse(shift: Shift) -> None:
    shift.click("#reply-text")
    shift.page.keyboard.insert_text(TEXT)
    shift.click("[data-send-resolve]")


@contextmanager
def desk(options: argparse.Namespace) -> Iterator[str]:
    """Address of a server with enough escalations for all rounds."""
    from django.conf import settings

    from benchmarks.crowd import HOST, _server
    from conversations.models import Conversation, Message
    from tests import factories
    from tests.databases import Databases, django_uses
    from tests.image import fill
    from waops.dev.embedded.server import EmbeddedServer
    from waops.dev.gateway import Gateway

    home = Path(tempfile.mkdtemp(prefix="waops-benchmark-"))
    server = EmbeddedServer(home, binaries=options.postgres_bin, options=("fsync=off",))
    with ExitStack() as end, Gateway() as gateway:
        end.callback(shutil.rmtree, home)
        end.callback(server.release)
        with console.status("Preparing the database…"):
            fill(server)
            server.start()
        name = Databases(server).create("migrated")
        with django_uses(server, name), console.status("Making escalations…"):
            salma = factories.staff("Support", username="salma", first_name="Salma")
            salma.set_password(WORD)
            salma.save()
            for number in range(4 * options.rounds * options.escalations + 60):
                escalation = factories.waiting(minutes=1000 - number, content="Where is my order?")
                chat = Conversation.objects.get(user_phone=escalation.whatsapp_number)
                Message.objects.bulk_create(
                    Message(
                        conversation=chat,
                        role="user" if place % 2 else "assistant",
                        content=f"Message {place}",
                        timestamp=factories.ago(minutes=2000 - number + place / 10),
                        metadata={},
                    )
                    for place in range(MESSAGES)
                )
        os.environ |= {"EVOLUTION_API_URL": gateway.url, "EVOLUTION_API_KEY": gateway.key}
        with _server(f"postgresql://postgres@/{name}?host={server.socket_dir}", settings.SECRET_KEY) as port:
            yield f"http://{HOST}:{port}"


def main(options: argparse.Namespace) -> int:
    from playwright.sync_api import sync_playwright

    from tests.browser.conftest import ARGUMENTS, CHROMIUM

    work: dict[tuple[str, str], list[tuple[Shift, float]]] = {}
    chosen: dict[str, list[Shift]] = {}
    with desk(options) as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)

        def shift(how: str) -> Shift:
            context = browser.new_context(viewport={"width": 1400, "height": 900})
            if how == LOADS:
                context.add_init_script(PAGES_LOAD)
            return Shift(context.new_page(), site)

        for number in range(options.rounds + 1):
            for way, reply in (("keyboard", by_keyboard), ("mouse", by_mouse)):
                for how in (LOADS, REPLACES):
                    one = shift(how)
                    # The first round, of one escalation, warms up workers and caches.
                    seconds = one.answer(options.escalations if number else 1, reply)
                    one.page.context.close()
                    if number:
                        work.setdefault((way, how), []).append((one, seconds))
            for how in (LOADS, REPLACES):
                one = shift(how)
                one.choose(ROWS if number else 1)
                one.page.context.close()
                if number:
                    chosen.setdefault(how, []).append(one)
        browser.close()

    table = Table("way", "pages", "clicks", "keys", "page loads", "requests", "seconds", "one, ms", "of loading")
    for (way, how), shifts in work.items():
        seconds, loading = (statistics.median(took for _, took in each) for each in (shifts, work[way, LOADS]))
        one = shifts[0][0]
        wait = statistics.median(wait for each, _ in shifts for wait in each.waits)
        counts = map(str, (one.clicks, one.keys, one.documents, one.requests))
        table.add_row(way, how, *counts, f"{seconds:.1f}", f"{1000 * wait:.0f}", f"{seconds / loading:.2f}")
    for how, choosing in chosen.items():
        wait, loading = (
            statistics.median(wait for one in each for wait in one.waits) for each in (choosing, chosen[LOADS])
        )
        counts = map(str, (choosing[0].documents, choosing[0].requests))
        table.add_row(f"{ROWS} rows chosen", how, "", "", *counts, "", f"{1000 * wait:.0f}", f"{wait / loading:.2f}")
    console.print(table)
    return 0


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "waops.settings")
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    django.setup()
    from django.db import connections

    connections["default"].settings_dict["OPTIONS"].pop("pool", None)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--escalations", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--postgres-bin", type=Path, default=None, help="another server's programs, such as Debian's")
    sys.exit(main(parser.parse_args()))
