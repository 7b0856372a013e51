"""Check the settings that alerts need."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.utils.translation import gettext as _

from usage.webhook import is_good_secret, problem_of_url


@register
def webhook_is_safe(**kwargs: Any) -> list[CheckMessage]:
    """Check that messages can be sent encrypted and signed; otherwise none is sent."""
    url = settings.QUOTA_WEBHOOK_URL
    if not url:
        return []
    messages: list[CheckMessage] = []
    if problem := problem_of_url(url):
        messages.append(
            # The address itself may contain a password.
            Error(
                _("QUOTA_WEBHOOK_URL cannot be used: %(problem)s.") % {"problem": problem},
                hint=_(
                    "Use an address such as https://hooks.example.com/quota, without a user name or spaces; http:// "
                    "works only for this machine."
                ),
                id="usage.E001",
            )
        )
    if not is_good_secret(settings.QUOTA_WEBHOOK_SECRET):
        messages.append(
            Error(
                _("QUOTA_WEBHOOK_SECRET is not a Standard Webhooks secret: whsec_ and the base64 of 24 to 64 bytes."),
                hint=_('Create one and set it at the receiver too: echo "whsec_$(openssl rand -base64 32)"'),
                id="usage.E002",
            )
        )
    return messages
