"""Text of alert messages: an e-mail's subject and body, and a webhook's JSON."""

from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from usage.models import Alert
from usage.wording import resets
from waops.database import moments


def as_text(alert: Alert) -> tuple[str, str]:
    """Subject and body, in the active language."""
    facts = alert.facts
    runs_out, resets_on = (facts[name] and moments.read(facts[name]) for name in ("exhausted_at", "resets_on"))
    values = {
        "name": " ".join(facts["name"].split()),
        "used": facts["used"],
        "limit": facts["limit"],
        "threshold": alert.threshold,
        "day": date_format(timezone.localtime(runs_out), "j F Y") if runs_out else "",
    }
    if alert.threshold == Alert.FORECAST:
        subject = _("%(name)s will run out of AI replies before the reset") % values
        lead = _("At this rate %(name)s runs out on %(day)s.") % values
    elif facts["used"] >= facts["limit"]:
        subject = _("%(name)s is out of AI replies") % values
        lead = _("The AI of %(name)s is silent: its customers get no answer until the counter is reset.") % values
    else:
        subject = _("%(name)s has used %(threshold)s%% of its AI replies") % values
        lead = ""
    about = f"{lead} {resets(resets_on, alert.at)}".strip()
    return subject, about + "\n\n" + _("Used: %(used)s of %(limit)s.") % values + "\n"


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
