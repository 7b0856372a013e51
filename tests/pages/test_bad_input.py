"""Whatever is written into an address or a form: no fault, no markup from outside, no endless list.

Both addresses and fields are found, not listed: the addresses in the URL configuration, the fields in the pages.
`FUZZ_EXAMPLES=200 make test-database TESTS=tests/pages/test_bad_input.py` looks longer.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote_plus, urlsplit

import psycopg
import pytest
from django.db import connection, transaction
from django.http import HttpResponseBase
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.databases import Databases, django_uses
from tests.pages.addresses import Address, addresses
from tests.pages.forms import Form, Page
from usage import outlook, reads, rollup
from waops import demo
from waops.embedded.server import EmbeddedServer
from waops.models import User

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "6"))
MOST_ROWS = 600
"""Rows that one statement of a page may read: every large table holds more."""

OVERVIEW = reads.BUSINESSES.partition("{")[0]
MANY_BUSINESSES = """
    WITH account AS (
        INSERT INTO auth.users (id, email)
        SELECT gen_random_uuid(), 'many' || number || '@example.com' FROM generate_series(1, %(number)s) AS number
        RETURNING id
    )
    INSERT INTO public.profiles (id, full_name, business_name, plan_type)
    SELECT id, 'Owner', 'Business ' || id, 'Launch' FROM account
"""

SCRIPT = "<script>canary()</script>"
IMAGE = "\"'><img src=x onerror=canary()>"

NASTY = [
    *("", " ", "0", "-1", "1", "2", "9" * 30, "1e309", "NaN", "٣", "true", "null", "[]", "{}", "()", ",", "a,b", "*"),
    *("%", "%s", "&|!", "\\", "'; DROP TABLE x--", "../../etc/passwd", "{{ 7 }}", "\0", "\ud800", "\u202e\u2066"),
    *("🙂" * 50, "x" * 20_000, "2026-02-30", "0001-01-01", "9999-12-31", "2026-11-25T10:00:00+02:00", "24:00"),
    *("+20 (10) 0000-0000", "00000000-0000-4000-8000-000000000000", "//evil.example/", "javascript:canary()"),
    *(SCRIPT, IMAGE),
]
nasty = st.sampled_from(NASTY) | st.text(max_size=30)

settings.register_profile(
    "pages",
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    database=None,
    suppress_health_check=list(HealthCheck),
)
pages = settings.get_profile("pages")

FORMS_OF_THE_LIBRARY = {"admin:login", "admin:logout", "admin:auth_user_password_change", "admin:password_change"}
"""Their passwords are hashed, which takes half a second each: asked once, not often."""


@pytest.fixture(scope="module")
def client(server: EmbeddedServer, databases: Databases, django_db_blocker: Any) -> Iterator[Client]:
    """An administrator in a database of demo data."""
    with django_db_blocker.unblock(), databases.clone("migrated") as name, django_uses(server, name):
        with psycopg.connect(server.dsn(dbname=name)) as rows:
            demo.load(rows)
            rows.execute(MANY_BUSINESSES, {"number": MOST_ROWS + 100})
        rollup.refresh()
        outlook.refresh(timezone.now())
        client = Client(raise_request_exception=True)
        client.force_login(User.objects.create_superuser("admin"), "django.contrib.auth.backends.ModelBackend")
        yield client


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@contextmanager
def bounded() -> Iterator[None]:
    """No statement reads more than MOST_ROWS rows, but the one for what takes all businesses, such as exports."""

    def watch(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        result = execute(sql, params, many, context)
        cursor = context["cursor"].cursor
        assert cursor.description is None or cursor.rowcount <= MOST_ROWS or sql.startswith(OVERVIEW), sql
        return result

    with connection.execute_wrapper(watch):
        yield


def written(pairs: list[tuple[str, str]]) -> str:
    """As a query string; halves of surrogate pairs too, which a browser would not send and others do."""
    return "&".join("=".join(quote_plus(part.encode("utf-8", "surrogatepass")) for part in pair) for pair in pairs)


def ask(client: Client, path: str, pairs: list[tuple[str, str]], *, post: bool) -> HttpResponseBase:
    with undone(), bounded():
        if post:
            answer = client.generic("POST", path, written(pairs), content_type="application/x-www-form-urlencoded")
        else:
            answer = client.generic("GET", path, QUERY_STRING=written(pairs))
        content = answer.getvalue().decode("utf-8", "replace")
    assert answer.status_code < 500, f"{answer.status_code} at {path} with {pairs}"
    if answer["Content-Type"].startswith("text/html") if answer.has_header("Content-Type") else False:
        assert SCRIPT not in content, f"{path} with {pairs}"
        assert "<img src=x" not in content, f"{path} with {pairs}"
    return answer


def page_of(client: Client, path: str) -> Page:
    answer = ask(client, path, [], post=False)
    is_html = answer.has_header("Content-Type") and answer["Content-Type"].startswith("text/html")
    return Page(path, answer.getvalue().decode() if is_html else "")  # type: ignore[attr-defined]


def spoiled(pairs: list[tuple[str, str]], names: list[str]) -> st.SearchStrategy[list[tuple[str, str]]]:
    """These fields with other values in one or more of them, and perhaps one more."""
    known = st.sampled_from(names) if names else st.text(max_size=5)
    more = st.lists(st.tuples(known | st.sampled_from(["p", "q", "o", "all", "e", "_popup"]), nasty), max_size=2)
    if not pairs:
        return more
    one = st.integers(0, len(pairs) - 1)
    changed = st.dictionaries(one, nasty, min_size=1, max_size=3)
    return st.tuples(changed, more).map(
        lambda drawn: [(name, drawn[0].get(i, value)) for i, (name, value) in enumerate(pairs)] + drawn[1]
    )


@pytest.mark.parametrize("address", addresses(), ids=lambda address: address.name)
def test_no_address_and_no_form_breaks(client: Client, address: Address) -> None:
    path = address.real() or address.path(*["0"] * len(address.parameters))
    page = page_of(client, path)
    names = sorted(page.names)
    forms = [form for form in page.forms if form.method == "post" and address.name not in FORMS_OF_THE_LIBRARY]
    own = [form for form in forms if urlsplit(form.action).path != "/logout/"] or [Form(path, "post")]

    @pages
    @given(st.data())
    def in_the_address(data: st.DataObject) -> None:
        asked = path
        if address.parameters and data.draw(st.booleans()):
            asked = address.path(*[data.draw(nasty) for _ in address.parameters])
        ask(client, asked, data.draw(spoiled([], names)), post=False)

    @pages
    @given(st.data())
    def in_a_form(data: st.DataObject) -> None:
        form = data.draw(st.sampled_from(own))
        ask(client, form.action, data.draw(spoiled(form.fields, names)), post=True)

    in_the_address()
    if address.name not in FORMS_OF_THE_LIBRARY:
        in_a_form()
