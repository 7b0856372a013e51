"""Print from commands. Text is shown unchanged: names never act as markup, emoji codes or terminal commands.

Only this module creates consoles and progress bars; a test forbids others.
"""

import re
import sys
from typing import Any

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.status import Status
from rich.text import Text

PIPE_WIDTH = 200
"""Columns without a terminal, so that tables are not folded in files or pipes."""

# Control characters except tab and newline, characters that reorder a line, and those no encoding has.
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def plain(text: object) -> str:
    r"""The text with terminal control characters written out, such as `\x1b`."""
    return UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), str(text))


def line(*parts: object) -> Text:
    """Put a line together from parts, each a text or a pair of text and style."""
    styled = (part if isinstance(part, tuple) else (part, "") for part in parts)
    return Text.assemble(*((plain(text), style) for text, style in styled))


class Terminal(Console):
    """A console without markup that prints every string through `plain`."""

    def __init__(self, file: Any = None, **options: Any) -> None:
        width = None if sys.stdout.isatty() else PIPE_WIDTH
        super().__init__(file=file, **{"width": width, "highlight": False, **options})

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(plain(text), **{**options, "markup": False, "emoji": False})

    def status(self, status: RenderableType, **options: Any) -> Status:
        return super().status(line(status) if isinstance(status, str) else status, **options)


def progress_bar(*, disable: bool = False) -> Progress:
    """A progress bar on standard error, removed when done. Without a terminal nothing is drawn."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Terminal(stderr=True), transient=True, disable=disable)
