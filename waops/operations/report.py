"""What operations tell the operator while they run."""

import logging

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import override

logger = logging.getLogger("waops.migrations")


def tell(message: str | Promise, **facts: object) -> None:
    """Log one line, in the operator's language although `migrate` itself runs without translations.

    A warning, because it is why nothing seems to happen.
    """
    with override(settings.LANGUAGE_CODE):
        logger.warning(str(message) % facts)
