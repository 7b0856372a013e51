"""Conversations and their messages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from waops.dev.demo.businesses import Business, Instance
from waops.dev.demo.dialogue import Dialogue, Episode, Kind, Line
from waops.dev.demo.drawing import DAY, SECOND, apportion, make_uuid, text_of
from waops.dev.demo.people import Customer, customer_id, make_customer
from waops.dev.demo.scenarios import Scenario, date, tell
from waops.dev.demo.tables import Row

CHARACTERS_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Conversation:
    """`moments`: the times of the lines, in ms since the epoch."""

    id: str
    instance: Instance
    customer: Customer
    scenario: Scenario
    lines: list[Line]
    moments: list[int]
    episodes: list[Episode]

    def answers(self) -> Iterator[tuple[Line, Line, int]]:
        """Each AI reply with its question and its time."""
        for place, line in enumerate(self.lines):
            if line.kind is Kind.ANSWER:
                yield self.lines[place - 1], line, self.moments[place]


def _phones(rng: Random, business: Business, regular: str | None) -> Iterator[str]:
    """An endless supply of distinct customer ids; `regular`, a customer of several businesses, comes first."""
    seen = set()
    if regular is not None:
        seen.add(regular)
        yield regular
    while True:
        phone = customer_id(rng, business.country)
        if phone not in seen:
            seen.add(phone)
            yield phone


def make_conversations(
    rng: Random, business: Business, scenarios: list[Scenario], messages: int, now: int, regular: str | None
) -> Iterator[Conversation]:
    """One conversation per scenario, with `messages` messages in total."""
    marathon = Scenario.MARATHON.least if Scenario.MARATHON in scenarios else 0
    weights = [0.0 if scenario is Scenario.MARATHON else rng.lognormvariate(0, 0.8) for scenario in scenarios]
    counts = apportion(max(messages, marathon), weights, [scenario.least for scenario in scenarios])
    phones = _phones(rng, business, regular)
    for scenario, count, phone in zip(scenarios, counts, phones, strict=False):
        instance = rng.choice(business.instances)
        customer = make_customer(rng, phone, business.country, business.sector, business.name, business.language)
        dialogue = Dialogue(rng, customer, instance.handover_text, instance.hold_text)
        written = count - 1 if scenario is Scenario.DELIVERED_TWICE else count
        tell(dialogue, scenario, written, business.quiet)
        moments = date(dialogue, scenario, now, business.quiet)
        yield Conversation(make_uuid(rng), instance, customer, scenario, dialogue.lines, moments, dialogue.episodes)


def _status(rng: Random, idle: int) -> str:
    """The service's clean-up makes conversations inactive after a day or so, and closes some."""
    if idle < DAY:
        return "active"
    if idle < 30 * DAY:
        return "inactive" if rng.random() < 0.85 else "active"
    return "closed" if rng.random() < 0.6 else "inactive"


def conversation_row(rng: Random, conversation: Conversation, now: int) -> Row:
    first, last = conversation.moments[0], conversation.moments[-1]
    data: str | None = "{}"
    chance = rng.random()
    if chance < 0.9:
        context = {
            "last_update": text_of(last),
            "message_count": len(conversation.lines),
            "last_message_role": conversation.lines[-1].role,
        }
        customer = conversation.customer
        data = json.dumps(
            {"context": context, "customer_name": customer.name, "language": customer.voice.language},
            ensure_ascii=False,
        )
    elif chance < 0.93:
        data = None
    return (
        conversation.id,
        conversation.instance.id,
        conversation.customer.phone,
        text_of(first),
        text_of(last),
        _status(rng, now - last),
        data,
    )


def _message_id(rng: Random, kind: Kind, moment: int) -> str | None:
    if kind is Kind.HOLD:
        return f"escalated_{moment}"
    if kind is Kind.HANDOVER:
        return f"escalation_{moment}"
    if rng.random() < 0.03:
        return None
    return f"3EB0{rng.getrandbits(72):018X}"


def message_rows(rng: Random, conversation: Conversation) -> list[Row]:
    """One row per line; if a webhook was delivered twice, the last question appears twice with the same message id."""
    rows: list[Row] = []
    for line, moment in zip(conversation.lines, conversation.moments, strict=True):
        at = text_of(moment)
        tokens = -(-len(line.content) // CHARACTERS_PER_TOKEN)
        rows.append(
            (
                make_uuid(rng),
                conversation.id,
                at,
                line.role,
                line.content,
                _message_id(rng, line.kind, moment),
                f'{{"estimated_tokens": {tokens}, "timestamp": "{at}"}}',
            )
        )
    if conversation.scenario is Scenario.DELIVERED_TWICE:
        rows.append(_delivered_again(rng, conversation, rows))
    return rows


def _delivered_again(rng: Random, conversation: Conversation, rows: list[Row]) -> Row:
    place = max(place for place, line in enumerate(conversation.lines) if line.kind is Kind.QUESTION)
    _, conversation_id, _, role, content, message_id, metadata = rows[place]
    if message_id is None:
        message_id = f"3EB0{rng.getrandbits(72):018X}"
        rows[place] = (*rows[place][:5], message_id, metadata)
    at = text_of(conversation.moments[place] + 2 * SECOND)
    return make_uuid(rng), conversation_id, at, role, content, message_id, metadata
