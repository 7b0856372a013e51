"""Report the result of an action to the person who asked for it."""

from collections.abc import Callable, Iterable
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localdate, localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from escalations.annotations import AnnotatedEscalation
from escalations.desk.actions import CLAIM, REOPEN, WAKE
from escalations.models import Event
from escalations.procedures import Outcome, Result
from waops.templatetags.waops import outside_text, phone

NAMED = 5
"""How many refusals are explained one by one."""

DONE: dict[Outcome, Callable[[int], str]] = {
    Outcome.CLAIMED: lambda n: ngettext("%(count)d escalation claimed.", "%(count)d escalations claimed.", n),
    Outcome.RENEWED: lambda n: ngettext(
        "You already have %(count)d escalation.", "You already have %(count)d escalations.", n
    ),
    Outcome.RELEASED: lambda n: ngettext(
        "%(count)d escalation is back in the queue.", "%(count)d escalations are back in the queue.", n
    ),
    Outcome.HANDED_OVER: lambda n: ngettext(
        "%(count)d escalation handed over.", "%(count)d escalations handed over.", n
    ),
    Outcome.SNOOZED: lambda n: ngettext("%(count)d escalation snoozed.", "%(count)d escalations snoozed.", n),
    Outcome.WOKEN: lambda n: ngettext(
        "%(count)d escalation is back in the queue.", "%(count)d escalations are back in the queue.", n
    ),
    Outcome.NOTED: lambda n: ngettext("Note added to %(count)d escalation.", "Note added to %(count)d escalations.", n),
    Outcome.RESOLVED: lambda n: ngettext("%(count)d escalation resolved.", "%(count)d escalations resolved.", n),
    Outcome.REOPENED: lambda n: ngettext(
        "%(count)d escalation is open again.", "%(count)d escalations are open again.", n
    ),
    Outcome.ESCALATED: lambda n: ngettext("%(count)d conversation escalated.", "%(count)d conversations escalated.", n),
}
REFUSED = {
    Outcome.HELD: gettext_lazy("{phone} is claimed by {name} until {until}."),
    Outcome.NOT_HELD: gettext_lazy("{phone} is no longer claimed."),
    Outcome.NOT_SNOOZED: gettext_lazy("{phone} is no longer snoozed."),
    Outcome.NOT_RESOLVED: gettext_lazy("{phone} is already open."),
    Outcome.ALREADY_OPEN: gettext_lazy("{phone} already has an open escalation: {other}."),
    Outcome.ESCALATED_SINCE: gettext_lazy("{phone} has been escalated again: {other}."),
    Outcome.NOTE_REQUIRED: gettext_lazy("{phone}: this business requires a note. Write what was done, then resolve."),
    Outcome.UNREAD: gettext_lazy("{phone} has written since you opened this page. Read the message, then resolve."),
    Outcome.STALE: gettext_lazy(
        "{phone} has changed since this page was opened, so nothing was done. Last change: {act}."
    ),
}

UNDO = {Outcome.RESOLVED: REOPEN, Outcome.SNOOZED: WAKE, Outcome.RELEASED: CLAIM}


def announce(request: HttpRequest, results: Iterable[Result]) -> None:
    results = list(results)
    for outcome, words in DONE.items():
        if done := [result for result in results if result.outcome is outcome]:
            text = format_html("{} {}", _done(words, done), _undo(request, done))
            # Tells the browser which drafts it can discard.
            messages.success(request, text, extra_tags=" ".join(f"did-{one.escalation_id}" for one in done[:NAMED]))
    refused = [result for result in results if not result.is_done and result.outcome is not Outcome.NOT_FOUND]
    for result in refused[:NAMED]:
        messages.warning(request, explain(result, request.user.pk))
    if more := len(refused[NAMED:]):
        left_out = ngettext("%(count)d more was refused.", "%(count)d more were refused.", more)
        messages.warning(request, left_out % {"count": more})
    if missing := sum(result.outcome is Outcome.NOT_FOUND for result in results):
        gone = ngettext("%(count)d escalation no longer exists.", "%(count)d escalations no longer exist.", missing)
        messages.error(request, gone % {"count": missing})


def explain(result: Result, reader: int | None) -> SafeString | str:
    """Why an escalation was refused: who did what, and when. `reader` is the id of the person being told."""
    if result.outcome is Outcome.NOT_FOUND:
        return _("This escalation no longer exists.")
    if result.outcome is Outcome.ALREADY_RESOLVED:
        text = _already_resolved(result, reader)
    elif result.outcome is Outcome.NOT_HELD and result.kind == Event.Kind.LAPSED:
        text = _("The claim on {phone} ended {time}.")
    else:
        text = str(REFUSED[result.outcome])
    return format_html(
        text,
        phone=phone(result.whatsapp_number),
        name=outside_text(result.actor_name),
        time=moment(result.at) if result.at else "—",
        until=moment(result.until) if result.until else "—",
        other=_escalation_link(result),
        act=act_in_words(result),
    )


def in_words(result: Result, reader: int | None) -> SafeString | str:
    """The result for one escalation, done or refused."""
    if not result.is_done:
        return explain(result, reader)
    return {
        Outcome.CLAIMED: _("Claimed"),
        Outcome.RENEWED: _("Already yours"),
        Outcome.RELEASED: _("Back in the queue"),
        Outcome.SNOOZED: _("Snoozed"),
        Outcome.RESOLVED: _("Resolved"),
        Outcome.WOKEN: _("Back in the queue"),
        Outcome.REOPENED: _("Open again"),
    }.get(result.outcome, result.outcome.value)


def state_in_words(escalation: AnnotatedEscalation, reader: int | None) -> SafeString | str:
    """The state of an escalation now. `reader` is the id of the person who is told."""
    if escalation.resolved_at:
        return _("Now resolved.")
    if escalation.claimant_id:
        return (
            _("Now claimed by you.")
            if escalation.claimant_id == reader
            else format_html(_("Now claimed by {name}."), name=outside_text(escalation.claimant))
        )
    return _("Now snoozed.") if escalation.is_snoozed else _("Now in the queue, and no one has claimed it.")


def act_in_words(result: Result) -> SafeString | str:
    """The event that an action was refused for, such as "resolved, Salma, 14:05"."""
    if not result.kind or not result.at:
        return _("changed outside this app")
    what = Event.Kind(result.kind).label
    if not result.actor_name:
        return format_html("{}, {}", what, moment(result.at))
    return format_html("{}, {}, {}", what, outside_text(result.actor_name), moment(result.at))


def moment(at: datetime) -> str:
    """The time, with its date unless that is today."""
    local = localtime(at)
    return date_format(local, "TIME_FORMAT" if local.date() == localdate() else "DATETIME_FORMAT")


def _done(words: Callable[[int], str], results: list[Result]) -> str:
    text = words(len(results)) % {"count": len(results)}
    if merged := sum(result.merged for result in results):
        also = ngettext(
            "%(count)d duplicate of the same customer was closed too.",
            "%(count)d duplicates of the same customers were closed too.",
            merged,
        )
        text = f"{text} {also % {'count': merged}}"
    if results[0].outcome is Outcome.CLAIMED and len(results) == 1 and (until := results[0].until):
        text = f"{text} {_('It is yours until %(time)s, and longer while you work on it.') % {'time': moment(until)}}"
    return text


def _undo(request: HttpRequest, done: list[Result]) -> SafeString | str:
    """A button that undoes the action on one escalation. It uses the form `act`, which every page with a
    message has.
    """
    [result, *more] = done
    action = UNDO.get(result.outcome)
    if more or action is None or not action.is_allowed(request.user):
        return ""
    return format_html(
        '<button class="button button--small" form="act" formaction="{}" name="version" value="{}">{}</button>',
        reverse(f"admin:escalations_escalation_{action.name}", args=[result.escalation_id]),
        result.version,
        _("Undo"),
    )


def _already_resolved(result: Result, reader: int | None) -> str:
    if not result.actor_name:
        return _("{phone} was already resolved outside this app: {time}.")
    if result.actor_id == reader:
        return _("You had already resolved {phone}: {time}.")
    return _("{phone} was already resolved by {name}: {time}.")


def _escalation_link(result: Result) -> SafeString | str:
    if result.other_id is None:
        return ""
    address = reverse("admin:escalations_escalation_change", args=[result.other_id])
    return format_html('<a href="{}">{}</a>', address, _("open it"))
