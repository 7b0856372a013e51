"""Check SECOND_FACTOR_REQUIRED: with a misspelt group, no one would be asked for a code."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import DatabaseError
from django.utils.translation import gettext as _

from waops.accounts.second_factor import ADMINISTRATORS, EVERYBODY


@register(Tags.database)
def required_groups_exist(
    app_configs: Any = None, *, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    named = settings.SECOND_FACTOR_REQUIRED - {ADMINISTRATORS, EVERYBODY}
    if not named or not databases:
        return []
    try:
        unknown = named.difference(Group.objects.filter(name__in=named).values_list("name", flat=True))
    except DatabaseError:  # before the first migrate, or while the database is down, which another check reports
        return []
    return [
        Warning(
            _("SECOND_FACTOR_REQUIRED names a group that does not exist: %(name)s.") % {"name": name},
            hint=_("Write it as on the groups page; `administrators` means superusers, `all` means everyone."),
            id="waops.W011",
        )
        for name in sorted(unknown)
    ]
