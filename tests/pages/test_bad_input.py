"""Whatever is written into an address or a form: no fault, no markup from outside, no endless list.

Both addresses and fields are found, not listed: the addresses in the URL configuration, the fields in the pages.
`FUZZ_EXAMPLES=200 make test-database TESTS=tests/pages/test_bad_input.py` looks longer.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote_plus, urlsplit

import pytest
from django.contrib import admin
from django.db import connection, transaction
from django.http import HttpResponseBase
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.pages.addresses import Address, addresses
from tests.pages.conftest import MOST_ROWS
from tests.pages.forms import Form, Page
from usage import outlook, quota

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "6"))

WHOLE_LISTS = (outlook.BUSINESSES[:40], outlook.STALE[:80], f"LIMIT {quota.ALL_ROWS} ")
SCRIPT = "<script>canary()</script>"
IMAGE = "\"'><img src=x onerror=canary()>"

NASTY = [
    *(
        "",
        " ",
        "0",
        "-1",
        "1",
        "2",
        "9" * 30,
        "9" * 14,
        "1e309",
        "NaN",
        "٣",
        "true",
        "null",
        "[]",
        "{}",
        "()",
        ",",
        "a,b",
        "*",
    ),
    *("%", "%s", "&|!", "\\", "'; DROP TABLE x--", "../../etc/passwd", "{{ 7 }}", "\0", "\ud800", "\u202e\u2066"),
    *("🙂" * 50, "x" * 20_000, "2026-02-30", "0001-01-01", "9999-12-31", "2026-11-25T10:00:00+02:00", "24:00"),
    *("+20 (10) 0000-0000", "00000000-0000-4000-8000-000000000000", "//evil.example/", "javascript:canary()"),
    *(SCRIPT, IMAGE),
]
EXTREME = ("1", "9" * 14, "0001-01-01", "9999-12-31", "9999-12-31T23:59:59-14:00", "\0", "\ud800", "9" * 30)
"""Values that every parameter of every list gets."""
LOOKUPS = ("", "__exact", "__id__exact", "__gte", "__lt", "__year__gte", "__isnull", "__in", "__regex")
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

NO_PAGE = {"admin:escalations_escalation_reopen"}
"""No model has a separate page elsewhere; the newest escalation is open."""
ASKED_WITH = {
    "admin:autocomplete": [("app_label", "escalations"), ("model_name", "closingrule"), ("field_name", "business")]
}
"""What an address is never asked without."""

FORMS_OF_THE_LIBRARY = {"admin:login", "admin:logout", "admin:auth_user_password_change", "admin:password_change"}
"""Their passwords are hashed, which takes half a second each: asked once, not often."""


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@contextmanager
def bounded() -> Iterator[None]:
    """No statement reads more than MOST_ROWS rows, except over all businesses: exports, a day's first visit."""

    def watch(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        result = execute(sql, params, many, context)
        cursor = context["cursor"].cursor
        is_bounded = cursor.description is None or cursor.rowcount <= MOST_ROWS
        assert is_bounded or any(part in sql for part in WHOLE_LISTS), sql
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
    assert answer.status_code < 400 or 'dir="' in content, f"an empty {answer.status_code} at {path} with {pairs}"
    if answer["Content-Type"].startswith("text/html") if answer.has_header("Content-Type") else False:
        assert SCRIPT not in content, f"{path} with {pairs}"
        assert "<img src=x" not in content, f"{path} with {pairs}"
    return answer


def page_of(client: Client, path: str) -> Page:
    answer = ask(client, path, [], post=False)
    is_html = answer.has_header("Content-Type") and answer["Content-Type"].startswith("text/html")
    return Page(path, answer.getvalue().decode() if is_html else "")  # type: ignore[attr-defined]


OF_EVERY_LIST = ["p", "q", "o", "all", "e", "_popup", "_to_field", "_facets", "_changelist_filters"]


def names_of_filters(address: Address) -> set[str]:
    """What a list may be asked with, and what its fields' lookups would be called: `?at__year__gte=` too."""
    model = address.model()
    if model is None or not address.name.endswith("_changelist"):
        return set()
    listed = {str(one[0] if isinstance(one, tuple) else one) for one in admin.site._registry[model].list_filter}
    fields = {name for name in listed if name.isidentifier()}
    return {f"{name}{lookup}" for name in fields for lookup in LOOKUPS}


def spoiled(pairs: list[tuple[str, str]], names: list[str]) -> st.SearchStrategy[list[tuple[str, str]]]:
    """These fields with other values in one or more of them, and perhaps one more."""
    known = st.sampled_from(names) if names else st.text(max_size=5)
    more = st.lists(st.tuples(known | st.sampled_from(OF_EVERY_LIST), nasty), max_size=2)
    if not pairs:
        return more
    one = st.integers(0, len(pairs) - 1)
    changed = st.dictionaries(one, nasty, min_size=1, max_size=3)
    return st.tuples(changed, more).map(
        lambda drawn: [(name, drawn[0].get(i, value)) for i, (name, value) in enumerate(pairs)] + drawn[1]
    )


def test_every_address_of_a_row_leads_to_a_page(client: Client) -> None:
    """Or the tests that walk through them would look at pages that say "not found"."""
    lost = []
    for address in addresses():
        path = address.real()
        if path is None or address.name in NO_PAGE:
            continue
        with undone():
            if client.get(path).status_code == 404:
                lost.append(f"{address.name}: {path}")
    assert not lost


@pytest.mark.parametrize("name", sorted(model._meta.label_lower for model in admin.site._registry))
def test_every_list_answers_what_no_column_holds(client: Client, name: str) -> None:
    """Each filter, and each lookup of its field, with each hostile value: no example is left to chance."""
    address = Address(f"admin:{name.replace('.', '_')}_changelist", {})
    known = sorted(page_of(client, address.path()).names | names_of_filters(address) | set(OF_EVERY_LIST))
    for parameter in known:
        for value in EXTREME:
            ask(client, address.path(), [(parameter, value)], post=False)


@pytest.mark.parametrize("address", addresses(), ids=lambda address: address.name)
def test_no_address_and_no_form_breaks(client: Client, address: Address) -> None:
    path = address.real() or address.path(*["0"] * len(address.parameters))
    page = page_of(client, path)
    names = sorted(page.names | names_of_filters(address) | {name for name, _ in ASKED_WITH.get(address.name, [])})
    forms = [form for form in page.forms if form.method == "post" and address.name not in FORMS_OF_THE_LIBRARY]
    own = [form for form in forms if urlsplit(form.action).path != "/logout/"] or [Form(path, "post")]

    @pages
    @given(st.data())
    def in_the_address(data: st.DataObject) -> None:
        asked = path
        if address.parameters and data.draw(st.booleans()):
            asked = address.path(*[data.draw(nasty) for _ in address.parameters])
        ask(client, asked, data.draw(spoiled(ASKED_WITH.get(address.name, []), names)), post=False)

    @pages
    @given(st.data())
    def in_a_form(data: st.DataObject) -> None:
        form = data.draw(st.sampled_from(own))
        ask(client, form.action, data.draw(spoiled(form.fields, names)), post=True)

    in_the_address()
    if address.name not in FORMS_OF_THE_LIBRARY:
        in_a_form()
