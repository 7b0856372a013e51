"""Report progress of migration operations."""

import logging

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import override

logger = logging.getLogger("waops.migrations")


def tell(message: str | Promise, **facts: object) -> None:
    """Log one line, in the operator's language although `migrate` runs without translations.

    A warning, because it explains a wait.
    """
    with override(settings.LANGUAGE_CODE):
        logger.warning(str(message) % facts)
