"""Many people at one page of a real gunicorn: answers a second, and how long each waits."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
HOST = "127.0.0.1"
LONGEST_WAIT = 60
"""Seconds for one answer, the first included, which waits for the server to start."""


class Crowd(NamedTuple):
    per_second: float
    p95: float
    """Seconds."""


def crowd(database_url: str, secret_key: str, session: str, path: str, *, people: int, seconds: float) -> Crowd:
    """`people` ask for the page without a pause, each on a separate connection, served by two workers.

    `secret_key` is the one that signed the session. Takes `seconds`, the start and one more answer for everyone.
    """
    with _server(database_url, secret_key) as port, ThreadPoolExecutor(people) as pool:

        def visit(until: float) -> list[float]:
            return _visit(port, path, session, until)

        for until in (0, 0, 0):  # once each: workers, caches and connections are warm
            list(pool.map(visit, [until] * people))
        end = time.monotonic() + seconds
        waits = sorted(wait for found in pool.map(visit, [end] * people) for wait in found)
        took = time.monotonic() - end + seconds
    return Crowd(len(waits) / took, waits[int(0.95 * len(waits))])


@contextmanager
def _server(database_url: str, secret_key: str) -> Iterator[int]:
    """gunicorn with production settings; the port that it serves."""
    with tempfile.TemporaryDirectory() as static, socket.create_server((HOST, 0)) as listener:
        environment = {
            **os.environ,
            "DATABASE_URL": database_url,
            "SECRET_KEY": secret_key,
            "DEBUG": "false",
            "SECURE_SSL_REDIRECT": "false",
            "ALLOWED_HOSTS": HOST,
            "STATIC_ROOT": static,
            "LOG_LEVEL": "ERROR",  # not a line for everyone who queues
            "WEB_CONCURRENCY": "2",
        }
        collect = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
        subprocess.run(collect, cwd=ROOT, env=environment, check=True)
        descriptor, port = listener.fileno(), listener.getsockname()[1]
        program = [sys.executable, "-m", "gunicorn", "--bind", f"fd://{descriptor}"]
        server = subprocess.Popen(program, cwd=ROOT, env=environment, pass_fds=[descriptor])
        listener.close()  # a server that ends refuses its clients at once
        try:
            yield port
        finally:
            server.terminate()
            try:
                server.wait(LONGEST_WAIT)
            except subprocess.TimeoutExpired:
                server.kill()


def _visit(port: int, path: str, session: str, until: float) -> list[float]:
    """Seconds that each answer took; at least one."""
    waits: list[float] = []
    web = HTTPConnection(HOST, port, timeout=LONGEST_WAIT)
    while not waits or time.monotonic() < until:
        started = time.monotonic()
        web.request("GET", path, headers={"Cookie": f"sessionid={session}"})
        response = web.getresponse()
        response.read()
        if response.status != 200:
            raise RuntimeError(f"{path}: {response.status}")
        waits.append(time.monotonic() - started)
    web.close()
    return waits
