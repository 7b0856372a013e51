"""People at a real web server in this process, whose threads share a pool of connections as in production."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from threading import current_thread, main_thread
from typing import NamedTuple
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.db import connections
from django.test import Client
from django.test.testcases import LiveServerThread

from waops.database.engine import pooling
from waops.database.engine.base import DatabaseWrapper
from waops.models import User

CSRF = "a" * 32
PATIENCE = 30
"""Seconds that a request waits for a connection, however busy the machine."""


class Answer(NamedTuple):
    status: int
    text: str
    cookies: list[str]


class Person:
    """A logged-in person, at that port of this machine."""

    def __init__(self, port: int, user: User, language: str = "en") -> None:
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        self.port = port
        self.cookies = {
            settings.SESSION_COOKIE_NAME: client.cookies[settings.SESSION_COOKIE_NAME].value,
            settings.LANGUAGE_COOKIE_NAME: language,
            settings.CSRF_COOKIE_NAME: CSRF,
        }

    def get(self, path: str) -> Answer:
        return self._ask("GET", path)

    def post(self, path: str, **fields: str) -> Answer:
        return self._ask("POST", path, urlencode({"csrfmiddlewaretoken": CSRF, **fields}))

    def _ask(self, method: str, path: str, body: str | None = None) -> Answer:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded"}
        web = HTTPConnection("localhost", self.port, timeout=120)
        try:
            web.request(method, path, body, headers)
            response = web.getresponse()
            return Answer(
                response.status, response.read().decode(errors="replace"), response.headers.get_all("Set-Cookie") or []
            )
        finally:
            web.close()


@contextmanager
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Port of a server on Django's databases. Its threads share a pool for each; this thread has a connection."""
    pool = {"min_size": 0, "max_size": 4, "timeout": PATIENCE, "reconnect_timeout": 1}
    for one in connections.all():
        monkeypatch.setitem(one.settings_dict["OPTIONS"], "pool", pool)
        monkeypatch.setitem(one.settings_dict, "CONN_HEALTH_CHECKS", True)
    monkeypatch.setattr(pooling, "started", lambda: current_thread() is not main_thread())
    thread = LiveServerThread("localhost", StaticFilesHandler)
    thread.daemon = True
    thread.start()
    thread.is_ready.wait()
    if thread.error:
        raise thread.error
    try:
        yield thread.port
    finally:
        thread.terminate()
        for pool in DatabaseWrapper._connection_pools.values():
            pool.close()
        DatabaseWrapper._connection_pools.clear()


@contextmanager
def no_patience(alias: str = "default") -> Iterator[None]:
    """Within the block no connection to that database is available, and no request waits for one."""
    pool = DatabaseWrapper._connection_pools[alias]
    pool.timeout = 0.5
    yield
    pool.timeout = PATIENCE
