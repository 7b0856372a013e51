"""A database that is away: a page that says so in the reader's language, one log line, no traceback."""

import logging

import psycopg
import pytest
from django.db import DataError, InternalError, OperationalError, ProgrammingError, connection
from django.test import Client, RequestFactory
from psycopg import errors
from psycopg_pool import PoolTimeout

from tests import wording
from waops.database.middleware import DatabaseUnavailableMiddleware, server_error
from waops.database.unavailable import BUSY, DISK_FULL, GONE, MISSING, NO_CONNECTION, READ_ONLY, Trouble, trouble_of


@pytest.fixture
def unreachable(committed_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "HOST", "unreachable.invalid")


@pytest.mark.parametrize(
    ("language", "words"), [("en", wording.DATABASE_DOWN["en"]), ("ar", '<html lang="ar" dir="rtl">')]
)
def test_it_answers_503(unreachable: None, caplog: pytest.LogCaptureFixture, language: str, words: str) -> None:
    client = Client(headers={"accept-language": language})
    client.cookies["sessionid"] = "a" * 32
    with caplog.at_level(logging.ERROR, logger="waops.database.middleware"):
        response = client.get("/usage/profile/")
    page = response.content.decode()
    assert response.status_code == 503
    assert words in page
    assert "Traceback" not in page
    assert "unreachable.invalid" not in page
    assert [record.exc_info for record in caplog.records if record.name == "waops.database.middleware"] == [None]


def caused_by(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (caused_by(OperationalError(), psycopg.OperationalError()), GONE),
        (caused_by(OperationalError(), errors.AdminShutdown()), GONE),
        (caused_by(OperationalError(), errors.TooManyConnections()), NO_CONNECTION),
        (
            caused_by(OperationalError("sorry, too many clients already"), psycopg.OperationalError()),
            NO_CONNECTION,
        ),
        (caused_by(OperationalError(), PoolTimeout()), NO_CONNECTION),
        (caused_by(OperationalError(), errors.QueryCanceled()), BUSY),
        (caused_by(OperationalError(), errors.DeadlockDetected()), BUSY),
        (caused_by(InternalError(), errors.ReadOnlySqlTransaction()), READ_ONLY),
        (caused_by(OperationalError(), errors.DiskFull()), DISK_FULL),
        (caused_by(ProgrammingError(), errors.UndefinedFunction()), MISSING),
        (caused_by(ProgrammingError(), errors.UndefinedColumn()), None),
        (caused_by(DataError(), psycopg.DataError()), None),
        (ValueError(), None),
    ],
)
def test_only_what_is_the_databases_fault_is_excused(error: Exception, trouble: Trouble | None) -> None:
    assert trouble_of(error) is trouble
    response = DatabaseUnavailableMiddleware(lambda request: None).process_exception(RequestFactory().post("/"), error)
    assert (response.status_code if response else None) == (503 if trouble else None)


def test_an_error_outside_of_a_view_is_told_as_well() -> None:
    """Of the middleware that saves sessions, say: there Django knows of the page for errors only."""
    request = RequestFactory().post("/")
    try:
        raise caused_by(OperationalError(), errors.DiskFull())
    except OperationalError:
        assert server_error(request).status_code == 503
    try:
        raise ValueError
    except ValueError:
        assert server_error(request).status_code == 500
