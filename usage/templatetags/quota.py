"""Show quotas, costs and addresses on the quota pages."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import template
from django.core.paginator import Page
from django.template import Context
from django.utils import timezone
from django.utils.formats import get_format, number_format
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from usage import wording
from usage.forecast import Verdict
from usage.models import QuotaChange
from usage.quota import Business
from usage.reconcile import explain
from waops.access.vocabulary import INTENTS, PLANS, in_words
from waops.templatetags.waops import status, without_numbers

register = template.Library()


@register.filter
def verdict(business: Business) -> SafeString:
    """The forecast as colour, word and shape; only as a word if it is the normal one."""
    if business.forecast.verdict is Verdict.LASTS:
        return format_html('<span class="quiet">{}</span>', wording.verdict(business))
    return status(wording.STATUS_KINDS[business.forecast.verdict], wording.verdict(business))


@register.filter
def outlook(business: Business) -> str:
    return wording.outlook(business)


@register.filter
def resets(on: datetime | None) -> str:
    return wording.resets(on, timezone.now())


@register.filter
def difference(business: Business) -> str:
    """Why counter and replies differ."""
    return explain(business.difference, business.is_enabled)


@register.filter
def percent(share: float | None) -> str:
    return "—" if share is None else _("%(number)s%%") % {"number": number_format(round(share * 100))}


@register.filter
def grouped(number: int | None) -> SafeString | str:
    """A number with thousands separators, never mirrored."""
    if number is None:
        return "—"
    return format_html('<bdi dir="ltr">{}</bdi>', _grouped(number))


@register.filter
def grouped_text(number: int) -> str:
    """A number with thousands separators inside a drawing, where no markup is allowed."""
    return _grouped(number)


@register.filter
def signed(number: int | None) -> SafeString | str:
    """A difference, with its sign."""
    if number is None:
        return "—"
    sign = {1: "+", -1: "−"}.get((number > 0) - (number < 0), "")
    return format_html('<bdi dir="ltr">{}{}</bdi>', sign, _grouped(abs(number)))


@register.simple_tag
def cost(part: Any) -> SafeString:
    """Amounts by currency; "≥" if they leave replies out, explained by `left_out`. "no price" instead of 0."""
    if part.replies == 0:
        return format_html("{}", "—")
    if not part.costs:
        return format_html('<span class="quiet">{}</span>', _("no price"))
    if part.untracked and not any(part.costs.values()):
        return format_html('<span class="quiet">{}</span>', _("tokens unknown"))
    sign = "≥ " if part.unpriced or part.untracked else ""
    lines = [(sign, _money(amount), currency) for currency, amount in part.costs.items()]
    return format_html_join(" ", '<bdi dir="ltr" class="money">{}{}&nbsp;{}</bdi>', lines)


@register.simple_tag
def left_out(part: Any) -> str:
    """A sentence about the replies that the costs leave out, or nothing."""
    reasons = []
    if part.unpriced:
        words = ngettext(
            "%(count)s reply of a model without a price", "%(count)s replies of models without a price", part.unpriced
        )
        reasons.append(words % {"count": _grouped(part.unpriced)})
    if part.untracked:
        words = ngettext(
            "%(count)s reply whose tokens were not recorded",
            "%(count)s replies whose tokens were not recorded",
            part.untracked,
        )
        reasons.append(words % {"count": _grouped(part.untracked)})
    return _("≥: the cost does not include %(reasons)s.") % {"reasons": _(" and ").join(reasons)} if reasons else ""


def _grouped(number: int) -> str:
    # number_format would not group in Arabic, whose formats define a separator but no grouping.
    return f"{number:,}".replace(",", get_format("THOUSAND_SEPARATOR"))


def _money(amount: Decimal) -> str:
    digits = 2 if amount >= 1 or amount == 0 else 4
    return number_format(amount, decimal_pos=digits, force_grouping=True)


@register.filter
def elided(page: Page[Any]) -> Iterator[int | str]:
    """Page numbers around this one, with gaps."""
    return page.paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1)


@register.filter
def part_name(part: Any) -> str:
    return part.name or _("not recorded")


@register.filter
def plan_name(plan: str) -> str:
    return without_numbers(in_words(plan.lower(), PLANS) if plan.lower() in PLANS else plan)


@register.filter
def intent(name: str) -> str:
    return in_words(name, INTENTS)


@register.filter
def what_changed(change: QuotaChange) -> SafeString:
    """The old and new values that differ."""
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
    """This page's query string with these values replaced; an empty one is removed. Another list begins at page 1."""
    query = context["request"].GET.copy()
    query.pop("p", None)
    for name, value in changes.items():
        if value is None or value == "":
            query.pop(name, None)
        else:
            query[name] = str(value)
    return f"?{query.urlencode()}"


@register.simple_tag
def query_of(**values: Any) -> str:
    """A query string with these values."""
    return urlencode(values)


@register.inclusion_tag("usage/sort.html", takes_context=True)
def sort(context: Context, name: str, label: str = "", *, number: bool = False) -> dict[str, Any]:
    """A column heading that sorts by it, or reverses the order if the list is already sorted by it."""
    order, first = context["filters"]["order"], wording.first_order(name)
    is_chosen = order.removeprefix("-") == name
    second = first[1:] if first.startswith("-") else f"-{first}"
    return {
        "number": number,
        "address": address(context, o=second if order == first else first),
        "label": label or wording.ORDER_NAMES[name],
        "direction": ("descending" if order.startswith("-") else "ascending") if is_chosen else "",
    }
