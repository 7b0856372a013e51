"""Phone numbers: stored as international digits without `+`, typed and read in many other forms."""

import re
import unicodedata

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat

PLAUSIBLE = re.compile(r"[1-9]\d{7,14}", re.ASCII)
"""International digits. WhatsApp ids that are not numbers are longer or contain other characters."""

HIDDEN = "•••"
ISOLATE, END_OF_ISOLATE = "\u2066", "\u2069"
"""Placed around a number in a text, so that it reads left to right in Arabic too."""


def digits(text: str) -> str:
    """The number in its stored form, from any written form: `+`, `00`, spaces, dashes, brackets,
    Arabic-Indic digits.

    Empty if the text contains anything else, so that names are not searched as numbers.
    """
    found = ""
    for character in text.replace("＋", "+"):
        if character.isdecimal():
            found += str(unicodedata.decimal(character))
        elif not (character in "+-().‐‑–/" or character.isspace() or unicodedata.category(character) == "Cf"):
            return ""
    return found.removeprefix("00")


def readable(number: str) -> str:
    """The number grouped as in its country, `+965 6396 9871`; anything that is not a phone number is unchanged."""
    known = _read(number)
    if known is None:
        return number
    # Non-breaking spaces, and no hyphens, where a line could break.
    written = phonenumbers.format_number(known, PhoneNumberFormat.INTERNATIONAL)
    return re.sub(r"[ \-/]", "\u00a0", written)


def masked(number: str) -> str:
    """The number as `+20 ••• ••• 4567`: country and last four digits are enough to tell two customers apart."""
    known = _read(number)
    country = [f"+{known.country_code}"] if known else []
    return "\u00a0".join([*country, HIDDEN, HIDDEN, re.sub(r"\D", "", number)[-4:]])


def _read(number: str) -> PhoneNumber | None:
    """None if it has no country code, or not the length of that country's numbers."""
    if not PLAUSIBLE.fullmatch(number):
        return None
    try:
        known = phonenumbers.parse(f"+{number}")
    except NumberParseException:
        return None
    return known if phonenumbers.is_possible_number(known) else None
