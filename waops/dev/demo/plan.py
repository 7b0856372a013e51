"""Plan the businesses, their states, and how many conversations, messages and escalations each gets."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from random import Random

from waops.dev.demo.drawing import apportion
from waops.dev.demo.sizes import Size


class Quota(Enum):
    """How much of its monthly AI quota a business has used."""

    HEALTHY = "healthy"
    NEAR = "near"
    USED_UP = "used up"
    OVER = "over"
    DISABLED = "disabled"
    RESET_OVERDUE = "reset overdue"


@dataclass(frozen=True, slots=True)
class Archetype:
    """A kind of business. `statuses` has one entry per WhatsApp number; `share` is its frequency, in percent."""

    quota: Quota = Quota.HEALTHY
    statuses: tuple[str, ...] = ("Connected",)
    share: int = 0
    language: str | None = None
    has_support_numbers: bool = True
    is_new: bool = False
    is_anonymous: bool = False
    is_showcase: bool = False


ARCHETYPES = (
    Archetype(is_showcase=True, language="ar"),
    Archetype(Quota.USED_UP, share=6, language="ar"),
    Archetype(Quota.NEAR, share=9, language="en"),
    Archetype(Quota.DISABLED, share=6),
    Archetype(Quota.RESET_OVERDUE, share=4),
    Archetype(has_support_numbers=False, share=6, language="ar"),
    Archetype(statuses=("Disconnected",), share=7),
    Archetype(statuses=("CONNECTED", "DISCONNECTED"), share=5),
    Archetype(Quota.OVER, share=4),
    Archetype(statuses=("Connected", "Connected"), share=46, language="en"),
    Archetype(statuses=("Created",), share=3, is_new=True),
    Archetype(statuses=("Connecting",), share=4, is_anonymous=True),
)
"""The first twelve businesses are one of each kind; the others are drawn by `share`."""

SHOWCASE_EVERY = 100
SHOWCASE_OPEN = 7
"""Rows of open escalations that the showcase business needs for its special states."""
MARATHON = 400
"""Messages of the showcase business's longest conversation."""


@dataclass(frozen=True, slots=True)
class BusinessPlan:
    """What one business gets. `messages` includes the long conversation of a showcase business."""

    index: int
    archetype: Archetype
    conversations: int
    messages: int
    open_escalations: int
    past_escalations: int


def _archetype(index: int, rng: Random) -> Archetype:
    if index < len(ARCHETYPES):
        return ARCHETYPES[index]
    if index % SHOWCASE_EVERY == 0:
        return ARCHETYPES[0]
    return rng.choices(ARCHETYPES, [archetype.share for archetype in ARCHETYPES])[0]


def make_plans(size: Size, seed: int) -> list[BusinessPlan]:
    """Distribute the size's rows over its businesses: a few are large, most are small, some are brand new."""
    rng = Random(f"{seed}:plan")  # noqa: S311 - reproducible, not secret
    archetypes = [_archetype(index, rng) for index in range(size.businesses)]
    busy = [0.0 if archetype.is_new else rng.lognormvariate(0, 0.6) for archetype in archetypes]
    least = [0 if archetype.is_new else 12 for archetype in archetypes]
    conversations = apportion(size.conversations, busy, least)
    long_ones = [MARATHON if archetype.is_showcase else 0 for archetype in archetypes]
    messages = apportion(
        size.messages - sum(long_ones), [count * rng.uniform(0.8, 1.3) for count in conversations], [0] * len(busy)
    )
    escalating = [
        count * rng.uniform(0.5, 1.5) if archetype.has_support_numbers else 0.0
        for count, archetype in zip(conversations, archetypes, strict=True)
    ]
    special = [SHOWCASE_OPEN if archetype.is_showcase else 0 for archetype in archetypes]
    open_escalations = apportion(size.open_escalations, escalating, special)
    past_escalations = apportion(size.past_escalations, escalating)
    rows = zip(archetypes, conversations, messages, long_ones, open_escalations, past_escalations, strict=True)
    return [
        BusinessPlan(index, archetype, chats, texts + long_one, waiting, past)
        for index, (archetype, chats, texts, long_one, waiting, past) in enumerate(rows)
    ]
