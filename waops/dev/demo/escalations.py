"""Open and past escalations, and those of customers without a stored conversation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random

from waops.dev.demo.businesses import Business
from waops.dev.demo.catalog import Catalog
from waops.dev.demo.conversations import Conversation
from waops.dev.demo.dialogue import Dialogue, Ending, place_in_time
from waops.dev.demo.drawing import DAY, HOUR, MINUTE, SECOND, SHORT_WAITS, log_uniform, make_uuid, text_of
from waops.dev.demo.people import make_customer, phone_number
from waops.dev.demo.tables import Row

REASONS = (
    "user_request",
    "ai_detected_intent",
    "custom_ai_instructions",
    "ai_failure",
    "sensitive_topic",
    "low_confidence",
    "repeated_question",
    "vip_customer",
)
"""The reasons the service has used, most frequent first, and one that this app does not know."""

WEIGHTS = dict(zip(REASONS, (45, 30, 8, 4, 3, 3, 3, 2), strict=True))
NO_REASON = 4
CONTEXT = 10
"""The service keeps at most this many messages of context."""


class Reasons:
    """Draws reasons that the table accepts; a showcase business gets each once before any is repeated."""

    def __init__(self, rng: Random, catalog: Catalog, *, each_once: bool) -> None:
        self._rng = rng
        self._pool: tuple[str | None, ...] = (*catalog.reasons, None)
        self._weights = [*(WEIGHTS[reason] for reason in catalog.reasons), NO_REASON]
        self._first = list(reversed(self._pool)) if each_once else []

    def draw(self) -> str | None:
        if self._first:
            return self._first.pop()
        return self._rng.choices(self._pool, self._weights)[0]


def _context(rng: Random, conversation: Conversation, handover: int) -> str:
    """The last messages before the escalation, oldest first: as many as fit, sometimes fewer or none."""
    count = CONTEXT if rng.random() < 0.7 else rng.randint(0, CONTEXT)
    start = max(0, handover - count)
    items = [
        {"role": line.role, "content": line.content, "timestamp": text_of(moment)}
        for line, moment in zip(conversation.lines[start:handover], conversation.moments[start:handover], strict=True)
    ]
    return json.dumps(items, ensure_ascii=False)


def _resolved_at(rng: Random, conversation: Conversation, last: int, now: int) -> int:
    """Some minutes or hours after the last hold text, before the customer writes again."""
    start = conversation.moments[last]
    following = conversation.moments[last + 1] if last + 1 < len(conversation.moments) else now
    return start + min(int(log_uniform(rng, 2 * MINUTE, 12 * HOUR)), (following - start) // 2)


def escalation_rows(
    rng: Random, business: Business, conversation: Conversation, reasons: Reasons, now: int
) -> Iterator[Row]:
    """One row per escalation, none if it was missed. The service writes it after the customer's message, just before
    its text."""
    for episode in conversation.episodes:
        if episode.ending is Ending.MISSED:
            continue
        asked, told = conversation.moments[episode.handover - 1 : episode.handover + 1]
        escalated = text_of(max(asked, told - SECOND))
        is_open = episode.ending is Ending.OPEN
        yield (
            make_uuid(rng),
            conversation.customer.phone,
            conversation.instance.id,
            escalated,
            reasons.draw(),
            _context(rng, conversation, episode.handover),
            None if is_open else text_of(_resolved_at(rng, conversation, episode.last, now)),
            None if is_open or rng.random() < 0.3 else business.id,
            escalated,
        )


def stray_rows(
    rng: Random, business: Business, reasons: Reasons, now: int, *, without_conversation: int, without_instance: int
) -> Iterator[Row]:
    """Open escalations of customers without a stored conversation; the last ones have no instance either."""
    for number in range(without_conversation + without_instance):
        instance = business.instances[0]
        phone = phone_number(rng, business.country)
        customer = make_customer(rng, phone, business.country, business.sector, business.name, business.language)
        dialogue = Dialogue(rng, customer, instance.handover_text, instance.hold_text)
        dialogue.chat(rng.randint(0, 8))
        dialogue.hand_over(0, Ending.OPEN)
        handover = dialogue.episodes[0].handover
        moment = now - business.quiet - int(log_uniform(rng, 10 * MINUTE, 3 * DAY, SHORT_WAITS))
        moments = place_in_time(dialogue.lines, handover, moment, now)
        context = [
            {"role": line.role, "content": line.content, "timestamp": text_of(at)}
            for line, at in zip(dialogue.lines[:handover], moments[:handover], strict=True)
        ]
        yield (
            make_uuid(rng),
            phone,
            instance.id if number < without_conversation else None,
            text_of(moment),
            reasons.draw(),
            json.dumps(context, ensure_ascii=False),
            None,
            None,
            text_of(moment),
        )
