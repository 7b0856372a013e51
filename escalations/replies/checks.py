"""Check the settings that replies need."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.utils.translation import gettext as _

from usage.webhook import problem_of_url

MOST_SECONDS = 20
"""A person is waiting for it, and so is a thread."""


@register
def gateway_is_whole(**kwargs: Any) -> list[CheckMessage]:
    """Check that both settings are set, or neither: without them the desk has no reply box, and says so."""
    url, key = settings.EVOLUTION_API_URL, settings.EVOLUTION_API_KEY
    found: list[CheckMessage] = []
    if bool(url) != bool(key):
        missing, other = (
            ("EVOLUTION_API_KEY", "EVOLUTION_API_URL") if url else ("EVOLUTION_API_URL", "EVOLUTION_API_KEY")
        )
        found.append(
            Error(
                _("%(other)s is set but %(missing)s is not, so the desk cannot send replies.")
                % {"other": other, "missing": missing},
                hint=_("Set both to what the service uses for its WhatsApp gateway, or neither."),
                id="escalations.E001",
            )
        )
    is_plain = url.startswith("http://") and bool(problem_of_url(url))
    # The address itself may contain a password.
    problem = problem_of_url(f"https://{url.removeprefix('http://')}" if is_plain else url) if url else None
    if {"?", "#"} & set(url):
        problem = problem or _("it contains ? or #, and paths are added to it")
    if problem:
        found.append(
            Error(
                _("EVOLUTION_API_URL cannot be used: %(problem)s.") % {"problem": problem},
                hint=_("Use an address such as https://evolution.example.com, without a user name or spaces."),
                id="escalations.E002",
            )
        )
    elif is_plain:
        found.append(
            Warning(
                _("EVOLUTION_API_URL begins with http://: the key and customers' messages travel unencrypted."),
                hint=_("Use https://, unless the gateway is in the same private network."),
                id="escalations.W002",
            )
        )
    if not (key.isascii() and key.isprintable()) or key != key.strip():
        found.append(
            Error(
                _("EVOLUTION_API_KEY contains characters that an HTTP header cannot carry."),
                hint=_("Copy it again without spaces or line breaks."),
                id="escalations.E003",
            )
        )
    if settings.EVOLUTION_API_TIMEOUT > MOST_SECONDS:
        found.append(
            Warning(
                _("EVOLUTION_API_TIMEOUT is %(seconds)g seconds. Staff wait that long when the gateway hangs.")
                % {"seconds": settings.EVOLUTION_API_TIMEOUT},
                hint=_("Set it to %(most)s or less.") % {"most": MOST_SECONDS},
                id="escalations.W001",
            )
        )
    return found
