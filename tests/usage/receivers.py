"""Local servers that take messages, and some that misbehave."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import sleep

Behaviour = Callable[["Server", socket.socket], None]


class Server:
    """Listens on loopback and hands each connection to `behave`, in a thread; `posts` is what it took."""

    def __init__(self, behave: Behaviour) -> None:
        self.behave, self.posts, self.ended = behave, [], threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(30)
            try:
                self.behave(self, connection)
            except OSError:
                return

    def close(self) -> None:
        self.ended.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@contextmanager
def serving(behave: Behaviour) -> Iterator[Server]:
    server = Server(behave)
    try:
        yield server
    finally:
        server.close()


def take(server: Server, connection: socket.socket) -> None:
    """Reads one whole request and keeps it as headers, with names in small letters, and body."""
    stream = connection.makefile("rb")
    stream.readline()
    headers = {}
    while line := stream.readline().strip():
        name, _, value = line.decode().partition(":")
        headers[name.lower()] = value.strip()
    server.posts.append((headers, stream.read(int(headers["content-length"]))))


def answering(status: int = 200, *headers: str, body: bytes = b"") -> Behaviour:
    head = "\r\n".join([f"HTTP/1.1 {status} As told", *headers, f"Content-Length: {len(body)}", "Connection: close"])

    def behave(server: Server, connection: socket.socket) -> None:
        take(server, connection)
        connection.sendall(head.encode() + b"\r\n\r\n" + body)

    return behave


def sending(answer: bytes) -> Behaviour:
    """Takes the request and answers these bytes."""

    def behave(server: Server, connection: socket.socket) -> None:
        take(server, connection)
        connection.sendall(answer)

    return behave


def dripping(beginning: bytes) -> Behaviour:
    """Begins to answer and continues endlessly, one byte at a time."""

    def behave(server: Server, connection: socket.socket) -> None:
        connection.sendall(beginning)
        while not server.ended.wait(0.05):
            connection.sendall(b"x")

    return behave


def hanging(server: Server, connection: socket.socket) -> None:
    """Accepts and says nothing."""
    server.ended.wait(30)


def closing(server: Server, connection: socket.socket) -> None:
    """Accepts and closes."""


def mail_server(**answers: bytes) -> Behaviour:
    """Speaks SMTP; `answers` replaces those to single commands, and `hello` the greeting."""

    def behave(server: Server, connection: socket.socket) -> None:
        stream = connection.makefile("rb")
        connection.sendall(answers.get("hello", b"220 ready\r\n"))
        while line := stream.readline():
            command = line[:4].decode(errors="replace").strip().lower()
            answer = answers.get(command, b"250 fine\r\n")
            if command == "data" and "data" not in answers:
                connection.sendall(b"354 go on\r\n")
                lines = []
                while (text := stream.readline()) not in (b".\r\n", b""):
                    lines.append(text)
                server.posts.append(b"".join(lines))
            connection.sendall(answer)
            if command == "quit":
                return
            sleep(0)

    return behave
