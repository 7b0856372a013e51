"""The forecast in words: "out on 25 November, 4 days before the reset"."""

from datetime import timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from usage.forecast import Verdict
from usage.overview import Business

STATUS_KINDS = {
    Verdict.OUT: "late",
    Verdict.BEFORE_RESET: "waiting",
    Verdict.LASTS: "done",
    Verdict.TOO_LITTLE_DATA: "unknown",
    Verdict.DISABLED: "off",
}


def verdict(business: Business) -> str:
    """A word or two, for the status."""
    return {
        Verdict.OUT: _("Out now"),
        Verdict.BEFORE_RESET: _("Out before the reset"),
        Verdict.LASTS: _("Lasts"),
        Verdict.TOO_LITTLE_DATA: _("Too little data"),
        Verdict.DISABLED: _("Disabled"),
    }[business.forecast.verdict]


def outlook(business: Business) -> str:
    """A sentence without its full stop."""
    forecast = business.forecast
    match forecast.verdict:
        case Verdict.OUT:
            return _("out now; the AI is silent")
        case Verdict.DISABLED:
            return _("disabled")
        case Verdict.TOO_LITTLE_DATA:
            return _("too little data for a forecast")
    if forecast.exhausted_at is None or forecast.margin is None:
        return _("lasts beyond the reset")
    day = date_format(timezone.localtime(forecast.exhausted_at), "j F")
    days = abs(forecast.margin) // timedelta(days=1)
    if forecast.verdict is Verdict.BEFORE_RESET:
        if days == 0:
            return _("out on %(day)s, less than a day before the reset") % {"day": day}
        words = ngettext(
            "out on %(day)s, %(days)s day before the reset", "out on %(day)s, %(days)s days before the reset", days
        )
    else:
        words = ngettext(
            "would last until %(day)s, %(days)s day beyond the reset",
            "would last until %(day)s, %(days)s days beyond the reset",
            days,
        )
    return words % {"day": day, "days": days}
