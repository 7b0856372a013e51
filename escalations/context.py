"""Parse the JSON that the service wrote about an escalation: its context and what the AI detected."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from waops.access.vocabulary import in_words
from waops.database.long_text import cut

LONGEST_JSON = 1_000_000
"""Longest JSON, in characters, that is read at all."""

YEARS = range(2000, 2200)
"""Years that a date here or in a report may have."""

MOST_MESSAGES = 200
"""Messages of a context that a page shows; the service stores ten."""


@dataclass(frozen=True)
class KeptMessage:
    role: str
    content: str
    timestamp: datetime | None


@dataclass(frozen=True)
class KeptContext:
    """`messages`, oldest first, or, if the JSON is not a list of messages, all of it as `text`.

    `left_out` counts further messages before those.
    """

    messages: tuple[KeptMessage, ...] = ()
    text: str = ""
    left_out: int = 0


@dataclass(frozen=True)
class Insight:
    """One thing the AI detected in the conversation."""

    label: str | Promise
    value: str
    is_topic: bool = False
    """Whether it says what the customer wants."""


def read_context(text: str | None) -> KeptContext:
    """The context that the service stored: `[{role, content, timestamp}, …]`, even if it was encoded twice."""
    value = _parse(text)
    if isinstance(value, str):
        value = _parse(value) or value
    if not value:
        return KeptContext()
    if isinstance(value, list) and all(
        isinstance(item, dict) and isinstance(item.get("content"), str) for item in value
    ):
        latest = value[-MOST_MESSAGES:]
        return KeptContext(tuple(_message(item) for item in latest), left_out=len(value) - len(latest))
    return KeptContext(text=cut(value if isinstance(value, str) else str(text)))


def read_insights(text: str | None) -> list[Insight]:
    """What the AI noted in the `metadata` of a reply; missing or malformed keys are left out."""
    value = _parse(text)
    return list(_insights(value)) if isinstance(value, dict) else []


def _insights(value: dict[str, Any]) -> Iterator[Insight]:
    if intent := _word(value, "detected_intent"):
        yield Insight(_("Intent"), in_words(intent), is_topic=True)
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
        yield Insight(_("Interested in"), product, is_topic=True)
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
    return KeptMessage(cut(str(item.get("role", "")), 100), cut(item["content"]), _time(item.get("timestamp")))


def _time(value: Any) -> datetime | None:
    """From ISO 8601 or, as in JavaScript, milliseconds since 1970; a time without a zone is UTC.

    Implausible years are read as None: the reader's time zone could push them out of datetime's range.
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
