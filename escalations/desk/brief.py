"""The first lines of an escalation, built from what its page reads: who it is, what they want, what the AI
told them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from conversations.models import CustomerProfile
from escalations.annotations import AnnotatedEscalation
from escalations.context import Insight, KeptContext
from escalations.detail import Talk

MOST_WORDS = 200
"""Characters of a message that are quoted."""


class Written(Protocol):
    @property
    def role(self) -> str: ...

    @property
    def content(self) -> str: ...


@dataclass(frozen=True)
class Brief:
    """`insights` are what the AI detected; `question` and `answer` the last messages of the customer and the
    AI before the escalation; `earlier` counts the customer's other escalations.
    """

    stage: str = ""
    since: datetime | None = None
    earlier: int = 0
    insights: tuple[str, ...] = ()
    question: str = ""
    answer: str = ""

    def __bool__(self) -> bool:
        return self != Brief()


def brief_of(
    escalation: AnnotatedEscalation,
    *,
    kept: KeptContext,
    talk: Talk,
    customer: CustomerProfile | None,
    insights: Iterable[Insight],
    earlier: Sequence[AnnotatedEscalation],
) -> Brief:
    """What the AI passed on is the best source; without it, the conversation up to the escalation is used."""
    before: list[Written] = list(kept.messages) or [
        message
        for message in reversed(talk.messages)
        if not (message.is_hold_text or message.is_reply)
        and escalation.waiting_since
        and message.timestamp <= escalation.waiting_since
    ]
    return Brief(
        stage=(customer and customer.customer_stage) or "",
        since=customer.first_interaction if customer else None,
        earlier=len(earlier),
        insights=tuple(one.value for one in insights if one.is_topic),
        question=_last(before, "user"),
        answer=_last(before, "assistant"),
    )


def _last(messages: Iterable[Written], role: str) -> str:
    return next((message.content for message in reversed(list(messages)) if message.role == role), "")[:MOST_WORDS]
