"""Write one conversation line by line, without dates: who says what, and how long after the previous line."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import NamedTuple

from waops.dev.demo.content import Exchange
from waops.dev.demo.drawing import DAY, HOUR, MINUTE, SECOND, log_uniform, pick
from waops.dev.demo.people import Customer

JOINED = 0.15
"""Share of customers' messages that are several messages joined."""
LONG = 0.003
NEW_SESSION = 0.12
"""Chance that an exchange starts on a later day than the previous one."""


class Kind(Enum):
    """How the service sees a line; decides its message id."""

    QUESTION = "question"
    ANSWER = "answer"
    HANDOVER = "handover"
    HOLD = "hold"


class Ending(Enum):
    """How an escalation ended."""

    OPEN = "open"
    RESOLVED = "resolved"
    MISSED = "missed"


class Line(NamedTuple):
    """One message. `gap`: milliseconds since the previous line. `intent` is set for AI replies."""

    kind: Kind
    content: str
    gap: int
    intent: str = ""

    @property
    def role(self) -> str:
        return "user" if self.kind is Kind.QUESTION else "assistant"


@dataclass(frozen=True, slots=True)
class Episode:
    """An escalation: the positions of its first text ("transferred") and its last hold text, and how it ended."""

    handover: int
    last: int
    ending: Ending


class Dialogue:
    """Collects the `lines` of one customer's conversation with a business, and the `episodes` in which it was
    escalated."""

    def __init__(self, rng: Random, customer: Customer, handover_text: str, hold_text: str) -> None:
        self.rng = rng
        self.voice = customer.voice
        self.fields = customer.fields
        self.handover_text = handover_text
        self.hold_text = hold_text
        self.lines: list[Line] = []
        self.episodes: list[Episode] = []

    def _say(self, kind: Kind, template: str, gap: float, intent: str = "") -> None:
        self.lines.append(Line(kind, template.format_map(self.fields), int(gap), intent))

    def _thinking(self) -> float:
        return (15 + 240 * self.rng.random() ** 3) * SECOND

    def _ask(self, pool: tuple[str, ...], gap: float) -> None:
        template = pick(self.rng, pool)
        chance = self.rng.random()
        if chance < LONG:
            template = "\n\n".join(self.voice.long_question)
        elif chance < LONG + JOINED:
            template = "\n".join([template, *self.rng.sample(self.voice.add_ons, 1 + (chance < JOINED / 3))])
        self._say(Kind.QUESTION, template, gap)

    def _answer(self, exchange: Exchange) -> None:
        self._say(Kind.ANSWER, pick(self.rng, exchange.answers), (3 + 15 * self.rng.random()) * SECOND, exchange.intent)

    def _exchange(self, left: int) -> Exchange:
        if left == 2 and len(self.lines) > 2:
            return pick(self.rng, self.voice.closings)
        return pick(self.rng, self.voice.exchanges)

    def chat(self, count: int) -> None:
        """Add `count` messages, questions and answers in turn, over one or several days. If `count` is odd, the first
        question gets no answer."""
        rng = self.rng
        if count % 2:
            self._ask(self.voice.openings[0].questions, self._thinking() if self.lines else 0)
        for left in range(count - count % 2, 0, -2):
            gap = self._thinking()
            starts = not self.lines
            if rng.random() < NEW_SESSION and not starts:
                gap = (6 + 130 * rng.random()) * HOUR
                starts = True
            exchange = pick(rng, self.voice.openings) if starts and rng.random() < 0.5 else self._exchange(left)
            self._ask(exchange.questions, gap)
            self._answer(exchange)

    def hand_over(self, holds: int, ending: Ending) -> None:
        """Escalate: 2 messages, and 2 more each time the customer asks again and gets the hold text."""
        rng = self.rng
        self._ask(self.voice.human_requests, self._thinking())
        self._say(Kind.HANDOVER, self.handover_text, (2 + 4 * rng.random()) * SECOND)
        handover = len(self.lines) - 1
        for _ in range(holds):
            self._say(Kind.QUESTION, pick(rng, self.voice.waiting), log_uniform(rng, MINUTE, 5 * HOUR))
            self._say(Kind.HOLD, self.hold_text, (1 + 2 * rng.random()) * SECOND)
        self.episodes.append(Episode(handover, len(self.lines) - 1, ending))

    def come_back(self, count: int) -> None:
        """Add `count` messages on a later day, after a person has answered."""
        start = len(self.lines)
        self.chat(count)
        if len(self.lines) > start:
            self.lines[start] = self.lines[start]._replace(gap=int((8 + 90 * self.rng.random()) * HOUR))

    def ask_in_vain(self, count: int, silence: int) -> None:
        """Add `count` questions without a reply, the first one `silence` ms after the last reply."""
        for number in range(count):
            pool = self.voice.waiting if number else pick(self.rng, self.voice.exchanges).questions
            self._ask(pool, log_uniform(self.rng, MINUTE, 2 * HOUR) if number else silence)

    def lengthen_first_answer(self) -> None:
        """Replace the first AI reply with the longest text available."""
        for place, line in enumerate(self.lines):
            if line.kind is Kind.ANSWER:
                text = "\n".join(self.voice.long_answer).format_map(self.fields)
                self.lines[place] = line._replace(content=text)
                return


def place_in_time(lines: list[Line], anchor: int, moment: int, now: int) -> list[int]:
    """Times of the lines (ms since the epoch): line `anchor` is at `moment`, and none is after `now`.

    The gaps after the anchor are shortened if they do not fit.
    """
    gaps = [line.gap for line in lines]
    after = sum(gaps[anchor + 1 :])
    room = int((now - moment) * 0.9)
    squeeze = min(1.0, room / after) if after else 1.0
    moments = []
    at = moment - sum(gaps[1 : anchor + 1])
    for place, gap in enumerate(gaps):
        if place:
            at += gap if place <= anchor else max(1, int(gap * squeeze))
        moments.append(at)
    return moments


def waking_hour(rng: Random, now: int, days: float) -> int:
    """A time about `days` ago, between 07:00 and 22:00 UTC and before `now`."""
    day = int(now - days * DAY) // DAY * DAY
    return min(now - MINUTE, day + int((7 + 15 * rng.triangular(0, 1, 0.6)) * HOUR))
