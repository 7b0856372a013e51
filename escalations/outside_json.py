"""JSON that the service wrote: meant to have a shape, certain to have none. Nothing here raises; what cannot be read is
shown as text."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from waops.vocabulary import in_words

YEARS = range(2000, 2200)
LONGEST = 20_000
"""Characters of one text that a page shows."""


@dataclass(frozen=True)
class KeptMessage:
    role: str
    content: str
    timestamp: datetime | None


@dataclass(frozen=True)
class KeptContext:
    """`messages`, oldest first, or, where the JSON is no list of messages, all of it as `text`."""

    messages: tuple[KeptMessage, ...] = ()
    text: str = ""


@dataclass(frozen=True)
class Insight:
    """One thing the AI thought of the conversation."""

    label: str | Promise
    value: str


def read_context(text: str | None) -> KeptContext:
    """`conversation_context`: `[{role, content, timestamp}, …]`, also where that was encoded twice."""
    value = _parse(text)
    if isinstance(value, str):
        value = _parse(value) or value
    if not value:
        return KeptContext()
    if isinstance(value, list) and all(
        isinstance(item, dict) and isinstance(item.get("content"), str) for item in value
    ):
        return KeptContext(messages=tuple(_message(item) for item in value))
    return KeptContext(text=cut(value if isinstance(value, str) else str(text)))


def read_insights(text: str | None) -> list[Insight]:
    """`metadata` of an AI answer; keys that are missing, or hold something else than they should, are left out."""
    value = _parse(text)
    return list(_insights(value)) if isinstance(value, dict) else []


def _insights(value: dict[str, Any]) -> Iterator[Insight]:
    if intent := _word(value, "detected_intent"):
        yield Insight(_("Intent"), in_words(intent))
    confidence = value.get("intent_confidence")
    if isinstance(confidence, int | float) and not isinstance(confidence, bool) and 0 <= confidence <= 1:
        yield Insight(_("Confidence"), f"{number_format(round(confidence * 100), use_l10n=True)} %")
    if emotion := _word(value, "emotion_analysis", "primary_emotion"):
        yield Insight(_("Emotion"), in_words(emotion))
    urgency = _inner(value, "emotion_analysis", "urgency_detected")
    if urgency is True or (isinstance(urgency, str) and urgency):
        yield Insight(_("Urgency"), in_words("urgent" if urgency is True else cut(urgency)))
    if stage := _word(value, "customer_journey", "current_stage"):
        yield Insight(_("Stage"), in_words(stage))
    if product := _word(value, "product_interest"):
        yield Insight(_("Interested in"), product)
    if personality := _word(value, "personality_name"):
        yield Insight(_("Answered as"), personality)


def _parse(text: str | None) -> Any:
    try:
        return json.loads(text or "null")
    except (ValueError, RecursionError):
        return text


def _inner(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _word(value: Any, *keys: str) -> str:
    """A text, or a list of texts."""
    found = _inner(value, *keys)
    if isinstance(found, list) and all(isinstance(item, str) for item in found):
        found = ", ".join(found)
    return cut(found) if isinstance(found, str) else ""


def _message(item: dict[str, Any]) -> KeptMessage:
    return KeptMessage(str(item.get("role", "")), cut(item["content"]), _time(item.get("timestamp")))


def cut(text: str) -> str:
    """At most LONGEST characters of a text."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"


def _time(value: Any) -> datetime | None:
    """From ISO 8601, or, as JavaScript counts, milliseconds since 1970; a time without a zone is UTC.

    Years that no message can have read as none: the reader's time zone could push them out of datetime's range.
    """
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            moment = datetime.fromtimestamp(value / 1000, tz=UTC)
        else:
            moment = datetime.fromisoformat(value)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment if moment.year in YEARS else None
