"""A server with the HTTP contract of Evolution API 1 and 2, on this machine only, that misbehaves on request."""

import json
import socket
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

BEHAVIOURS = {
    "hang": "delivers the message and never answers",
    "swallow": "neither delivers nor answers",
    "drip": "delivers the message and answers one byte a second",
    "close": "delivers the message and closes the connection without an answer",
    "reset": "closes the connection and delivers nothing",
    "twice": "delivers the message once and answers twice",
    "nonsense": "delivers the message and answers something that is not JSON",
    "huge": "delivers the message and answers 50 MB",
    "headers": "delivers the message and answers with endless headers",
    "same": "delivers the message and answers with the id of the one before",
    "redirect": "answers 302, to itself",
    "absent": "answers 400: the number is not on WhatsApp",
    "refuse": "answers 400: an error of WhatsApp",
    "key": "answers 401",
    "missing": "answers 404: no such instance",
    "broken": "answers 500",
    "proxy": "answers 502, as a proxy does whose server is gone",
}
DELIVERING = frozenset({"", "hang", "drip", "close", "twice", "nonsense", "huge", "headers", "same"})


@dataclass(frozen=True)
class Delivered:
    """A message that would have reached a customer."""

    instance: str
    number: str
    text: str
    id: str


@dataclass
class Gateway:
    """`with Gateway() as gateway:` listens at `gateway.url`. Every instance exists and is connected unless told so.

    A text that begins with "!" and one of BEHAVIOURS, as in "!hang", makes the gateway behave so for that message.
    `choose` may name a behaviour for each text; `misbehave` queues some for the next messages.
    """

    key: str = "development"
    version: str = "2.3.6"
    port: int = 0
    seconds: float = 0.0
    """Seconds that a message takes."""
    choose: Callable[[str], str] = lambda text: ""
    on_delivered: Callable[[Delivered], None] = lambda message: None
    states: dict[str, str] = field(default_factory=dict)
    """Of instances that are not open."""
    delivered: list[Delivered] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    """Texts that arrived, including those that were not delivered."""

    def __post_init__(self) -> None:
        self._next: deque[str] = deque()
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    def __enter__(self) -> "Gateway":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        handler = type("Handler", (_Handler,), {"gateway": self})
        self._server = _Server(("127.0.0.1", self.port), handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def is_stopped(self) -> bool:
        return self._stopped.is_set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def misbehave(self, *behaviours: str) -> None:
        """Queue behaviours for the next messages, one each; "" behaves normally."""
        assert all(not one or one in BEHAVIOURS for one in behaviours)
        self._next.extend(behaviours)

    def behaviour(self, text: str) -> str:
        with self._lock:
            self.requests.append(text)
            if self._next:
                return self._next.popleft()
        word = text.removeprefix("!").split(maxsplit=1)[0] if text.startswith("!") and text[1:].strip() else ""
        return word if word in BEHAVIOURS else self.choose(text)

    def deliver(self, instance: str, number: str, text: str) -> Delivered:
        message = Delivered(instance, number, text, uuid.uuid4().hex.upper()[:22])
        with self._lock:
            self.delivered.append(message)
        self.on_delivered(message)
        return message

    def sleep(self, seconds: float) -> None:
        """Sleep, but not longer than the gateway runs."""
        self._stopped.wait(seconds)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Killed clients are expected, so nothing is printed."""


class _Handler(BaseHTTPRequestHandler):
    gateway: Gateway
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: lines would contain texts and keys."""

    def do_GET(self) -> None:
        if self.path == "/":
            self._answer(
                200, {"status": 200, "message": "Welcome, a gateway for development", "version": self._version}
            )
            return
        instance = unquote(self.path.rpartition("/")[2])
        if not self.path.startswith("/instance/connectionState/"):
            self._fail(404, [f"Cannot GET {self.path}"])
        elif self._is_let_in():
            state = self.gateway.states.get(instance, "open")
            self._answer(200, {"instance": {"instanceName": instance, "state": state}})

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        try:
            body = json.loads(self.rfile.read(length))
        except ValueError:
            self._fail(400, ["Unexpected token in JSON"])
            return
        instance = unquote(self.path.rpartition("/")[2])
        if self.path.startswith("/chat/whatsappNumbers/"):
            found = [{"exists": True, "jid": f"{number}@s.whatsapp.net"} for number in body.get("numbers", [])]
            self._answer(200, found)
        elif not self.path.startswith("/message/sendText/"):
            self._fail(404, [f"Cannot POST {self.path}"])
        elif self.gateway.states.get(instance) == "missing":
            # Checked before the key, as the real gateway does.
            self._fail(404, [f'The "{instance}" instance does not exist'])
        elif self._is_let_in():
            self._send_text(instance, body)

    @property
    def _version(self) -> str:
        return self.gateway.version

    def _is_let_in(self) -> bool:
        if self.headers.get("apikey") == self.gateway.key:
            return True
        self._fail(401, "Unauthorized")
        return False

    def _send_text(self, instance: str, body: dict[str, Any]) -> None:
        is_first = self._version.startswith("1.")
        wanted = "textMessage" if is_first else "text"
        if wanted not in body or "number" not in body:
            missing = wanted if wanted not in body else "number"
            self._fail(400, [[f'instance requires property "{missing}"']])
            return
        text = body["textMessage"]["text"] if is_first else body["text"]
        behaviour = self.gateway.behaviour(text)
        self.gateway.sleep(self.gateway.seconds)
        refusals: dict[str, tuple[int, Any]] = {
            "absent": (400, [{"jid": f"{body['number']}@s.whatsapp.net", "exists": False, "number": body["number"]}]),
            "refuse": (400, ["Error: Connection Closed"]),
            "key": (401, "Unauthorized"),
            "missing": (404, [f'The "{instance}" instance does not exist']),
            "broken": (500, "Internal Server Error"),
            "proxy": (502, "Bad Gateway"),
        }
        if behaviour in refusals:
            self._fail(*refusals[behaviour])
            return
        if behaviour == "redirect":
            self._answer(302, {}, Location=self.gateway.url + self.path)
            return
        if behaviour not in DELIVERING:
            if behaviour == "swallow":
                self.gateway.sleep(3600)
            self._hang_up()
            return
        before = self.gateway.delivered[-1:] if behaviour == "same" else []
        message = self.gateway.deliver(instance, body["number"], text)
        message_id = before[0].id if before else message.id
        answer = {
            "key": {"remoteJid": f"{message.number}@s.whatsapp.net", "fromMe": True, "id": message_id},
            "status": "PENDING",
            "message": {"conversation": text},
            "messageTimestamp": str(int(time.time())),
        }
        if behaviour == "hang":
            self.gateway.sleep(3600)
        if behaviour in ("hang", "close"):
            self._hang_up()
        elif behaviour == "drip":
            self._drip(answer)
        elif behaviour == "nonsense":
            self._answer(201, b"<html>It works!</html>")
        elif behaviour == "huge":
            self._answer(201, json.dumps({"key": "x" * 50_000_000}).encode())
        elif behaviour == "headers":
            self._repeat(b"HTTP/1.1 201 Created\r\n", b"X-More: headers\r\n" * 100, 0.01)
        else:
            self._answer(201, answer)
            if behaviour == "twice":
                self._answer(201, answer)

    def _fail(self, status: int, message: Any) -> None:
        error = {400: "Bad Request", 401: "Unauthorized", 404: "Not Found"}.get(status, "Internal Server Error")
        self._answer(status, {"status": status, "error": error, "response": {"message": message}})

    def _answer(self, status: int, body: Any, **headers: str) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        with suppress(OSError):
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

    def _drip(self, body: Any) -> None:
        content = f"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n\r\n{json.dumps(body)}".encode()
        self.close_connection = True
        with suppress(OSError):
            for byte in content:
                self.wfile.write(bytes([byte]))
                self.gateway.sleep(1)

    def _repeat(self, begin: bytes, more: bytes, pause: float) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.wfile.write(begin)
            while not self.gateway.is_stopped:
                self.wfile.write(more)
                self.gateway.sleep(pause)

    def _hang_up(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
