"""Put the forecast into words: "runs out on 25 November, 4 days before the reset"."""

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from usage.forecast import Verdict
from usage.quota import Business

STATUS_KINDS = {
    Verdict.OUT: "late",
    Verdict.BEFORE_RESET: "waiting",
    Verdict.LASTS: "done",
    Verdict.TOO_LITTLE_DATA: "unknown",
    Verdict.DISABLED: "off",
}


ORDER_NAMES = {
    "risk": gettext_lazy("Risk"),
    "out": gettext_lazy("Runs out"),
    "name": gettext_lazy("Business"),
    "plan": gettext_lazy("Plan"),
    "share": gettext_lazy("Share"),
    "used": gettext_lazy("Used"),
    "limit": gettext_lazy("Limit"),
    "rate": gettext_lazy("Per day"),
    "trend": gettext_lazy("Trend"),
    "reset": gettext_lazy("Reset"),
    "ends": gettext_lazy("Subscription ends"),
    "replies": gettext_lazy("Replies"),
    "tokens": gettext_lazy("Tokens"),
    "cost": gettext_lazy("Cost"),
}
"""What the list can be sorted by: keys of `quota.ORDERS`."""
LARGEST_FIRST = {"used", "limit", "share", "rate", "trend", "replies", "tokens", "cost"}
"""Columns that sort descending when first chosen."""


def first_order(name: str) -> str:
    """The order used when this column is first chosen."""
    return f"-{name}" if name in LARGEST_FIRST else name


def order_choices(current: str) -> list[tuple[str, str]]:
    """Every column with its first order, for screens without headings; the current one unchanged."""
    chosen = current.removeprefix("-")
    return [
        (current if name == chosen else first_order(name), f"{label} {'↓' if current.startswith('-') else '↑'}")
        if name == chosen
        else (first_order(name), str(label))
        for name, label in ORDER_NAMES.items()
    ]


def verdict(business: Business) -> str:
    """The forecast in a word or two, for the status."""
    return {
        Verdict.OUT: _("Out now"),
        Verdict.BEFORE_RESET: _("Out before the reset"),
        Verdict.LASTS: _("Lasts"),
        Verdict.TOO_LITTLE_DATA: _("Too little data"),
        Verdict.DISABLED: _("Disabled"),
    }[business.forecast.verdict]


def resets(on: datetime | None, now: datetime) -> str:
    """When a counter is due to be reset: a sentence."""
    if on is None:
        return _("No reset of the counter is planned.")
    words = _("The counter resets on %(day)s.") if on > now else _("The reset of the counter was due on %(day)s.")
    return words % {"day": date_format(timezone.localtime(on), "j F")}


def outlook(business: Business) -> str:
    """The forecast as a sentence without a full stop."""
    forecast = business.forecast
    match forecast.verdict:
        case Verdict.OUT:
            return _("out of AI replies; the AI is silent")
        case Verdict.DISABLED:
            return _("disabled")
        case Verdict.TOO_LITTLE_DATA:
            return _("too little data for a forecast")
    if forecast.exhausted_at is None:
        return _("lasts past the reset")
    day = date_format(timezone.localtime(forecast.exhausted_at), "j F")
    if forecast.margin is None:
        words = _("runs out on %(day)s; the reset is overdue") if business.is_overdue else _("runs out on %(day)s")
        return words % {"day": day}
    days = abs(forecast.margin) // timedelta(days=1)
    if forecast.verdict is Verdict.BEFORE_RESET:
        if days == 0:
            return _("runs out on %(day)s, less than a day before the reset") % {"day": day}
        words = ngettext(
            "runs out on %(day)s, %(days)s day before the reset",
            "runs out on %(day)s, %(days)s days before the reset",
            days,
        )
    else:
        words = ngettext(
            "would last until %(day)s, %(days)s day past the reset",
            "would last until %(day)s, %(days)s days past the reset",
            days,
        )
    return words % {"day": day, "days": days}
