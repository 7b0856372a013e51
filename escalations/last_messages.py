"""What the customer wrote, as the queue shows it. Each function takes cases that have `conversation_id`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BooleanField, ExpressionWrapper, JSONField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import JSONObject, Left

from conversations.models import HOLD_TEXTS, Message
from escalations.criteria import Cases

SNIPPET = 300
"""Characters of the last message that the queue shows."""

COUNTED = 50
"""The customer's messages are counted up to this many."""

ARABIC = "[\u0600-\u06ff]"


@dataclass(frozen=True)
class LastMessage:
    role: str
    content: str
    timestamp: datetime


class LastMessageField(JSONField):
    """A JSON object of a message's columns, read as a LastMessage."""

    def from_db_value(self, *args: Any) -> LastMessage | None:
        value = super().from_db_value(*args)
        return value and LastMessage(value["role"], value["content"], datetime.fromisoformat(value["timestamp"]))


def _messages() -> QuerySet[Message]:
    """A case's messages, the newest first; read from the end of idx_messages_conversation."""
    messages: QuerySet[Message] = Message.objects.filter(conversation_id=OuterRef("conversation_id"))
    return messages.order_by("-timestamp", "-pk")


def with_last_message(cases: Cases) -> Cases:
    """Adds `last_message`, cut to SNIPPET characters.

    The text that the service sends to whoever waits is not it: every customer in the queue got that last.
    """
    messages = _messages()
    for prefix in HOLD_TEXTS:
        messages = messages.exclude(message_id__startswith=prefix)
    columns = JSONObject(role="role", content=Left("content", SNIPPET), timestamp="timestamp")
    last = Subquery(messages.values(columns=columns)[:1], output_field=LastMessageField())
    return cases.annotate(last_message=last)


def with_writing_times(cases: Cases) -> Cases:
    """Adds `wrote_at`: when the customer wrote, the latest first, COUNTED times at most."""
    return cases.annotate(wrote_at=ArraySubquery(_messages().filter(role="user").values("timestamp")[:COUNTED]))


def written_in(cases: Cases, language: str) -> Cases:
    """The cases whose customer's last message holds Arabic letters ("ar"), or holds none ("en")."""
    is_arabic = ExpressionWrapper(Q(beginning__regex=ARABIC), output_field=BooleanField())
    text = _messages().filter(role="user").annotate(beginning=Left("content", SNIPPET)).values(is_arabic=is_arabic)[:1]
    return cases.alias(is_arabic=Subquery(text)).filter(is_arabic=language == "ar")
