"""No address answers with the browser's own error page, whichever way it is asked."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse
from django_otp.plugins.otp_totp.models import TOTPDevice

from tests import factories
from tests.access.world import World, own_and_other, signed_in
from tests.pages.addresses import Address, addresses
from waops.access.permissions import MANAGERS, OPERATORS, SUPPORT

pytestmark = pytest.mark.django_db
BULK = "/usage/profile/bulk/"
FORM = "application/x-www-form-urlencoded"
PARAMETERS = urlencode(
    [(name, value) for name in ("q", "p", "o", "id", "day", "at", "_facets", "queue") for value in ("\0", "9" * 14)]
)


@pytest.fixture
def own() -> World:
    return own_and_other()[0]


@pytest.fixture
def client() -> Iterator[Client]:
    person = factories.staff(SUPPORT, MANAGERS, OPERATORS, is_superuser=True, username="administrator")
    person.set_password("Right-password-1")
    person.save()
    return signed_in(person)


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        *((method, "") for method in ("GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE")),
        *((method, PARAMETERS) for method in ("HEAD", "PUT", "DELETE")),
    ],
    ids=lambda value: value[:6],
)
def test_no_method_gets_an_empty_error(own: World, client: Client, method: str, parameters: str) -> None:
    """Every page in both languages, other answers in one of them.

    What GET does with parameters is for test_bad_input.
    """
    empty = []
    for number, address in enumerate(sorted(addresses(), key=lambda address: address.name)):
        if address.name == "admin:logout":
            continue
        path = address.real() or address.path(*["0"] * len(address.parameters))
        for language in ("en", "ar") if method == "GET" else (("en", "ar")[number % 2],):
            client.cookies["django_language"] = language
            answer = client.generic(method, path, parameters, FORM, QUERY_STRING=parameters)
            is_error = answer.status_code >= 400
            if answer.status_code >= 500 or (is_error and method != "HEAD" and not _is_page(answer)):
                empty.append(f"{path} in {language}: {answer.status_code}")
    assert not empty, "\n".join(empty)


def _is_page(answer: Any) -> bool:
    return answer["Content-Type"].startswith("text/html") and 'dir="' in answer.content.decode()


def test_every_address_of_a_form_leads_to_its_page(own: World, client: Client) -> None:
    """Those that answer POST and have no page."""
    for address, page in (
        (BULK, "/usage/profile/"),
        (f"/usage/profile/{own.business.pk}/limit/", f"/usage/profile/{own.business.pk}/change/"),
        ("/escalations/escalation/bulk/", "/escalations/escalation/"),
        ("/escalations/escalation/attention/missed/", "/escalations/escalation/attention/"),
        ("/waops/operations/checklist/tick/", "/waops/operations/checklist/"),
        ("/waops/operations/drift/accept/", "/waops/operations/drift/"),
        ("/logout/", "/"),
        (_escalation(own, "live/{}/"), _escalation(own, "{}/change/")),
        (_escalation(own, "{}/claim/"), _escalation(own, "{}/change/")),
    ):
        for method in (client.get, client.head):
            answer = method(address)
            assert (answer.status_code, answer["Location"]) == (302, page), address
    assert client.get("/").status_code == 200, "opening the logout address logs no one out"


def _escalation(own: World, route: str) -> str:
    return "/escalations/escalation/" + route.format(own.rows["escalations.escalation"].pk)


def _form(own: World) -> dict[str, Any]:
    ids = [str(own.business.pk)]
    return {"scope": "selected", "kind": "limit", "number": "777", "reason": "a Friday", "id": ids, "list": "view=all"}


def test_a_preview_stays_when_the_language_changes(own: World, client: Client) -> None:
    assert "a Friday" in client.post(BULK, _form(own)).content.decode()
    page = client.post("/i18n/setlang/", {"language": "ar", "next": BULK}, follow=True)
    text = page.content.decode()
    assert page.status_code == 200
    assert 'lang="ar"' in text
    assert "a Friday" in text
    assert "777" in text
    plan = page.context["plan"]
    assert client.post(BULK, {**_form(own), "plan": plan}).status_code == 302
    own.business.refresh_from_db()
    assert own.business.monthly_ai_response_limit == 777
    assert client.get(BULK)["Location"] == "/usage/profile/", "what is done is not offered again"


@pytest.mark.parametrize("confirmed", [False, True])
def test_a_preview_comes_back_after_logging_in_again(own: World, client: Client, confirmed: bool) -> None:
    """Also where the session ended between the preview and its button. Nothing is changed unseen."""
    sent = _form(own)
    if confirmed:
        sent["plan"] = client.post(BULK, sent).context["plan"]
    client.cookies.pop("sessionid")
    login = client.post(BULK, sent)
    assert login["Location"] == f"/login/?{urlencode({'next': BULK}, safe='/')}"
    person = {"username": "administrator", "password": "Right-password-1", "next": BULK}
    page = client.post("/login/", person, follow=True)
    assert "a Friday" in page.content.decode()
    own.business.refresh_from_db()
    assert own.business.monthly_ai_response_limit == 100


def test_what_was_typed_comes_back_after_logging_in_again(own: World, client: Client) -> None:
    """On the page that it was sent from, once. Nothing is done unseen."""
    business = f"/usage/profile/{own.business.pk}/limit/"
    typed = {"limit-expected": "100", "limit-limit": "777", "limit-reason": "a Friday"}
    for address, sent in ((_escalation(own, "{}/resolve/"), {"note": "a Friday"}), (business, typed)):
        client.cookies.pop("sessionid")
        client.post(address, sent)
        person = {"username": "administrator", "password": "Right-password-1", "next": address}
        page = client.post("/login/", person, follow=True)
        assert "a Friday" in page.content.decode()
        assert "a Friday" not in client.get(page.redirect_chain[-1][0]).content.decode()
    assert page.context["open_form"] == "limit"
    assert page.context["limit_form"]["limit"].value() == "777"
    own.business.refresh_from_db()
    own.rows["escalations.escalation"].refresh_from_db()
    assert own.business.monthly_ai_response_limit == 100
    assert own.rows["escalations.escalation"].resolved_at is None


def test_a_preview_of_the_desk_comes_back(own: World, client: Client) -> None:
    pk = str(own.rows["escalations.escalation"].pk)
    bulk = "/escalations/escalation/bulk/"
    page = client.post(bulk, {"action": "resolve", "escalation": [pk], "query": "view=open"})
    escalations = page.context["escalations"]
    client.post(bulk, {"action": "resolve", "escalation": [pk], "query": "view=open"})
    again = client.get(bulk)
    assert again.status_code == 200
    assert again.context["escalations"] == escalations
    assert again.context["is_done"] is False


def test_a_code_in_between_keeps_the_preview(own: World, client: Client) -> None:
    TOTPDevice.objects.create(user_id=client.session["_auth_user_id"], confirmed=True)
    answer = client.post(BULK, _form(own))
    assert answer["Location"].endswith(urlencode({"next": BULK}))
    assert BULK in client.session["drafts"]


def test_a_stranger_fills_no_session(own: World) -> None:
    client = Client()
    client.post(BULK, {"reason": "x" * 60_000})
    assert "drafts" not in client.session
    client.post(reverse("admin:waops_user_add"), {"username": "x"})
    assert "drafts" not in client.session


def test_the_walk_knows_addresses(own: World) -> None:
    paths = {address.name: address for address in addresses()}
    change: Address = paths["admin:conversations_conversation_change"]
    assert change.path("1") == "/conversations/conversation/1/change/"
