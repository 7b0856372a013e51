"""Values that no page offers, in forms of the desk, in ids and in autocompletes: refused, never a fault."""

import pytest
from django.contrib import admin
from django.http import HttpResponseBase
from django.test import Client

from escalations.desk.actions import BULK
from tests import factories
from tests.pages.test_bad_input import ask
from waops.admin.addresses import ClearAddresses

pytestmark = pytest.mark.django_db

BAD = ["\0", str(2**40), str(2**63), "9" * 5000]
ACTIONS = ("claim", "release", "resolve", "snooze", "wake", "hand-over", "note", "reopen", "reply")
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def client(db) -> Client:
    client = Client(raise_request_exception=True)
    person = factories.staff(username="admin", is_superuser=True)
    client.force_login(person, "django.contrib.auth.backends.ModelBackend")
    return client


def send(client: Client, path: str, **fields: str) -> HttpResponseBase:
    return ask(client, path, list(fields.items()), post=True)


@pytest.mark.parametrize("action", ACTIONS)
def test_no_field_of_an_action_breaks(client: Client, action: str) -> None:
    escalation = factories.escalation(factories.conversation())
    right = {"version": "0", "note": "x", "outcome": "answered", "to": "1", "until": "", "then": "next"}
    right |= {"text": "x", "key": NOBODY, "again": "1"} if action == "reply" else {}
    for name in right:
        for bad in BAD:
            send(client, f"/escalations/escalation/{escalation.pk}/{action}/", **{**right, name: bad})


@pytest.mark.parametrize("action", sorted(BULK))
def test_no_field_of_a_bulk_action_breaks(client: Client, action: str) -> None:
    path = "/escalations/escalation/bulk/"
    for bad in BAD:
        for escalations in (f"{NOBODY}:{bad}", f"{bad}:1", f"{NOBODY}:1,{bad}"):
            assert send(client, path, action=action, escalations=escalations, note="x").status_code == 400
        assert send(client, path, action=action, escalation=bad).status_code == 400
        send(client, path, action=action, escalations=f"{NOBODY}:1", outcome=bad, to=bad, until=bad, query=bad)


CAREFUL = sorted(
    f"/{model._meta.app_label}/{model._meta.model_name}"
    for model, page in admin.site._registry.items()
    if isinstance(page, ClearAddresses)
)


@pytest.mark.parametrize("pages", CAREFUL)
def test_no_id_breaks(client: Client, pages: str) -> None:
    for bad in BAD:
        for page in ("change", "history", "delete"):
            for post in (False, True):
                answer = ask(client, f"{pages}/{bad.replace(chr(0), '%00')}/{page}/", [], post=post)
                assert answer.status_code in (400, 403, 404, 405)


AUTOCOMPLETES = sorted(
    (model._meta.app_label, model._meta.model_name, field)
    for model, page in admin.site._registry.items()
    for field in page.autocomplete_fields
)


@pytest.mark.parametrize(("app", "model", "field"), AUTOCOMPLETES)
def test_no_term_of_an_autocomplete_breaks(client: Client, app: str, model: str, field: str) -> None:
    right = {"app_label": app, "model_name": model, "field_name": field, "term": "a"}
    assert client.get("/autocomplete/", right).status_code == 200
    for name in (*right, "page"):
        for bad in BAD:
            answer = ask(client, "/autocomplete/", list({**right, name: bad}.items()), post=False)
            assert "\0" not in bad or answer.status_code in (400, 403, 404)
