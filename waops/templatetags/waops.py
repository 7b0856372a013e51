"""How this app shows what comes from outside: text of customers and of the AI, phone numbers, states, JSON."""

import json
from typing import TYPE_CHECKING, Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from waops import personal

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

register = template.Library()


@register.filter
def phone(number: str | None) -> SafeString | str:
    """A phone number in readable groups, left to right in every language; `data-number` holds it as stored.

    Masked, and without `data-number`, for whoever may not see numbers.
    """
    if not number:
        return ""
    shown = personal.number_in_groups(str(number))
    if not personal.sees_numbers():
        return format_html('<bdi dir="ltr" class="phone">{}</bdi>', shown)
    return format_html('<bdi dir="ltr" class="phone" data-number="{}">{}</bdi>', number, shown)


@register.filter
def without_numbers(text: object) -> str:
    """Text written outside this app, where no element can stand: in a title or an attribute."""
    return "" if text is None else personal.text(str(text))


@register.filter
def outside_text(text: object, length: int | None = None) -> SafeString | str:
    """Text written outside this app, within a line: its own direction, cut to `length` characters if given."""
    if text is None or text == "":
        return ""
    shown = str(text) if length is None else " ".join(str(text)[: 4 * length].split())
    shown = personal.text(shown)
    if length is not None:
        shown = Truncator(shown).chars(length)
    return format_html('<bdi class="outside">{}</bdi>', shown)


@register.filter
def outside_block(text: object) -> SafeString | str:
    """Text written outside this app, as a block: line breaks kept, each paragraph in its own direction."""
    if text is None or text == "":
        return ""
    return format_html('<div class="outside-block" dir="auto">{}</div>', personal.text(str(text)))


@register.filter
def ltr(value: object) -> SafeString | str:
    """An identifier or a number that must not be mirrored."""
    if value is None or value == "":
        return ""
    return format_html('<bdi dir="ltr">{}</bdi>', value)


@register.filter
def json_block(value: Any) -> SafeString | str:
    """JSON, indented, left to right; Arabic stays readable."""
    if value is None:
        return ""
    text = json.dumps(personal.json(value), ensure_ascii=False, indent=2, default=str)
    return format_html('<pre class="json" dir="ltr" tabindex="0">{}</pre>', text)


@register.simple_tag
def status(kind: str, word: "StrOrPromise") -> SafeString:
    """A state as colour, word and shape. Kinds: open, waiting, late, done, off, unknown."""
    return format_html('<span class="status status--{}">{}</span>', kind, word)
