"""A database that is away: a page that says so in the reader's language, one log line, no traceback."""

import logging

import psycopg
import pytest
from django.db import DataError, OperationalError, ProgrammingError, connection
from django.test import Client, RequestFactory
from psycopg import errors

from waops.middleware import DatabaseUnavailableMiddleware, template_for


@pytest.fixture
def unreachable(committed_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "HOST", "unreachable.invalid")


@pytest.mark.parametrize(
    ("language", "words"), [("en", "The database cannot be reached"), ("ar", '<html lang="ar" dir="rtl">')]
)
def test_it_answers_503(unreachable: None, caplog: pytest.LogCaptureFixture, language: str, words: str) -> None:
    client = Client(headers={"accept-language": language})
    client.cookies["sessionid"] = "a" * 32
    with caplog.at_level(logging.ERROR, logger="waops.middleware"):
        response = client.get("/usage/profile/")
    page = response.content.decode()
    assert response.status_code == 503
    assert words in page
    assert "Traceback" not in page
    assert "unreachable.invalid" not in page
    assert [record.exc_info for record in caplog.records if record.name == "waops.middleware"] == [None]


def caused_by(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "template"),
    [
        (caused_by(OperationalError(), psycopg.OperationalError()), "503.html"),
        (caused_by(OperationalError(), errors.TooManyConnections()), "503.html"),
        (caused_by(OperationalError(), errors.AdminShutdown()), "503.html"),
        (caused_by(OperationalError(), errors.QueryCanceled()), "503_busy.html"),
        (caused_by(OperationalError(), errors.DeadlockDetected()), "503_busy.html"),
        (caused_by(ProgrammingError(), errors.UndefinedColumn()), None),
        (caused_by(DataError(), psycopg.DataError()), None),
        (ValueError(), None),
    ],
)
def test_only_a_database_that_is_away_or_busy_is_excused(error: Exception, template: str | None) -> None:
    assert template_for(error) == template
    response = DatabaseUnavailableMiddleware(lambda request: None).process_exception(RequestFactory().get("/"), error)
    assert (response.status_code if response else None) == (503 if template else None)
