"""Cut texts of any length to what a page can show."""

from waops.access.personal import CUT

LONGEST = 20_000
"""Most characters of a text that a page shows."""
LONGEST_WHOLE = 2_000_000
"""Of a text that someone asked to see whole."""
LONGEST_NAME = 200
"""Most characters of a name that stands for a row."""


def cut(text: str, longest: int = LONGEST) -> str:
    """The first characters of a text."""
    return text if len(text) <= longest else text[:longest] + CUT
