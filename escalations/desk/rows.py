"""Render the queue's rows, and parts of them for other pages.

In Python, because a template takes ten times as long for fifty rows of the same dozen elements.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, ngettext, pgettext

from escalations.annotations import COUNTED
from escalations.models import reason_in_words
from escalations.sla import Urgency, in_words, urgency
from waops.admin.html import fill
from waops.database.moments import OutOfRange
from waops.templatetags.waops import icon, ltr, outside_text, phone, without_numbers

NOTHING = SafeString("")
HIDDEN = SafeString(" hidden")
BLANK = str(UUID(int=0))
"""Placeholder for the escalation in an address that is looked up once."""


def waiting(escalation: Any) -> SafeString:
    """How long a customer has been waiting, and how urgent that is."""
    now = timezone.now()
    return _waited(escalation, urgency(escalation.waiting_since, escalation.plan_type, now), now)


def _waited(escalation: Any, level: Urgency, now: datetime) -> SafeString:
    if escalation.waiting_since is not None:
        time: SafeString | str = in_words(now - escalation.waiting_since)
    elif escalation.escalated_at is not None:  # not a time to count from: shown as it is stored
        time = fill("<bdi>{}</bdi>", local(escalation.escalated_at))
    else:
        time = "—"
    return fill(
        '<span class="wait wait--{}"><span class="wait__time">{}</span>{}</span>',
        level.kind,
        time,
        NOTHING if level.kind == "open" else fill(' <span class="wait__word">{}</span>', level.word),
    )


def writing(escalation: Any) -> SafeString:
    """When the customer last wrote, and how often while waiting; COUNTED means that often or more."""
    if not escalation.wrote_at:
        return NOTHING
    latest = escalation.wrote_at[0]
    if isinstance(latest, OutOfRange):  # not a time to count from: shown as it is stored
        ago = gettext("wrote at %(time)s") % {"time": local(latest)}
    else:
        ago = gettext("wrote %(time)s ago") % {"time": in_words(timezone.now() - latest)}
    times = sum(at > escalation.waiting_since for at in escalation.wrote_at) if escalation.waiting_since else 0
    if not times:
        return fill(" <span>{}</span>", ago)
    if times >= COUNTED:
        text = gettext("%(most)s or more messages while waiting") % {"most": COUNTED}
    else:
        text = ngettext("%(counter)s message while waiting", "%(counter)s messages while waiting", times) % {
            "counter": times
        }
    return fill(" <span>{}</span> <span>{}</span>", ago, text)


def snoozed(escalation: Any) -> SafeString:
    """Until when an escalation is snoozed, and who snoozed it."""
    text = gettext("Until the customer writes")
    if escalation.snoozed_until:
        text = gettext("Until %(time)s") % {"time": local(escalation.snoozed_until)}
    by = outside_text(escalation.snoozer, 60)
    return fill('<span class="snoozed">{} <span class="quiet">{}</span></span>', text, by)


def resolver(escalation: Any) -> SafeString | str:
    """Who resolved an escalation."""
    if not escalation.resolver:
        return gettext("outside this app")
    return fill(gettext("by %(name)s") % {"name": "{}"}, outside_text(escalation.resolver))


def outcome(escalation: Any) -> SafeString:
    """The outcome and the note of a resolved escalation."""
    english, arabic = escalation.outcome_en or "", escalation.outcome_ar or ""
    name = (arabic or english) if get_language() == "ar" else (english or arabic)
    how = fill('<span class="outcome">{}</span> ', name) if escalation.outcome_code else NOTHING
    note = outside_text(escalation.closing_note, 120)
    return how + (fill('<span class="quiet">{}</span>', note) if note else NOTHING)


def escalated(times: int) -> SafeString | str:
    """Says that the customer has several open escalations; empty otherwise."""
    if times <= 1:
        return ""
    return ngettext("escalated %(counter)s time", "escalated %(counter)s times", times) % {"counter": times}


def local(moment: datetime) -> str:
    """Day and time, with the year unless it is the current one."""
    here = timezone.localtime(moment)
    is_this_year = here.year == timezone.localdate().year
    return date_format(here, "SHORT_DATETIME_FORMAT" if is_this_year else "DATETIME_FORMAT")


def in_queue(address: str, query: str) -> str:
    """An escalation's address that contains the queue, with its filters, the person came from."""
    return f"{address}?{urlencode({'queue': query})}" if query else address


class QueueRows:
    """The rows of one page for one reader: what they share is looked up once."""

    def __init__(self, *, is_open: bool, is_selectable: bool, may_claim: bool, reader: int, query: str = "") -> None:
        """`query` is the queue's own address, which an escalation's page uses to go back and on."""
        self._is_open, self._is_selectable = is_open, is_selectable
        self._may_claim, self._reader = may_claim, reader
        self._address = in_queue(reverse("admin:escalations_escalation_change", args=[BLANK]), query)
        self._claim_address = reverse("admin:escalations_escalation_claim", args=[BLANK])

    def __call__(self, escalations: Iterable[Any]) -> SafeString:
        return SafeString("".join(map(self._row, escalations)))

    def _row(self, escalation: Any) -> SafeString:
        now = timezone.now()
        level = urgency(escalation.waiting_since, escalation.plan_type, now)
        return fill(
            '<tr role="row" id="escalation-{0}" data-escalation="{0}" class="escalation{1}">{2}'
            '<td role="cell" class="escalation__wait">{3}</td>'
            '<th role="rowheader" scope="row" class="escalation__customer">{4}</th>'
            '<td role="cell" class="escalation__message">{5}</td>'
            '<td role="cell" class="escalation__business" data-label="{6}">{7}</td>'
            '<td role="cell" class="escalation__claim"{8}>{9}</td></tr>\n',
            escalation.pk,
            f" escalation--{level.kind}" if self._is_open else "",
            self._box(escalation) if self._is_selectable else NOTHING,
            _waited(escalation, level, now) if self._is_open else self._resolved(escalation),
            self._customer(escalation),
            self._message(escalation),
            self._business_word,
            self._business(escalation),
            NOTHING if self._is_open else fill(' data-label="{}"', gettext("Outcome")),
            self._claim(escalation) if self._is_open else outcome(escalation),
        )

    def _box(self, escalation: Any) -> SafeString:
        return fill(
            '<td role="cell" class="escalation__select">'
            '<input type="checkbox" name="escalation" value="{}" form="bulk" aria-label="{}"></td>',
            escalation.pk,
            gettext("Select %(number)s") % {"number": without_numbers(escalation.whatsapp_number)},
        )

    def _resolved(self, escalation: Any) -> SafeString:
        return fill(
            '<time datetime="{}">{}</time> <span class="quiet">{}</span>',
            timezone.localtime(escalation.resolved_at).isoformat(),
            local(escalation.resolved_at),
            resolver(escalation),
        )

    def _customer(self, escalation: Any) -> SafeString:
        number, name = phone(escalation.whatsapp_number), outside_text(escalation.customer_name, 60)
        times = escalated(escalation.open_rows) if self._is_open else ""
        return fill(
            '<a href="{}">{}</a> <span class="quiet escalation__meta">{}{}'
            "<span data-closed hidden>{} <bdi></bdi></span></span>",
            self._address.replace(BLANK, str(escalation.pk)),
            name or number,
            fill("<span>{}</span> ", number) if name else NOTHING,
            fill("<span>{}</span> ", times) if times else NOTHING,
            self._resolved_word,
        )

    def _message(self, escalation: Any) -> SafeString:
        message = escalation.last_message
        if not message:
            text = fill('<span class="quiet">{}</span>', gettext("No stored message"))
        else:
            who: Any = self._ai_word if message.role == "assistant" else outside_text(message.role, 20)
            if message.is_reply:
                who = self._staff_word
            text = fill(
                '<span class="escalation__text">{}{}</span>',
                NOTHING if message.role == "user" else fill('<span class="escalation__who">{}:</span> ', who),
                outside_text(message.content, 160),
            )
        return fill(
            '{} <mark data-wrote hidden>{}</mark> <span class="quiet escalation__meta">{} <bdi>{}</bdi></span>',
            text,
            self._wrote_word,
            writing(escalation) if self._is_open else NOTHING,
            reason_in_words(escalation.why),
        )

    def _business(self, escalation: Any) -> SafeString:
        number = ltr(without_numbers(escalation.number_name)) or gettext("No WhatsApp number")
        return fill("{}{}", outside_text(escalation.business_name, 60), _quiet(number))

    def _claim(self, escalation: Any) -> SafeString:
        button: SafeString = NOTHING
        if self._may_claim:
            button = fill(
                ' <button class="button button--small" form="act" formaction="{}" name="version" value="{}"'
                ' aria-label="{}: {}" data-claim{}>{}</button>',
                self._claim_address.replace(BLANK, str(escalation.pk)),
                escalation.version,
                self._claim_word,
                without_numbers(escalation.customer_name or escalation.whatsapp_number),
                HIDDEN if escalation.claimant_id else NOTHING,
                self._claim_word,
            )
        return fill(
            '{}<span class="person{}" data-claimant{}><span class="visually-hidden">{}</span> <bdi>{}</bdi></span>{} '
            '<span class="quiet looking" data-viewers hidden>{}<span class="visually-hidden">{}</span>'
            " <bdi></bdi></span>",
            fill("{} ", snoozed(escalation)) if escalation.is_snoozed else NOTHING,
            " person--me" if escalation.claimant_id == self._reader else "",
            NOTHING if escalation.claimant_id else HIDDEN,
            self._claimed_word,
            escalation.claimant or "",
            button,
            self._looking_icon,
            self._looking_word,
        )

    _business_word = cached_property(lambda self: gettext("Business"))
    _resolved_word = cached_property(lambda self: gettext("Resolved"))
    _ai_word = cached_property(lambda self: gettext("AI"))
    _staff_word = cached_property(lambda self: gettext("Staff"))
    _wrote_word = cached_property(lambda self: gettext("New message"))
    _claim_word = cached_property(lambda self: pgettext("escalations", "Claim"))
    _claimed_word = cached_property(lambda self: gettext("Claimed by"))
    _looking_icon = cached_property(lambda self: icon("looking"))
    _looking_word = cached_property(lambda self: gettext("Viewing now:"))


def _quiet(text: SafeString | str) -> SafeString:
    return fill(' <span class="quiet">{}</span>', text)
