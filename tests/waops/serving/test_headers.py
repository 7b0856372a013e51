"""Every page, by the URL configuration: a strict content security policy, and nothing that it would stop."""

import re
from collections.abc import Iterator

import pytest
from django.core.exceptions import SuspiciousOperation
from django.http import Http404
from django.test import Client
from django.urls import path
from django.views.defaults import permission_denied

from tests.addresses import addresses
from tests.factories import conversation, escalation, interaction, message
from waops import urls
from waops.models import User

pytestmark = pytest.mark.django_db

POLICY = {
    "default-src": "'self'",
    "img-src": "'self' data:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
FORBIDDEN = {
    "an inline script": r"<script(?![^>]*\ssrc=)(?![^>]*application/json)",
    "an inline style": r"<style|\sstyle=",
    "a handler of an event": r"<[^>]*\son[a-z]+=[\"']",
    "a script as an address": r"javascript:",
    "something of another host": r"<(?:script|link|img|iframe|form|source)[^>]*\s(?:src|href|action)=.(?:https?:)?//",
}


@pytest.fixture
def administrator(client: Client) -> Client:
    chat = conversation()
    message(chat)
    interaction(chat)
    escalation(chat)
    client.force_login(User.objects.create_superuser("root"), "django.contrib.auth.backends.ModelBackend")
    return client


def faults(response) -> Iterator[str]:
    header = response.headers.get("Content-Security-Policy", "")
    policy = dict(part.strip().split(" ", 1) for part in header.split(";") if part.strip())
    if policy != POLICY:
        yield f"the policy is {header!r}"
    if "text/html" in response.headers.get("Content-Type", ""):
        page = response.content.decode()
        yield from (
            f"{what}: {found[0]!r}" for what, pattern in FORBIDDEN.items() if (found := re.search(pattern, page))
        )


def test_every_page(administrator: Client) -> None:
    found, seen = [], 0
    for address in addresses():
        if address.name == "admin:logout":
            continue
        response = administrator.get(address.path)
        seen += response.status_code == 200
        if response.status_code >= 500:
            found.append(f"{address}: {response.status_code}")
        found += [f"{address}: {fault}" for fault in faults(response)]
    assert found == []
    assert seen > 50


def fail(request):
    raise ValueError("on purpose")


def lose(request):
    raise Http404("on purpose")


def suspect(request):
    raise SuspiciousOperation("on purpose")


class WithErrors:
    """URLs of errors that no page of ours makes by itself."""

    handler400 = "waops.serving.errors.bad_request"
    handler500 = "waops.serving.errors.server_error"
    urlpatterns = [
        path("400/", suspect),
        path("404/", lose),
        path("403/", permission_denied, {"exception": PermissionError()}),
        path("500/", fail),
        *urls.urlpatterns,
    ]


@pytest.mark.parametrize(("language", "direction"), [("en", "ltr"), ("ar", "rtl")])
def test_error_pages(settings, language: str, direction: str) -> None:
    settings.ROOT_URLCONF = WithErrors
    settings.DEBUG = False
    client = Client(raise_request_exception=False, enforce_csrf_checks=True, headers={"accept-language": language})
    answers = {
        400: client.get("/400/"),
        403: client.get("/403/"),
        404: client.get("/404/"),
        500: client.get("/500/"),
    }
    answers[-403] = client.post("/i18n/setlang/", {"language": "ar"})
    answers[-400] = client.get("/login/", headers={"host": "evil.example"})
    for status, response in answers.items():
        page = response.content.decode()
        assert response.status_code == abs(status)
        assert list(faults(response)) == []
        assert f'<html lang="{language}" dir="{direction}">' in page
        assert page.count("<h1>") == 1
        assert "on purpose" not in page
        assert response.headers["X-Request-ID"]
