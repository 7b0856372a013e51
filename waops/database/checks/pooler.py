"""Check that the pooler between us and the server matches the settings and is sent nothing it cannot handle."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DatabaseError, connections
from django.utils.translation import gettext as _

from waops.database.pooler import detect_pooler


@register(Tags.database)
def pooler_is_as_set(
    app_configs: Any = None, *, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Check that the pooler is the configured one. The connection check reports an unreachable server."""
    messages: list[CheckMessage] = []
    for alias in databases or []:
        try:
            if settings.DATABASE_POOL_MODE != "transaction" and detect_pooler(connections[alias]) == "transaction":
                messages.append(_unexpected())
        except DatabaseError:
            continue
    return messages


@register
def nothing_is_prepared(**kwargs: Any) -> list[CheckMessage]:
    """Check that no statements are prepared behind a transaction pooler: the database's address can ask for it."""
    if settings.DATABASE_POOL_MODE != "transaction":
        return []
    return [
        Error(
            _("DATABASE_POOL_MODE is “transaction”, but the address of database “%(alias)s” sets prepare_threshold.")
            % {"alias": alias},
            hint=_(
                "A prepared statement exists in one server process, and a transaction pooler switches processes "
                "between transactions, so statements would be missing or wrong. Remove prepare_threshold."
            ),
            id="waops.E012",
        )
        for alias in connections
        if connections.settings[alias]["OPTIONS"].get("prepare_threshold") is not None
    ]


def _unexpected() -> CheckMessage:
    return Error(
        _("The connection goes through a transaction pooler, but DATABASE_POOL_MODE is “%(mode)s”.")
        % {"mode": settings.DATABASE_POOL_MODE},
        hint=_(
            "Every transaction may use another session, so settings, cursors and locks of `migrate` would be lost. "
            "Set DATABASE_POOL_MODE=transaction, and run `migrate` over a direct connection or the session pooler."
        ),
        id="waops.E005",
    )
