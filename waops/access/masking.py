"""Find phone numbers in texts, in any form people write them, and mask them.

The rule: eight or more digits in any script are a number. Up to six characters may stand between two digits if they are
not letters and do not belong to sums (currency, percent, plus, equals, @); a tag or an entity counts as one character.
Dates, times, amounts with decimals, and lists and ranges of these stay readable unless further digits are attached. So
do UUIDs, unless the last part is all digits, as in UUIDs made from a phone number. A whole amount or order number of
eight or more digits is masked, because it looks like a number. Fewer than eight digits are never masked.
"""

import re
import unicodedata
from collections.abc import Collection

from waops.access.phones import END_OF_ISOLATE, HIDDEN, ISOLATE, masked


class _AsciiDigits(dict[int, int | str]):
    """For `str.translate`: maps digits of any script to ASCII digits and keeps all positions."""

    def __missing__(self, code: int) -> int | str:
        digit = unicodedata.digit(chr(code), None)
        self[code] = code if digit is None else str(digit)
        return self[code]


_ASCII = _AsciiDigits()

FEWEST = 8
"""Least digits of a number."""

_BETWEEN = r"(?:<[^<>]{0,60}>|&#?\w{1,8};|%[0-9A-F]{2}|[^\w<>&%$€£¥+=@•]|[_\u0640]){1,6}"
_SOFT = r"[ \t\xa0/._|*()\-\u2000-\u200f\u2010-\u2015\u2060\u2212]"
"""Characters that join the groups of one number; commas and line breaks can also follow a date."""

_YEAR, _MONTH, _DAY = r"(?:19|20)\d\d", r"(?:0?[1-9]|1[0-2])", r"(?:0?[1-9]|[12]\d|3[01])"
_DATE = "|".join(
    sign.join(parts)
    for sign in ("/", r"\.", "-")
    for parts in ((_YEAR, _MONTH, _DAY), (_DAY, _MONTH, _YEAR), (_MONTH, _DAY, _YEAR))
)
_TIME = r"(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:[.,]\d{1,6})?)?(?:Z|[+-]\d\d:?\d\d)?(?!:)"
_MOMENT = rf"(?:(?:{_DATE})(?:T{_TIME})?|{_TIME})"
_MOMENTS = rf"{_MOMENT}(?:(?:{_SOFT}{{1,3}}|[,،;\n]\s?){_MOMENT})*"
_AMOUNT = r"(?:\d{1,3}(?:,\d{3}){1,2}|[1-9]\d{0,4}|0)\.\d\d(?![\d.])"
_AMOUNTS = rf"{_AMOUNT}(?:(?:[,،;]\s|\s[-–—]\s|\n){_AMOUNT})*"
_ATTACHED = rf"\d|{_SOFT}{{1,4}}\d{{3}}|{_SOFT}{{1,4}}\d{{1,2}}{_SOFT}{{1,4}}\d"
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-(?!\d{12})[0-9a-f]{12}"
_KEPT = (
    rf"(?:(?<![0-9a-z]){_UUID}(?![0-9a-z])"
    rf"|(?<!\d)(?<!\d[,،:;])(?<!\d{_SOFT})(?<!\d{_SOFT}{_SOFT})(?:{_MOMENTS}|{_AMOUNTS})(?!{_ATTACHED}))"
)
_NUMBER = re.compile(rf"(?P<kept>{_KEPT})|\+?\d(?:(?:{_BETWEEN}(?!{_KEPT}))?\d){{7,}}", re.IGNORECASE)
_OTHER = re.compile("[^0-9]+")
_END = re.compile(rf"\d(?:(?:{_BETWEEN})?\d){{3,}}(?:{_BETWEEN})?\Z", re.IGNORECASE)

KNOWN_DIGITS = 9
"""Trailing digits that identify a known number, with or without its country code."""


def in_ascii(text: str) -> str:
    """The text with ASCII digits; all positions stay the same."""
    return text if text.isascii() else text.translate(_ASCII)


def masked_in(text: str, known: Collection[str] = (), *, is_cut: bool = False) -> str:
    """The text with every number masked except its country and last four digits.

    `known` are stored numbers that the page is about: they are found whatever stands between their digits. `is_cut`:
    the text is truncated, so a number at its end may be incomplete.
    """
    plain = in_ascii(text)
    if not is_cut and len(_OTHER.sub("", plain)) < FEWEST:
        return text
    if known:
        text = _without(known, text, plain)
        plain = in_ascii(text)
    if is_cut and (end := _END.search(plain)):
        text, plain = f"{text[: end.start()]}{HIDDEN}", f"{plain[: end.start()]}{HIDDEN}"
    parts, place = [], 0
    for found in _NUMBER.finditer(plain):
        shown = text[found.start() : found.end()] if found["kept"] else _mask(found[0])
        parts += [text[place : found.start()], shown]
        place = found.end()
    return "".join([*parts, text[place:]]) if parts else text


def _mask(written: str) -> str:
    number = re.sub(r"<[^<>]*>|&#?\w+;|\D", "", written).removeprefix("00")
    return f"{ISOLATE}{masked(number)}{END_OF_ISOLATE}"


def _without(known: Collection[str], text: str, plain: str) -> str:
    stream = _OTHER.sub("", plain)
    for number in known:
        end = number[-KNOWN_DIGITS:]
        while len(end) == KNOWN_DIGITS and end in stream:
            places = [place for place, character in enumerate(plain) if character in "0123456789"]
            last = stream.index(end) + len(end)
            first = last - len(end)
            while first and number.endswith(stream[first - 1 : last]):
                first -= 1
            begin, over = places[first], places[last - 1] + 1
            shown = f"{ISOLATE}{masked(number)}{END_OF_ISOLATE}"
            text, plain = text[:begin] + shown + text[over:], plain[:begin] + shown + plain[over:]
            stream = _OTHER.sub("", plain)
    return text
