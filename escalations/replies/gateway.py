"""The WhatsApp gateway's HTTP contract (Evolution API, versions 1 and 2).

It accepts no message id from us, so repeating a request sends a second message. Nothing here repeats one, except that a
request whose format the gateway rejected is sent in the other version's format: the rejected one reached no one.
"""

import asyncio
import json
import logging
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache as once
from hashlib import sha256
from typing import Any
from urllib.parse import quote

import httpx
from django.conf import settings
from django.core.cache import cache

from escalations.models.reply import Reply

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0
VERSION_SECONDS = 3.0
"""The version is only a convenience, so asking for it must not use up the reply's time."""
LEAST_SHARE = 0.25
"""Part of a reply's total time: with less left, it is not sent, because the response could not be awaited."""
VERSION_KEPT = 600
LONGEST_ANSWER = 1_000_000
STATES_AT_ONCE = 8
OPEN = "open"

State, Why = Reply.State, Reply.Why


@dataclass(frozen=True)
class Sent:
    """The result of one request to send: `state` is SENT (with WhatsApp's `id`), FAILED or UNKNOWN (with `why`).

    `status` is HTTP's, for the log; 0 if there was none.
    """

    state: Reply.State
    why: str = ""
    id: str = ""
    status: int = 0


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    """The response's JSON; None if it is not JSON."""


def is_set() -> bool:
    return bool(settings.EVOLUTION_API_URL and settings.EVOLUTION_API_KEY)


def send(instance_name: str, number: str, text: str, seconds: float) -> Sent:
    """Request one message, and wait at most `seconds` in total for the response. Never raises because of the
    gateway.
    """
    if seconds < LEAST_SHARE * settings.EVOLUTION_API_TIMEOUT:
        return Sent(State.FAILED, Why.BUSY)
    try:
        return asyncio.run(_send(instance_name, number, text, seconds))
    except (UnicodeEncodeError, httpx.LocalProtocolError):
        # The key is nothing that a header can carry, so no request was made.
        return Sent(State.FAILED, Why.KEY)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError, httpx.UnsupportedProtocol, httpx.InvalidURL):
        return Sent(State.FAILED, Why.UNREACHABLE)
    except (TimeoutError, httpx.TimeoutException):
        return Sent(State.UNKNOWN, Why.NO_ANSWER)
    except (httpx.HTTPError, OSError):
        return Sent(State.UNKNOWN, Why.LOST)


async def _send(instance_name: str, number: str, text: str, seconds: float) -> Sent:
    async with asyncio.timeout(seconds), _client(seconds) as client:
        version = await _version(client, min(VERSION_SECONDS, seconds / 4))
        path = f"message/sendText/{quote(instance_name, safe='')}"
        answer = await _ask(client, "POST", path, _body(version, number, text))
        if other := _other_version(answer):
            cache.set(_version_key(), other, VERSION_KEPT)
            answer = await _ask(client, "POST", path, _body(other, number, text))
        return replace(_sent(answer), status=answer.status)


def _body(version: int, number: str, text: str) -> dict[str, Any]:
    return {"number": number, **({"text": text} if version >= 2 else {"textMessage": {"text": text}})}


def _sent(answer: Answer) -> Sent:
    status, body = answer.status, answer.body
    if status in (200, 201):
        key = body.get("key") if isinstance(body, dict) else None
        message_id = key.get("id") if isinstance(key, dict) else None
        if isinstance(message_id, str) and 0 < len(message_id) <= 200 and message_id.isprintable():
            return Sent(State.SENT, id=message_id)
        return Sent(State.UNKNOWN, Why.ODD)
    if status == 400:
        if _said(answer, '"exists": false'):
            return Sent(State.FAILED, Why.NOT_ON_WHATSAPP)
        return Sent(State.FAILED, Why.REQUEST if _said(answer, "requires property") else Why.REFUSED)
    known = {401: Why.KEY, 403: Why.KEY, 404: Why.NUMBER, 500: Why.BROKEN}
    if status in known:
        return Sent(State.FAILED, known[status])
    # A proxy in front of the gateway that times out (502, 504) does not know either.
    return Sent(State.FAILED, Why.REQUEST) if 300 <= status < 500 else Sent(State.UNKNOWN, Why.ODD)


def _other_version(answer: Answer) -> int | None:
    """The gateway's version, if it rejected the other version's format."""
    if answer.status != 400:
        return None
    if _said(answer, 'requires property \\"textMessage\\"'):
        return 1
    return 2 if _said(answer, 'requires property \\"text\\"') else None


def _said(answer: Answer, words: str) -> bool:
    """Whether that is anywhere in the explanation, which has no fixed structure."""
    body = answer.body if isinstance(answer.body, dict) else {}
    response = body.get("response")
    message = response.get("message") if isinstance(response, dict) else body.get("message")
    return words in json.dumps(message)


async def _version(client: httpx.AsyncClient, seconds: float) -> int:
    """2 if the gateway does not say."""
    known: int | None = cache.get(_version_key())
    if known:
        return known
    try:
        async with asyncio.timeout(seconds):
            written = _written_version(await _ask(client, "GET", ""))
    except (TimeoutError, httpx.TimeoutException, httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
        return 2
    found = 1 if written.startswith("1.") else 2
    if written:
        cache.set(_version_key(), found, VERSION_KEPT)
    return found


def _written_version(answer: Answer) -> str:
    """For example "2.3.6"; empty if the response has none."""
    version = answer.body.get("version") if isinstance(answer.body, dict) else None
    return str(version)[:40] if version else ""


def _version_key() -> str:
    return f"gateway-version:{sha256(settings.EVOLUTION_API_URL.encode()).hexdigest()[:16]}"


@dataclass(frozen=True)
class Connection:
    """What the gateway reports about itself. `problem` says why it reports nothing; `states` are those of
    numbers, by name.
    """

    version: str = ""
    problem: str = ""
    states: dict[str, str] | None = None


def examine(instance_names: Iterable[str], seconds: float) -> Connection:
    """The gateway's version, and the state of each number: open, connecting, close, or "" if it does not say."""
    try:
        return asyncio.run(_examine(list(instance_names), seconds))
    except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        return Connection(problem=type(error).__name__)


async def _examine(instance_names: list[str], seconds: float) -> Connection:
    states: dict[str, str] = {}
    some = asyncio.Semaphore(STATES_AT_ONCE)

    async def look(client: httpx.AsyncClient, name: str) -> None:
        async with some:
            answer = await _ask(client, "GET", f"instance/connectionState/{quote(name, safe='')}")
        instance = answer.body.get("instance") if isinstance(answer.body, dict) else None
        state = instance.get("state") if isinstance(instance, dict) else None
        states[name] = str(state)[:20] if answer.status == 200 and state else str(answer.status)

    async with _client(seconds) as client:
        async with asyncio.timeout(seconds):
            version = _written_version(await _ask(client, "GET", ""))
        looks = [asyncio.ensure_future(look(client, name)) for name in instance_names]
        if looks:
            _, late = await asyncio.wait(looks, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*looks, return_exceptions=True)
    return Connection(version, states=states)


def _client(seconds: float) -> httpx.AsyncClient:
    timeout = httpx.Timeout(None, connect=min(CONNECT_SECONDS, seconds / 2))
    headers = {"apikey": settings.EVOLUTION_API_KEY, "User-Agent": "waops"}
    return httpx.AsyncClient(timeout=timeout, headers=headers, verify=_certificates(), follow_redirects=False)


async def _ask(client: httpx.AsyncClient, method: str, path: str, body: dict[str, Any] | None = None) -> Answer:
    async with client.stream(method, f"{settings.EVOLUTION_API_URL}/{path}", json=body) as answer:
        content = b""
        async for piece in answer.aiter_bytes():
            content += piece
            if len(content) > LONGEST_ANSWER:
                break
    try:
        return Answer(answer.status_code, json.loads(content))
    except (ValueError, RecursionError):
        return Answer(answer.status_code, None)


@once
def _certificates() -> ssl.SSLContext:
    """Read once, because that takes longer than a message."""
    return httpx.create_ssl_context()
