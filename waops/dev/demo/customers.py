"""The profile that the service keeps of a customer, in an optional table."""

from __future__ import annotations

import json
from random import Random

from waops.dev.demo.conversations import Conversation
from waops.dev.demo.dialogue import Kind
from waops.dev.demo.drawing import array_literal, make_uuid, pick, text_of
from waops.dev.demo.tables import Row

STAGES = ("new", "interested", "customer", "loyal")
INTENTS = ("purchase", "inquiry", "support", "complaint", "comparison")
MOODS = ("neutral", "neutral", "happy", "frustrated", "excited", "confused")
URGENCY = ("normal", "normal", "low", "high", "urgent")
STYLES = ("friendly", "formal", "direct", "detailed")
JOURNEY = ("first_time", "researching", "ready_to_buy", "existing_customer")
TAGS = ("vip", "wholesale", "late-payer", "gift", "follow-up")
SUMMARIES = {
    "ar": "يسأل عن {product} والتوصيل إلى {city}، وطلبه الأخير {order}.",
    "en": "Asks about {product} and delivery to {city}; latest order {order}.",
}


def customer_row(rng: Random, conversation: Conversation) -> Row:
    customer = conversation.customer
    first, last = text_of(conversation.moments[0]), text_of(conversation.moments[-1])
    summary = SUMMARIES[customer.voice.language].format_map(customer.fields)
    return (
        make_uuid(rng),
        conversation.instance.id,
        customer.phone,
        customer.name if rng.random() < 0.8 else None,
        f"customer{rng.randrange(10**6)}@mail.example" if rng.random() < 0.3 else None,
        None,
        pick(rng, STAGES),
        array_literal(rng.sample(TAGS, rng.randint(0, 2))),
        summary,
        json.dumps([summary], ensure_ascii=False),
        json.dumps({"language": customer.voice.language}),
        last,
        first,
        len(conversation.lines),
        sum(line.kind is Kind.ANSWER for line in conversation.lines),
        pick(rng, INTENTS),
        pick(rng, MOODS),
        pick(rng, URGENCY),
        pick(rng, STYLES),
        pick(rng, JOURNEY),
        first,
        last,
        last,
        "[]",
    )
