"""Checks of the settings that alerts need."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.utils.translation import gettext as _

LOCAL = ("localhost", "127.0.0.1", "::1")


@register
def webhook_is_safe(**kwargs: Any) -> list[CheckMessage]:
    """A message goes out encrypted and signed, or not at all."""
    url = settings.QUOTA_WEBHOOK_URL
    if not url:
        return []
    messages: list[CheckMessage] = []
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOCAL):
        messages.append(
            Error(
                _("QUOTA_WEBHOOK_URL is “%(url)s”, which does not begin with https://.") % {"url": url},
                hint=_("Use an https:// address; http:// is for this machine only."),
                id="usage.E001",
            )
        )
    if not settings.QUOTA_WEBHOOK_SECRET:
        messages.append(
            Error(
                _("QUOTA_WEBHOOK_URL is set, and QUOTA_WEBHOOK_SECRET is not."),
                hint=_("Set a long random secret here and at the receiver, which checks the signature with it."),
                id="usage.E002",
            )
        )
    return messages
