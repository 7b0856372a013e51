"""Why demo data cannot be loaded. Each message says what happened and what to do."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _
from django.utils.translation import ngettext


class DemoDataError(Exception):
    """Demo data was not loaded, and nothing was written."""


class TablesMissing(DemoDataError):  # noqa: N818
    """The database lacks tables that demo data needs."""

    def __init__(self, missing: Iterable[str]) -> None:
        message = _(
            "This database has no table %(tables)s. Load the development tables first (manage.py demo baseline)."
        )
        super().__init__(message % {"tables": ", ".join(sorted(missing))})


class NotTheOwner(DemoDataError):  # noqa: N818
    """The connection's role does not own the messages table, so it cannot pause that table's trigger."""

    def __init__(self, role: str, table: str) -> None:
        message = _("Role %(role)s does not own table %(table)s. Connect as the owner of the tables to load demo data.")
        super().__init__(message % {"role": role, "table": table})


class AlreadyHasBusinesses(DemoDataError):  # noqa: N818
    """The database already has profiles, so it may be a real one."""

    def __init__(self, count: int) -> None:
        message = ngettext(
            "This database already has %(count)d business, so it may be a real one: nothing was loaded. To add demo "
            "data anyway, use --force.",
            "This database already has %(count)d businesses, so it may be a real one: nothing was loaded. To add "
            "demo data anyway, use --force.",
            count,
        )
        super().__init__(message % {"count": count})


class SeedUsedBefore(DemoDataError):  # noqa: N818
    """Rows with the same ids exist: demo data with this seed was loaded before."""

    def __init__(self, seed: int) -> None:
        message = _("Demo data with seed %(seed)d is already in this database. Choose another --seed.")
        super().__init__(message % {"seed": seed})
