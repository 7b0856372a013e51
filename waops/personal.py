"""What a reader may see of phone numbers: all of it, or (without `waops.see_numbers`) the country and the last digits.

Everything that shows or searches a number asks here. Outside of requests nothing is masked.
"""

import re
from typing import Any

from waops.access import current
from waops.phones import masked, masked_in, readable

LAST = re.compile(r"\d{4}")
"""What a masked number ends with."""


def sees_numbers() -> bool:
    return current().sees_numbers


def last_digits(typed: str) -> str:
    """The four last digits of a number, if that is what somebody typed; empty otherwise. More would tell the rest."""
    return "".join(str(int(digit)) for digit in typed.strip()) if LAST.fullmatch(typed.strip()) else ""


def number_in_groups(number: str) -> str:
    """A stored number for people to read."""
    return readable(number) if current().sees_numbers else masked(number)


def number_as_stored(number: str) -> str:
    """A stored number where it stands for a row, as in a title or a file."""
    return number if current().sees_numbers else masked(number)


def text(written: str) -> str:
    """A text from outside; a name or a message may hold numbers too."""
    return written if current().sees_numbers else masked_in(written)


def json(value: Any) -> Any:
    """A JSON value with every number in its texts masked, and those among its integers."""
    if current().sees_numbers:
        return value
    return _masked(value)


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {masked_in(str(key)): _masked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item) for item in value]
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        hidden = masked_in(str(value))
        return value if hidden == str(value) else hidden
    return value
