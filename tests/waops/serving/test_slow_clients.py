"""Clients that send or receive slowly hold a connection and nothing else, without a buffering proxy in front."""

import contextlib
import os
import signal
import socket
from collections.abc import Callable, Iterator

import pytest

from tests.waops.serving.conftest import Gunicorn

THREADS = 8
HEAD = "Host: desk.example.com\r\nX-Forwarded-Proto: https\r\nX-Forwarded-For: 203.0.113.7\r\n"
POST = f"POST /login/ HTTP/1.1\r\n{HEAD}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 500\r\n\r\nu"
SLOW = {
    "body": POST,
    "header": f"GET /login/ HTTP/1.1\r\n{HEAD}X-Slow: ",
    "chunks": POST.replace("Content-Length: 500", "Transfer-Encoding: chunked").replace(
        "\r\n\r\nu", "\r\n\r\n1f4\r\nu"
    ),
}


@pytest.fixture
def production(serve: Callable[..., Gunicorn]) -> Gunicorn:
    return serve()


@contextlib.contextmanager
def slow_clients(server: Gunicorn, beginning: str, count: int) -> Iterator[list[socket.socket]]:
    """This many connections have sent the beginning of a request and send nothing else."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(socket.create_connection(("127.0.0.1", server.port))) for _ in range(count)]
        for client in clients:
            client.sendall(beginning.encode())
        yield clients


def test_slow_clients_do_not_stop_pages(production: Gunicorn) -> None:
    for beginning in SLOW.values():
        with slow_clients(production, beginning, 3 * THREADS):
            assert production.get("/healthz").status == 200
            assert production.get("/login/").status == 200


def test_a_slow_request_is_answered_once_it_is_complete(production: Gunicorn) -> None:
    with slow_clients(production, POST, 1) as (client,):
        client.sendall(b"x" * 499)
        assert client.recv(12) == b"HTTP/1.1 403"


def test_slow_readers_do_not_stop_pages(production: Gunicorn) -> None:
    request = f"GET /login/ HTTP/1.1\r\n{HEAD}\r\n" * 20
    with slow_clients(production, request, 3 * THREADS):
        assert production.get("/healthz").status == 200


def test_a_body_beyond_the_limit_is_refused(production: Gunicorn) -> None:
    with slow_clients(production, POST.replace("500", str(11 * 2**20)), 1) as (client,):
        assert client.recv(12) == b"HTTP/1.1 413"


def test_a_request_that_is_complete_is_answered_at_a_restart(production: Gunicorn) -> None:
    """Many at once, so that some wait for a thread when the signal comes."""
    with slow_clients(production, f"GET /login/ HTTP/1.1\r\n{HEAD}\r\n", 24) as waiting:
        os.kill(production.pid, signal.SIGTERM)
        answers = [client.recv(12) for client in waiting]
    assert set(answers) == {b"HTTP/1.1 200"}
