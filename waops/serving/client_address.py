"""Find out where a request comes from, also behind proxies."""

from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str | None:
    """The client's IP address, or None if it is unknown.

    Each proxy appends the address it heard from to X-Forwarded-For, and a client can send a forged beginning. So the
    address is counted from the end, one entry for each of the TRUSTED_PROXIES. Without proxies the header is ignored.
    """
    heard_from = request.META.get("REMOTE_ADDR", "")
    if settings.TRUSTED_PROXIES:
        forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        # Fewer entries than proxies: the request did not come through all of them.
        heard_from = forwarded[-min(settings.TRUSTED_PROXIES, len(forwarded))]
    try:
        return str(ip_address(heard_from.strip()))
    except ValueError:
        return None
