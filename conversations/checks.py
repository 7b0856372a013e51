"""Check the settings of the message path."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.utils.translation import gettext as _

from waops.database.flags import EVERYTHING
from waops.dbops.plan import plan


@register
def kill_switch_names_functions(**kwargs: Any) -> list[CheckMessage]:
    """Check that the kill switch names functions of the message path: with a typo it would stop nothing.

    Other callers may share this switch, so every name must be known.
    """
    if not settings.MESSAGE_PATH_KILL_SWITCH:
        return []
    names = {function.name.removeprefix("public.") for function in plan().functions if function.operation.grant}
    unknown = sorted(settings.MESSAGE_PATH_KILL_SWITCH - names - {EVERYTHING})
    if not unknown:
        return []
    return [
        Error(
            _("MESSAGE_PATH_KILL_SWITCH contains names that are not functions of the message path: %(names)s.")
            % {"names": ", ".join(unknown)},
            hint=_("Use %(all)s, or names from this list: %(names)s.")
            % {"all": EVERYTHING, "names": ", ".join(sorted(names))},
            id="conversations.E001",
        )
    ]
