"""Show data from outside: customers' and AI texts, phone numbers, states, JSON."""

import json
import re
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django import template
from django.templatetags.static import static
from django.utils.formats import number_format
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import Truncator
from django.utils.translation import gettext

from waops.access import personal
from waops.access.phones import HIDDEN
from waops.admin.html import fill
from waops.admin.once import FIELD
from waops.database.long_text import LONGEST, cut

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

register = template.Library()

_ADDRESS = re.compile(r"(?<![\w@./])(?:https?://|www\.)[^\s<>\"'`|\u060c\u061b]+", re.IGNORECASE)
_NOT_AT_END = ".,;:!?…»”’*_~]}\u061f"
_NOT_WITHIN = re.compile(rf"[{HIDDEN}\u2066-\u2069]")
"""Characters that a masked number, or a forged link, puts into an address."""

LONGEST_NUMBER = 100
"""Most characters shown of a number, which is stored as text."""


@register.simple_tag
def form_key() -> SafeString:
    """The hidden field that prevents a form from being processed twice: see `waops.admin.once`."""
    return fill('<input type="hidden" name="{}" value="{}">', FIELD, uuid4())


@register.filter
def phone(number: str | None) -> SafeString | str:
    """A phone number in readable groups, left to right in every language; `data-number` is the stored form.

    Masked, and without `data-number`, for readers who cannot see numbers.
    """
    if not number:
        return ""
    number = cut(str(number), LONGEST_NUMBER)
    shown = personal.number_in_groups(number)
    if not personal.sees_numbers():
        return fill('<bdi dir="ltr" class="phone">{}</bdi>', shown)
    return fill('<bdi dir="ltr" class="phone" data-number="{}">{}</bdi>', number, shown)


@register.filter
def without_numbers(text: object) -> str:
    """Outside text where no element is allowed: in a title or an attribute."""
    return "" if text is None else personal.text(str(text))


@register.filter
def is_shown(text: object) -> bool:
    """Whether this reader may see all of the text; forms and addresses must not contain any other."""
    return personal.shows(str(text))


@register.filter
def outside_text(text: object, length: int | None = None) -> SafeString | str:
    """Outside text within a line: its own direction, cut to `length` characters if given."""
    if text is None or text == "":
        return ""
    whole = str(text)
    if length is None:
        shown = personal.text(cut(whole))
    else:
        read = min(3 * length, personal.EXCERPT)
        line = " ".join(personal.text(whole[:read], is_cut=len(whole) >= read).split())
        shown = line if len(line) <= length else Truncator(line).chars(length)
    return fill('<bdi class="outside">{}</bdi>', shown)


@register.filter
def outside_block(text: object, longest: int = LONGEST) -> SafeString | str:
    """Outside text as a block: keeps line breaks, links web addresses, each paragraph in its own direction."""
    if text is None or text == "":
        return ""
    written = str(text)
    shown = fill('<div class="outside-block" dir="auto">{}</div>', with_links(personal.text(cut(written, longest))))
    return shown + _note_of_cut(written, longest)


def with_links(text: str) -> SafeString:
    """Link web addresses: only those that the reader sees in full, exactly as written."""
    pieces, at = [], 0
    for found in _ADDRESS.finditer(text):
        address = found[0].rstrip(_NOT_AT_END)
        if address.endswith(")") and "(" not in address:
            address = address.rstrip(")")
        link = address if _NOT_WITHIN.search(found[0]) else _link(address)
        pieces += [fill("{}", text[at : found.start()]), fill("{}", link)]
        at = found.start() + len(address)
    return SafeString("".join([*pieces, fill("{}", text[at:])]))


def _link(address: str) -> SafeString:
    leads_to = address if "://" in address else f"https://{address}"
    link = '<a href="{}" dir="ltr" target="_blank" rel="noopener noreferrer nofollow">{}</a>'
    return fill(link, leads_to, address)


@register.filter
def ltr(value: object) -> SafeString | str:
    """An identifier or number that must not be mirrored."""
    if value is None or value == "":
        return ""
    return fill('<bdi dir="ltr">{}</bdi>', value)


@register.filter
def json_block(value: Any) -> SafeString | str:
    """JSON, indented, left to right; Arabic stays readable."""
    if value is None:
        return ""
    text = json.dumps(personal.json(value), ensure_ascii=False, indent=2, default=str)
    return fill('<pre class="json" dir="ltr" tabindex="0">{}</pre>', cut(text)) + _note_of_cut(text)


def _note_of_cut(text: str, longest: int = LONGEST) -> SafeString:
    """Says that a text is truncated; empty if all of it is shown."""
    if len(text) <= longest:
        return mark_safe("")
    note = gettext("Only the first %(count)s characters are shown.") % {
        "count": number_format(longest, force_grouping=True)
    }
    return fill('<p class="quiet">{}</p>', note)


@register.simple_tag
def icon(name: str) -> SafeString:
    """A drawing from the sprite, hidden from screen readers: the text next to it says the same."""
    return fill('<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>', static("waops/icons.svg"), name)


@register.simple_tag
def status(kind: str, word: "StrOrPromise") -> SafeString:
    """A state as colour, word and shape. Kinds: open, waiting, late, done, off, unknown."""
    return fill('<span class="status status--{}">{}</span>', kind, personal.text(str(word)))
