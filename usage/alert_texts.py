"""Text of alert messages: an e-mail's subject and body, and a webhook's JSON."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from usage.models import Alert


def as_text(alert: Alert) -> tuple[str, str]:
    """Subject and body, in the active language."""
    facts = alert.facts
    values = {
        "name": " ".join(facts["name"].split()),
        "used": facts["used"],
        "limit": facts["limit"],
        "threshold": alert.threshold,
        "reset": _day(facts["resets_on"]),
        "day": _day(facts["exhausted_at"]) if facts["exhausted_at"] else "",
    }
    if alert.threshold == Alert.FORECAST:
        subject = _("%(name)s will run out of AI replies before the reset") % values
        lead = _("At this rate %(name)s runs out on %(day)s; the counter resets on %(reset)s.") % values
    elif facts["used"] >= facts["limit"]:
        subject = _("%(name)s is out of AI replies") % values
        lead = _("The AI of %(name)s is silent: its customers get no answer until the reset on %(reset)s.") % values
    else:
        subject = _("%(name)s has used %(threshold)s%% of its AI replies") % values
        lead = _("The counter of %(name)s resets on %(reset)s.") % values
    return subject, lead + "\n\n" + _("Used: %(used)s of %(limit)s.") % values + "\n"


def as_json(alert: Alert) -> dict[str, Any]:
    is_forecast = alert.threshold == Alert.FORECAST
    return {
        "type": "quota.forecast" if is_forecast else "quota.threshold",
        "timestamp": alert.at.isoformat(),
        "data": {
            "business": str(alert.business_id),
            "threshold": None if is_forecast else alert.threshold,
            **alert.facts,
        },
    }


def _day(moment: str) -> str:
    return date_format(timezone.localtime(datetime.fromisoformat(moment)), "j F Y")
