"""A conversation as a chat: `{% chat messages marks=marks older=url %}`."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from django import template

register = template.Library()


class ChatMessage(Protocol):
    """What a message must have to be shown; `role` is user or assistant, a hold text is the service's, not the AI's."""

    role: str
    content: str
    timestamp: datetime

    @property
    def is_hold_text(self) -> bool: ...


@dataclass(frozen=True)
class ChatMark:
    """A line across the chat, such as the point of escalation; it may lead to an address."""

    timestamp: datetime
    text: str
    kind: str = "escalation"
    address: str = ""


@register.inclusion_tag("conversations/chat.html")
def chat(messages: Iterable[ChatMessage], marks: Iterable[ChatMark] = (), older: str = "") -> dict[str, Any]:
    """Messages in any order, shown oldest first; a mark stands after the messages of its own moment.

    `older` is the address of the page with earlier messages, if there are any.
    """
    items = [(message.timestamp, 0, message) for message in messages]
    items += [(mark.timestamp, 1, mark) for mark in marks]  # type: ignore[misc]
    items.sort(key=lambda item: item[:2])
    entries = [{"mark": item} if is_mark else {"message": item} for _, is_mark, item in items]
    return {"entries": entries, "older": older}
