"""Checks of the settings of the message path."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.utils.translation import gettext as _

from conversations import procedures
from usage.procedures import check_and_update_ai_usage
from waops.flags import EVERYTHING

FUNCTIONS = {*procedures.__all__, check_and_update_ai_usage.__name__}


@register
def kill_switch_names_functions(**kwargs: Any) -> list[CheckMessage]:
    """A kill-switch with a slip in it would kill nothing."""
    unknown = sorted(settings.MESSAGE_PATH_KILL_SWITCH - FUNCTIONS - {EVERYTHING})
    if not unknown:
        return []
    return [
        Error(
            _("MESSAGE_PATH_KILL_SWITCH names what is no function of the message path: %(names)s.")
            % {"names": ", ".join(unknown)},
            hint=_("Use %(all)s, or of these: %(names)s.") % {"all": EVERYTHING, "names": ", ".join(sorted(FUNCTIONS))},
            id="conversations.E001",
        )
    ]
