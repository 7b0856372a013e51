"""The app as it is served in production: a real gunicorn, collected static files, probes, one JSON log."""

import gzip
import json
import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings

from tests.waops.serving.conftest import Gunicorn, manage, production_environment, url_of
from waops.dev.embedded.server import EmbeddedServer

Serve = Callable[..., Gunicorn]


@pytest.fixture
def production(serve: Serve) -> Gunicorn:
    return serve()


def test_pages_static_files_probes_and_log(production: Gunicorn) -> None:
    """One server for all, because starting one takes seconds."""
    page = production.get("/login/", Accept_Encoding="identity")
    assert page.status == 200
    assert page.headers["Strict-Transport-Security"] == "max-age=3600"
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert set(page.headers["Set-Cookie"].split("; ")) >= {"Secure", "HttpOnly", "SameSite=Lax"}

    style = re.search(r'href="(/static/waops/tokens\.[0-9a-f]{12}\.css)"', page.body.decode())[1]
    for encoding in ("br", "gzip"):
        answer = production.get(style, Accept_Encoding=encoding)
        assert (answer.status, answer.headers["Content-Encoding"]) == (200, encoding)
        assert "immutable" in answer.headers["Cache-Control"]
    assert b"--" in gzip.decompress(answer.body)

    # Requests without TLS are redirected to it; probes are not, and need no valid host name.
    insecure = production.get("/login/", X_Forwarded_Proto="http")
    assert (insecure.status, insecure.headers["Location"]) == (301, "https://desk.example.com/login/")
    for path, status in (("/healthz", "ok"), ("/readyz", "ready")):
        answer = production.get(path, Host="10.0.0.7", X_Forwarded_Proto="http")
        assert (answer.status, json.loads(answer.body)) == (200, {"status": status})

    refused = production.get("/login/", Host="evil.example", Accept_Language="ar")
    assert refused.status == 400
    assert 'dir="rtl"' in refused.body.decode()
    assert "default-src 'self'" in refused.headers["Content-Security-Policy"]

    kept = production.get("/login/?q=201012345678", X_Request_ID="trace-12345678")
    assert kept.headers["X-Request-ID"] == "trace-12345678"
    (line,) = [line for line in production.lines() if line["request_id"] == "trace-12345678"]
    assert (line["logger"], line["path"], line["status"]) == ("waops.serving.requests", "/login/", 200)
    assert line["address"] == "203.0.113.7"
    assert "201012345678" not in production.log.read_text()


def test_it_refuses_to_start_with_a_reason(server: EmbeddedServer, committed_database: str, tmp_path: Path) -> None:
    environment = production_environment(url_of(server), tmp_path)
    program = [sys.executable, "-m", "gunicorn"]
    result = subprocess.run(
        program, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, timeout=120
    )
    assert result.returncode != 0
    assert "waops.E014" in result.stderr
    assert "collectstatic" in result.stderr


def test_checks_for_deployment_find_nothing(server: EmbeddedServer, committed_database: str, collected: Path) -> None:
    environment = production_environment(url_of(server), collected)
    result = manage(environment, "check", "--deploy", "--database", "default", "--fail-level", "WARNING")
    assert (result.returncode, result.stderr) == (0, "")


def test_it_has_no_control_socket() -> None:
    """gunicorn opens one by default, from which its workers can be stopped."""
    assert runpy.run_path("gunicorn.conf.py")["control_socket_disable"] is True
