"""Write log lines, as JSON or for a terminal, without customers' texts and numbers.

Messages of databases and libraries can quote a row ("Failing row contains …"). So an exception is logged as its class,
location and the parts known to be safe, and every long number is masked. LOG_PERSONAL_DATA=true logs everything.
"""

import copy
import logging
import re
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import psycopg
from django.core.exceptions import ImproperlyConfigured
from django.template import TemplateDoesNotExist, TemplateSyntaxError
from pythonjsonlogger.json import JsonFormatter

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""Id of the request that this thread handles; empty outside of requests."""

REQUEST_FIELDS = ("method", "path", "status", "milliseconds", "user", "address")
"""What a log call may add as `extra`. Anything else is dropped: Django adds the request itself."""

ABOUT_THE_SERVER = ("08", "25", "28", "3D", "3F", "40", "42", "53", "54", "55", "57", "58", "0A", "XX")
"""SQLSTATE classes whose first line is about connections, locks, space and names, never about a row."""

ABOUT_THE_CODE = (
    AttributeError,
    ImportError,
    ImproperlyConfigured,
    NameError,
    OSError,
    TemplateDoesNotExist,
    TemplateSyntaxError,
    TypeError,
)
"""Exceptions whose message comes from programs, not from people."""

WITHHELD = "(its words are withheld; LOG_PERSONAL_DATA=true logs them)"

LONG_NUMBER = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\+?\d{8,}", re.IGNORECASE)
"""A UUID, which is kept, or a number as long as a phone number, which is masked."""


def describe(error: BaseException) -> str:
    """Class and safe parts of an exception: "IntegrityError: SQLSTATE 23505, constraint one_open_escalation"."""
    name = type(error).__name__
    cause = error if isinstance(error, psycopg.Error) else error.__cause__
    if isinstance(cause, psycopg.Error):
        return f"{name}: {_describe_database_error(cause)}"
    return f"{name}: {error}" if isinstance(error, ABOUT_THE_CODE) else f"{name} {WITHHELD}"


def _describe_database_error(error: psycopg.Error) -> str:
    if error.sqlstate is None:  # libpq's own: no connection
        kinds = psycopg.OperationalError | psycopg.InterfaceError
        return " ".join(str(error).split()) if isinstance(error, kinds) else WITHHELD
    diagnosis = error.diag
    names = {kind: getattr(diagnosis, f"{kind}_name") for kind in ("schema", "table", "column", "constraint")}
    parts = [f"SQLSTATE {error.sqlstate}", *(f"{kind} {name}" for kind, name in names.items() if name)]
    if error.sqlstate.startswith(ABOUT_THE_SERVER):
        parts.append(diagnosis.message_primary or "")
    return ", ".join(filter(None, parts))


def describe_traceback(error: BaseException) -> str:
    """The tracebacks of an exception and its causes, first cause first, each ending with `describe`."""
    parts: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        frames = "".join(traceback.format_tb(current.__traceback__))
        parts.append(f"Traceback (most recent call last):\n{frames}{describe(current)}")
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return "\n\n".join(reversed(parts))


def mask_numbers(text: str) -> str:
    return LONG_NUMBER.sub(lambda found: found[0] if "-" in found[0] else "<number>", text)


class PrivateFormatter(logging.Formatter):
    """Mixin for formatters. `private` false: everything is logged unchanged."""

    private = True

    def format(self, record: logging.LogRecord) -> str:
        record = copy.copy(record)  # other handlers get the original record
        record.request_id = request_id.get()
        if self.private:
            record.msg, record.args = mask_numbers(_message(record)), None
            record.exc_text = None
            if hasattr(record, "path"):
                record.path = mask_numbers(record.path)
        return super().format(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802 named by logging
        error = ei[1]
        if not self.private or error is None:
            return super().formatException(ei)
        return mask_numbers(describe_traceback(error))


def _message(record: logging.LogRecord) -> str:
    """The message, with exceptions among its arguments described."""
    arguments = record.args
    if isinstance(record.msg, BaseException):
        return describe(record.msg)
    if isinstance(arguments, tuple):
        arguments = tuple(describe(value) if isinstance(value, BaseException) else value for value in arguments)
    return str(record.msg) % arguments if arguments else str(record.msg)


class JSONLines(PrivateFormatter, JsonFormatter):
    """One JSON object per line: time (UTC), level, logger, message, request_id, REQUEST_FIELDS, error (a traceback)."""

    def __init__(self, *, private: bool = True) -> None:
        super().__init__(["levelname", "name", "message", "request_id"], json_ensure_ascii=False)
        self.private = private

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        moment = datetime.fromtimestamp(record.created, UTC)
        log_data |= {
            "time": moment.isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.message,
            "request_id": record.request_id,  # type: ignore[attr-defined]  # PrivateFormatter put it there
        }
        log_data |= {name: vars(record)[name] for name in REQUEST_FIELDS if name in vars(record)}
        if error := message_dict.get("exc_info"):
            log_data["error"] = error


class TerminalLines(PrivateFormatter):
    """For people: one line per record, ending with the request's id."""

    def __init__(self, *, private: bool = True) -> None:
        super().__init__("{asctime} {levelname} {name}: {message} {request_id}", style="{")
        self.private = private


FORMATS = {"json": JSONLines, "text": TerminalLines}


def logging_settings(*, form: str, level: str, personal_data: bool) -> dict[str, Any]:
    """Django's LOGGING. `form`: json or text. All lines go to standard error through one formatter."""
    formatter = FORMATS[form]
    passed_on: dict[str, Any] = {"handlers": [], "propagate": True}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": formatter, "private": not personal_data}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            # Django's own handlers would bypass the formatter.
            "django": passed_on,
            # Statements with their values, at level DEBUG.
            "django.db.backends": {"level": None if personal_data else "INFO"},
            # Repeats our request line with the query string. `runserver` only.
            "django.server": {"handlers": [], "propagate": True, "level": "CRITICAL"},
            # Strangers try host names; our request line says 400.
            "django.security.DisallowedHost": {"level": "CRITICAL"},
            # Our request line already shows the 404.
            "django.request": {"level": "ERROR"},
            "django.utils.autoreload": {"level": "WARNING"},
            "axes": {"level": "WARNING"},
            # It logs each address called, and a webhook's may contain its secret.
            "httpx": {"level": "WARNING"},
            # It warns about each request that waits for a thread, which is what its queue is for.
            "waitress.queue": {"level": "ERROR"},
            "gunicorn.error": passed_on | {"level": "INFO"},
        },
    }
