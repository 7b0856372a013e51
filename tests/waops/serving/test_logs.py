"""The log: JSON lines that belong to their request, and nothing that a customer wrote or can be called by."""

import io
import json
import logging
import logging.config
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from tests import factories
from tests.addresses import addresses
from tests.factories import conversation, interaction, message
from waops.models import User
from waops.serving.logs import describe, logging_settings, mask_numbers

PHONE = "201099887766"
TEXT = "canary سر"


class Log:
    def __init__(self) -> None:
        self.stream = io.StringIO()

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


@pytest.fixture
def log() -> Iterator[Log]:
    """What production prints."""
    yield from _log(personal_data=False)


@pytest.fixture
def open_log() -> Iterator[Log]:
    yield from _log(personal_data=True)


def _log(*, personal_data: bool) -> Iterator[Log]:
    captured = Log()
    config = logging_settings(form="json", level="INFO", personal_data=personal_data)
    handler = logging.StreamHandler(captured.stream)
    made = config["formatters"]["lines"]
    handler.setFormatter(made["()"](private=made["private"]))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel("INFO")
    yield captured
    root.removeHandler(handler)
    root.setLevel(level)


def visitor(**options: Any) -> Client:
    client = Client(raise_request_exception=False, **options)
    client.force_login(User.objects.create_superuser("root"), "django.contrib.auth.backends.ModelBackend")
    return client


@pytest.mark.django_db
def test_no_page_or_action_logs_texts_or_numbers(log: Log) -> None:
    chat = conversation(user_phone=PHONE)
    message(chat, TEXT)
    interaction(chat, user_message=TEXT, ai_response=TEXT)
    escalation = factories.escalation(chat, conversation_context=[{"role": "user", "content": TEXT, "timestamp": ""}])
    client = visitor()
    for address in addresses():
        if address.name != "admin:logout":
            client.get(address.path, {"q": f"{PHONE} {TEXT}", "user_phone": PHONE})
    client.get(f"/{PHONE}/")
    for action in ("claim", "note", "snooze", "resolve"):
        address = reverse(f"admin:escalations_escalation_{action}", args=[escalation.pk])
        client.post(address, {"note": f"{TEXT} {PHONE}", "outcome": "", "version": "", "hours": "x"})
    assert len(log.lines) > 50
    assert PHONE not in log.text
    assert "canary" not in log.text


def refused(client: Client) -> Any:
    """The answer to resolving an escalation that the database will not let be resolved, in words that quote its row."""
    chat = conversation(user_phone=PHONE)
    escalation = factories.escalation(chat, conversation_context=[{"role": "user", "content": TEXT, "timestamp": ""}])
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE public.escalated_conversations ADD CONSTRAINT stays_open CHECK (resolved_at IS NULL) NOT VALID"
        )
    address = reverse("admin:escalations_escalation_resolve", args=[escalation.pk])
    return client.post(address, {"version": ""}, headers={"x-request-id": "request-42"})


def test_an_error_that_quotes_a_row_is_logged_without_it(committed_database: str, log: Log) -> None:
    response = refused(visitor())
    assert (response.status_code, response.headers["X-Request-ID"]) == (500, "request-42")
    (line,) = [line for line in log.lines if line["level"] == "ERROR"]
    assert line["request_id"] == "request-42"
    assert "SQLSTATE 23514" in line["error"]
    assert "constraint stays_open" in line["error"]
    assert "calls.py" in line["error"]
    assert PHONE not in log.text
    assert "canary" not in log.text


def test_it_is_logged_whole_where_that_was_asked_for(committed_database: str, open_log: Log) -> None:
    assert refused(visitor()).status_code == 500
    assert PHONE in open_log.text


def test_every_line_of_a_request_has_its_id(committed_database: str, log: Log) -> None:
    with psycopg.connect(committed_database, autocommit=True) as owner:
        owner.execute("ALTER TABLE waops.waops_incident RENAME TO elsewhere")
    visitor().get("/no-such-page/", headers={"x-request-id": "given-by-proxy"})
    lines = [line for line in log.lines if line["logger"] == "waops.serving.requests"]
    assert {key: lines[-1][key] for key in ("request_id", "method", "path", "status")} == {
        "request_id": "given-by-proxy",
        "method": "GET",
        "path": "/no-such-page/",
        "status": 404,
    }
    assert lines[-1]["user"] == str(User.objects.get().pk)


@pytest.mark.parametrize("offered", ["", "short", "x" * 65, "two words here", 'quote"quote', "línea-nueva"])
def test_an_id_that_is_not_sane_is_replaced(offered: str) -> None:
    answers = [Client().get("/healthz", headers={"x-request-id": offered}).headers["X-Request-ID"] for _ in range(2)]
    assert offered not in answers
    assert answers[0] != answers[1]
    assert all(len(answer) == 32 for answer in answers)


def test_numbers_are_masked_and_uuids_are_not() -> None:
    key = "12345678-1234-4234-8234-123456789012"
    assert mask_numbers(f"+{PHONE} of {key} in ٠١٠١٢٣٤٥٦٧٨, 4711") == f"<number> of {key} in <number>, 4711"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError(TEXT), "ValueError (its words are withheld; LOG_PERSONAL_DATA=true logs them)"),
        (TypeError("f() takes 1 argument"), "TypeError: f() takes 1 argument"),
        (psycopg.OperationalError("connection refused"), "OperationalError: connection refused"),
        (psycopg.DataError(TEXT), "DataError: (its words are withheld; LOG_PERSONAL_DATA=true logs them)"),
    ],
)
def test_an_exception_is_described_by_what_is_harmless(error: Exception, words: str) -> None:
    assert describe(error) == words
