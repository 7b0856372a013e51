"""A real gunicorn with production settings, on a database of the test's own."""

import http.client
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from filelock import FileLock

from waops.dev.embedded.server import OWNER, EmbeddedServer

SECRET_KEY = "only-for-this-test-but-long-enough-for-the-checks-of-deployment-0123456789"
START_SECONDS = 120


@pytest.fixture(scope="session")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The static files as `collectstatic` makes them; once for all processes of a run."""
    parallel = os.environ.get("PYTEST_XDIST_WORKER")
    shared = tmp_path_factory.getbasetemp().parent if parallel else tmp_path_factory.getbasetemp()
    root = shared / "collected"
    with FileLock(shared / "collected.lock"):
        if not (root / "staticfiles.json").exists():
            environment = production_environment("postgresql:///none", root)
            manage(environment, "collectstatic", "--noinput", "--verbosity", "0").check_returncode()
    return root


def production_environment(database_url: str, static_root: Path, **variables: str) -> dict[str, str]:
    """What an operator sets, and nothing of this machine's."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(settings.BASE_DIR),
        "SECRET_KEY": SECRET_KEY,
        "DATABASE_URL": database_url,
        "ALLOWED_HOSTS": "desk.example.com",
        "CSRF_TRUSTED_ORIGINS": "https://desk.example.com",
        "BEHIND_TLS_PROXY": "true",
        "TRUSTED_PROXIES": "1",
        "STATIC_ROOT": str(static_root),
        **variables,
    }


def manage(environment: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@dataclass
class Gunicorn:
    """The running server: `get("/login/")` asks as the proxy of https://desk.example.com would."""

    port: int
    log: Path
    pid: int

    def get(self, path: str, method: str = "GET", body: str | None = None, **headers: str) -> http.client.HTTPResponse:
        """The answer, read to its end into `.body`."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        usual = {"Host": "desk.example.com", "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        client.request(method, path, body, {**usual, **given})
        response = client.getresponse()
        response.body = response.read()
        client.close()
        return response

    def lines(self) -> list[dict[str, Any]]:
        """The log so far. Every line is JSON."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]


@pytest.fixture
def serve(
    server: EmbeddedServer, committed_database: str, collected: Path, tmp_path: Path
) -> Iterator[Callable[..., Gunicorn]]:
    """Starts gunicorn as `make serve` does, with other variables if given."""
    running: list[subprocess.Popen[bytes]] = []

    def start(**variables: str) -> Gunicorn:
        environment = production_environment(url_of(server), collected, PORT="0", WEB_CONCURRENCY="1", **variables)
        log = tmp_path / "gunicorn.log"
        with log.open("wb") as output:
            program = [sys.executable, "-m", "gunicorn"]
            process = subprocess.Popen(program, cwd=settings.BASE_DIR, env=environment, stderr=output, stdout=output)
        running.append(process)
        return Gunicorn(_port(process, log), log, process.pid)

    yield start
    for process in running:
        process.terminate()
    for process in running:
        process.wait(START_SECONDS)


def url_of(server: EmbeddedServer) -> str:
    """DATABASE_URL of the database that Django uses in this test."""
    return f"postgresql://{OWNER}@/{server.socket_dir}/{connection.settings_dict['NAME']}"


def _port(process: "subprocess.Popen[bytes]", log: Path) -> int:
    """The port that gunicorn chose, from its log."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        text = log.read_text()
        if found := re.search(r"Listening at: http://127\.0\.0\.1:(\d+)", text):
            return int(found[1])
        if process.poll() is not None:
            break
        time.sleep(0.05)
    pytest.fail(f"gunicorn did not start:\n{log.read_text()}")
