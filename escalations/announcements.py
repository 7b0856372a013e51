"""What became of a resolve, said to the person who asked for it."""

from collections.abc import Iterable
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localdate, localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from escalations.procedures import Outcome, Result
from waops.templatetags.waops import phone

NAMED = 5
"""How many escalations that somebody else resolved are each named."""


def announce(request: HttpRequest, results: Iterable[Result]) -> None:
    by_outcome: dict[Outcome, list[Result]] = {outcome: [] for outcome in Outcome}
    for result in results:
        by_outcome[result.outcome].append(result)
    if resolved := by_outcome[Outcome.RESOLVED]:
        messages.success(request, _resolved(resolved))
    already = by_outcome[Outcome.ALREADY_RESOLVED]
    for result in already[:NAMED]:
        messages.warning(request, _already_resolved(request, result))
    if more := len(already[NAMED:]):
        text = ngettext("%(count)d more was already resolved.", "%(count)d more were already resolved.", more)
        messages.warning(request, text % {"count": more})
    if missing := len(by_outcome[Outcome.NOT_FOUND]):
        text = ngettext(
            "%(count)d escalation does not exist any more.", "%(count)d escalations do not exist any more.", missing
        )
        messages.error(request, text % {"count": missing})


def moment(at: datetime) -> str:
    """The time; with its date, unless that is today."""
    local = localtime(at)
    return date_format(local, "TIME_FORMAT" if local.date() == localdate() else "DATETIME_FORMAT")


def _resolved(results: list[Result]) -> str:
    count = len(results)
    text = ngettext("%(count)d escalation resolved.", "%(count)d escalations resolved.", count) % {"count": count}
    if merged := sum(result.merged for result in results):
        also = ngettext(
            "%(count)d duplicate of the same customer closed along.",
            "%(count)d duplicates of the same customers closed along.",
            merged,
        )
        text = f"{text} {also % {'count': merged}}"
    return text


def _already_resolved(request: HttpRequest, result: Result) -> SafeString:
    if result.actor_name is None:
        text = _("{phone} was already resolved outside this app: {time}.")
    elif result.actor_id == request.user.pk:
        text = _("You had already resolved {phone}: {time}.")
    else:
        text = _("{phone} was already resolved by {name}: {time}.")
    return format_html(
        text,
        phone=phone(result.whatsapp_number),
        name=format_html("<bdi>{}</bdi>", result.actor_name),
        time=moment(result.at) if result.at else "",
    )
