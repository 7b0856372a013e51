"""Post signed JSON to QUOTA_WEBHOOK_URL, as a Standard Webhook (standardwebhooks.com)."""

import base64
import binascii
import json
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
from django.conf import settings
from django.utils.translation import gettext as _
from standardwebhooks import Webhook

LOCAL = ("localhost", "127.0.0.1", "::1")
SECRET_BYTES = range(24, 65)
"""Length required by the standard."""


class WebhookError(Exception):
    """The message did not arrive. The text says why."""


def problem_of_url(url: str) -> str | None:
    """Why messages cannot be posted to that address, in one sentence; None if they can."""
    if not url.isprintable() or " " in url:
        return _("it contains spaces or control characters")
    try:
        parts = urlsplit(url)
        port = parts.port
        httpx.URL(url)
    except (ValueError, httpx.InvalidURL) as error:
        return str(error)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOCAL):
        return _("it does not begin with https://")
    if not parts.hostname:
        return _("it has no host")
    if port == 0:
        return _("its port is 0")
    if "@" in parts.netloc:
        return _("it contains a user name or password")
    return None


def is_good_secret(secret: str) -> bool:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        return False
    return secret.startswith("whsec_") and len(key) in SECRET_BYTES


def post(url: str, message_id: str, content: dict[str, Any], now: datetime, *, seconds: float) -> None:
    """Post the message. Raises WebhookError or httpx.HTTPError unless the receiver accepts it. The response body is not
    read. `seconds` limits each step; the caller limits the total.
    """
    if problem := problem_of_url(url):
        raise WebhookError(_("QUOTA_WEBHOOK_URL cannot be used: %(problem)s.") % {"problem": problem})
    body = json.dumps(content, ensure_ascii=False)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "waops",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(settings.QUOTA_WEBHOOK_SECRET).sign(message_id, now, body),
    }
    with (
        httpx.Client(timeout=seconds, follow_redirects=False) as client,
        client.stream("POST", url, content=body.encode(), headers=headers) as answer,
    ):
        if answer.is_redirect:
            raise WebhookError(
                _("The receiver answered %(status)s. Redirects are not followed.") % {"status": answer.status_code}
            )
        if not answer.is_success:
            raise WebhookError(_("The receiver answered %(status)s.") % {"status": answer.status_code})
