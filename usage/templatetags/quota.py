"""How quotas, costs and addresses of the quota pages are shown."""

from decimal import Decimal
from typing import Any

from django import template
from django.template import Context
from django.utils.formats import get_format, number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from usage import wording
from usage.models import QuotaChange
from usage.overview import Business
from usage.reconcile import explain
from waops.templatetags.waops import status
from waops.vocabulary import INTENTS, in_words

register = template.Library()


@register.filter
def verdict(business: Business) -> SafeString:
    """The forecast as colour, word and shape."""
    return status(wording.STATUS_KINDS[business.forecast.verdict], wording.verdict(business))


@register.filter
def outlook(business: Business) -> str:
    return wording.outlook(business)


@register.filter
def difference(business: Business) -> str:
    """Why counter and answers differ."""
    return explain(business)


@register.filter
def percent(share: float | None) -> str:
    return "—" if share is None else _("%(number)s%%") % {"number": number_format(round(share * 100))}


@register.filter
def grouped(number: int | None) -> SafeString | str:
    """A number with its thousands apart, that is not mirrored."""
    if number is None:
        return "—"
    return format_html('<bdi dir="ltr">{}</bdi>', _grouped(number))


@register.simple_tag
def cost(part: Any) -> SafeString:
    """Amounts by currency, and how many replies they leave out; "no price" instead of 0."""
    if part.replies == 0:
        return format_html("{}", "—")
    lines = [(_money(amount), currency) for currency, amount in part.costs.items()]
    text = format_html_join("", '<bdi dir="ltr" class="money">{} {}</bdi> ', lines)
    if not part.costs:
        return format_html('<span class="quiet">{}</span>', _("no price"))
    notes = []
    if part.unpriced:
        notes.append(
            ngettext("%(count)s without price", "%(count)s without price", part.unpriced)
            % {"count": _grouped(part.unpriced)}
        )
    if part.untracked:
        notes.append(
            ngettext("%(count)s without token counts", "%(count)s without token counts", part.untracked)
            % {"count": _grouped(part.untracked)}
        )
    if not notes:
        return text
    return format_html('{}<small class="quiet">{}</small>', text, _(" + ").join(["", *notes]).strip())


def _grouped(number: int) -> str:
    # number_format would not group in Arabic, whose formats name a separator but no group.
    return f"{number:,}".replace(",", get_format("THOUSAND_SEPARATOR"))


def _money(amount: Decimal) -> str:
    digits = 2 if amount >= 1 or amount == 0 else 4
    return number_format(amount, decimal_pos=digits, force_grouping=True)


@register.filter
def part_name(part: Any) -> str:
    return part.name or _("not recorded")


@register.filter
def intent(name: str) -> str:
    return in_words(name, INTENTS)


@register.filter
def what_changed(change: QuotaChange) -> SafeString:
    """The values before and after that differ."""
    pairs = []
    if change.limit_moved:
        pairs.append((_("limit"), change.old_limit, change.new_limit))
    if change.counter_fell:
        pairs.append((_("used"), change.old_used, change.new_used))
    return format_html_join(
        ", ", '{} <bdi dir="ltr">{} → {}</bdi>', ((name, grouped(old), grouped(new)) for name, old, new in pairs)
    )


@register.simple_tag(takes_context=True)
def address(context: Context, **changes: Any) -> str:
    """This page's query string with these values instead; an empty one leaves out. Another list begins at page 1."""
    query = context["request"].GET.copy()
    query.pop("p", None)
    for name, value in changes.items():
        if value is None or value == "":
            query.pop(name, None)
        else:
            query[name] = str(value)
    return f"?{query.urlencode()}"


@register.inclusion_tag("usage/sort.html", takes_context=True)
def sort(context: Context, name: str, label: str) -> dict[str, Any]:
    """A column's heading that sorts by it, and the other way round when it does already."""
    order = context["filters"]["order"]
    descending_first = name in ("used", "limit", "share", "rate", "replies", "tokens", "cost", "trend")
    first, second = (f"-{name}", name) if descending_first else (name, f"-{name}")
    chosen = order if order in (first, second) else ""
    return {
        "address": address(context, o=second if order == first else first),
        "label": label,
        "direction": ("descending" if chosen.startswith("-") else "ascending") if chosen else "",
    }
