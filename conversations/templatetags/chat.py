"""Show a conversation as a chat: `{% chat messages marks=marks older=url %}`."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from django import template

from waops.database.long_text import LONGEST

BLANK = "00000000-0000-0000-0000-000000000000"

register = template.Library()


class ChatMessage(Protocol):
    """A message to show; `role` is user or assistant. Hold texts come from the service, replies from staff."""

    role: str
    content: str
    timestamp: datetime

    @property
    def is_hold_text(self) -> bool: ...

    @property
    def is_reply(self) -> bool: ...


@dataclass(frozen=True)
class ChatMark:
    """A line across the chat, such as the point of escalation; it may link to an address."""

    timestamp: datetime
    text: str
    kind: str = "escalation"
    address: str = ""


@register.inclusion_tag("conversations/chat.html")
def chat(
    messages: Iterable[ChatMessage],
    marks: Iterable[ChatMark] = (),
    older: str = "",
    newer: str = "",
    whole: str = "",
) -> dict[str, Any]:
    """Messages in any order, shown oldest first; a mark comes after the messages of the same moment.

    Consecutive automatic texts are folded into one entry.

    `older` and `newer` are the addresses of the pages with the messages before and after, if there are any. `whole` is
    the address of a text too long to be shown, for the message whose id is BLANK.
    """
    items = [(message.timestamp, 0, message) for message in messages]
    items += [(mark.timestamp, 1, mark) for mark in marks]  # type: ignore[misc]
    items.sort(key=lambda item: item[:2])
    entries: list[dict[str, Any]] = []
    for _, is_mark, item in items:
        if is_mark:
            entries.append({"mark": item})
        elif not item.is_hold_text:
            entries.append({"first": item})
        elif entries and "held" in entries[-1]:
            entries[-1]["held"].append(item)
        else:
            entries.append({"first": item, "held": [item]})
    return {"entries": entries, "older": older, "newer": newer, "whole": whole}


@register.simple_tag
def whole_text(whole: str, message: Any) -> str:
    """The address of a message's full text; empty if the page shows all of it."""
    return whole.replace(BLANK, str(message.pk)) if whole and len(message.content) > LONGEST else ""
