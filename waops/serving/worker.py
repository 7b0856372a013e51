"""The web worker: gunicorn's processes and signals with waitress's buffered input and output.

gunicorn's own threads read request bodies themselves, so a few slow clients block them all, including the probes.
Waitress receives and sends in one event loop and hands a request to a thread only when it is complete.
"""

import resource
import time
from contextlib import suppress
from typing import Any

from gunicorn.workers.base import Worker
from waitress import wasyncore
from waitress.server import create_server

CONNECTIONS = 4000
"""Most open connections of one worker, mostly idle. Further ones wait in the operating system's queue."""
SPARE_FILES = 200
"""Files reserved for everything else: the database, logs, and bodies too large for memory."""
IDLE_SECONDS = 30
"""An idle connection is closed after this time."""
BODY_BYTES = 10 * 2**20
HEADER_BYTES = 64 * 2**10
TICK = 1.0
"""Seconds between two heartbeats."""


class BufferingWorker(Worker):  # type: ignore[misc]  # gunicorn is not typed
    """Handles complete requests in `threads` threads. Slow clients occupy only a connection."""

    def run(self) -> None:
        connections: dict[int, Any] = {}
        server = create_server(
            self.wsgi,
            map=connections,
            sockets=[listener.sock for listener in self.sockets],
            threads=self.cfg.threads,
            connection_limit=min(CONNECTIONS, _open_files() - SPARE_FILES),
            channel_timeout=IDLE_SECONDS,
            cleanup_interval=5,
            max_request_body_size=BODY_BYTES,
            max_request_header_size=HEADER_BYTES,
            asyncore_use_poll=True,
            # Django reads these headers itself, trusting TRUSTED_PROXIES proxies.
            clear_untrusted_proxy_headers=False,
            ident=None,
        )
        while self.alive:
            self._turn(connections, TICK)
        self._finish(server, connections)

    def _turn(self, connections: dict[int, Any], seconds: float) -> None:
        """Accept, receive and send whatever is ready, waiting at most `seconds`."""
        self.notify()
        wasyncore.loop(timeout=seconds, use_poll=True, map=connections, count=1)

    def _finish(self, server: Any, connections: dict[int, Any]) -> None:
        """Accept what has already connected, then nothing more.

        Finish complete requests, for at most `graceful_timeout` seconds.
        """
        known = 0
        while len(connections) > known:
            known = len(connections)
            self._turn(connections, 0)
        for listener in [item for item in connections.values() if getattr(item, "accepting", False)]:
            listener.accepting = False
        self._turn(connections, 0)
        deadline = time.monotonic() + self.cfg.graceful_timeout
        while time.monotonic() < deadline and any(map(_is_busy, list(connections.values()))):
            self._turn(connections, 0.1)
        server.task_dispatcher.shutdown()
        wasyncore.close_all(connections, ignore_all=True)


def _is_busy(item: Any) -> bool:
    """Whether a connection still has a request to handle or a response to send."""
    return bool(getattr(item, "requests", None) or getattr(item, "total_outbufs_len", 0))


def _open_files() -> int:
    """How many files this process may open, after raising the limit as far as allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + SPARE_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):
            soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return wanted if soft == resource.RLIM_INFINITY else soft
