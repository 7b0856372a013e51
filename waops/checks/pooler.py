"""Whether what stands between us and the server is what the settings say, and is sent nothing that it cannot bear."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DatabaseError, connections
from django.utils.translation import gettext as _

from waops.embedded import EmbeddedServerError
from waops.pooler import detect_pooler


@register(Tags.database)
def pooler_is_as_set(
    app_configs: Any = None, *, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """An unreachable server is left to the connection's own check."""
    messages: list[CheckMessage] = []
    for alias in databases or []:
        try:
            if settings.DATABASE_POOL_MODE != "transaction" and detect_pooler(connections[alias]) == "transaction":
                messages.append(_unexpected())
        except (DatabaseError, EmbeddedServerError):
            continue
    return messages


@register
def nothing_is_prepared(**kwargs: Any) -> list[CheckMessage]:
    """Django prepares no statements unless the address asks for it."""
    if settings.DATABASE_POOL_MODE != "transaction":
        return []
    return [
        Error(
            _("DATABASE_POOL_MODE is “transaction”, and the address of database “%(alias)s” has prepare_threshold.")
            % {"alias": alias},
            hint=_(
                "A prepared statement belongs to one of the server's processes, and a transaction pooler changes it "
                "between two transactions: statements would be missing, or be other ones. Remove prepare_threshold."
            ),
            id="waops.E012",
        )
        for alias in connections
        if connections.settings[alias]["OPTIONS"].get("prepare_threshold") is not None
    ]


def _unexpected() -> CheckMessage:
    return Error(
        _("A transaction pooler stands before the database, and DATABASE_POOL_MODE is “%(mode)s”.")
        % {"mode": settings.DATABASE_POOL_MODE},
        hint=_(
            "It gives each transaction another session: settings, cursors and locks of `migrate` would be another's. "
            "Set DATABASE_POOL_MODE=transaction, and run `migrate` over the direct or the session pooler's address."
        ),
        id="waops.E005",
    )
