"""Phone numbers: stored as international digits without `+`, typed and read in many other forms."""

import re
import unicodedata

PLAUSIBLE = re.compile(r"[1-9]\d{7,14}", re.ASCII)
"""International digits; an id that WhatsApp gives instead of a number is longer, or holds other characters."""

COUNTRY_CODE = re.compile(r"1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|\d{3}")

HIDDEN = "•••"
ISOLATE, END_OF_ISOLATE = "\u2066", "\u2069"
"""Around a number in a text, so that it is read from left to right in Arabic too."""

_BETWEEN = "[ \u00a0\u202f().\\-\u2010\u2011\u2013\u200e\u200f\u202a-\u202e\u2066-\u2069]{0,3}"
_ID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_MOMENT = r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:[+-]\d\d:?\d\d)?)?(?![\d-])"
WRITTEN = re.compile(rf"(?P<kept>{_ID}|{_MOMENT})|\+?\d(?:{_BETWEEN}\d){{7,}}", re.IGNORECASE)
"""Eight digits or more, however they are spaced; ids and moments are told from them and `kept`."""


def digits(text: str) -> str:
    """The number as stored, from any written form: `+`, `00`, spaces, dashes, brackets, Arabic-Indic digits.

    Empty if the text holds anything that is no part of a written number, so that a name is not searched as one.
    """
    found = ""
    for character in text.replace("＋", "+"):
        if character.isdecimal():
            found += str(unicodedata.decimal(character))
        elif not (character in "+-().‐‑–/" or character.isspace() or unicodedata.category(character) == "Cf"):
            return ""
    return found.removeprefix("00")


def readable(number: str) -> str:
    """`+20 101 234 5678`, in groups a person can read aloud; anything that is no phone number as it is."""
    if not PLAUSIBLE.fullmatch(number):
        return number
    country = COUNTRY_CODE.match(number)[0]  # type: ignore[index]
    rest, last = number[len(country) : -4], number[-4:]
    head = len(rest) % 3
    groups = [rest[:head], *(rest[i : i + 3] for i in range(head, len(rest), 3)), last]
    return "\u00a0".join([f"+{country}", *filter(None, groups)])


def masked(number: str) -> str:
    """`+20 ••• ••• 4567`: the country and the last four digits, enough to tell two customers apart."""
    country = COUNTRY_CODE.match(number) if PLAUSIBLE.fullmatch(number) else None
    return "\u00a0".join([*([f"+{country[0]}"] if country else []), HIDDEN, HIDDEN, re.sub(r"\D", "", number)[-4:]])


def masked_in(text: str) -> str:
    """A text with every number in it that may be somebody's phone masked, in whatever digits it is written."""
    return WRITTEN.sub(_masked, text)


def _masked(match: re.Match[str]) -> str:
    if match["kept"]:
        return match[0]
    return f"{ISOLATE}{masked(digits(match[0]) or match[0])}{END_OF_ISOLATE}"
