"""Phone numbers: stored as international digits without `+`, typed and read in many other forms."""

import re
import unicodedata

PLAUSIBLE = re.compile(r"[1-9]\d{7,14}", re.ASCII)
"""International digits; an id that WhatsApp gives instead of a number is longer, or holds other characters."""

COUNTRY_CODE = re.compile(r"1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|\d{3}")


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
