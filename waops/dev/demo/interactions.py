"""What the service records about each AI reply."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random

from waops.dev.demo.businesses import MODELS
from waops.dev.demo.conversations import CHARACTERS_PER_TOKEN, Conversation
from waops.dev.demo.drawing import make_uuid, pick, text_of
from waops.dev.demo.tables import Row

EMOTIONS = ("neutral", "neutral", "neutral", "satisfied", "frustrated", "angry", "confused", "excited", "anxious")
URGENCY = ("low", "normal", "normal", "normal", "high", "urgent")
STAGES = ("discovery", "consideration", "purchase", "onboarding", "retention", "support")
MISSING = 0.06
"""How often each key of the metadata is missing."""


def _metadata(rng: Random, conversation: Conversation, intent: str) -> str:
    personalities = conversation.instance.personalities
    personality = next((one for one in personalities if intent in one.intents), personalities[-1])
    values: dict[str, object] = {
        "personality_id": personality.id,
        "personality_name": personality.name,
        "detected_intent": intent,
        "intent_confidence": int(55 + 44 * rng.random()) / 100,
        "emotion_analysis": {"primary_emotion": pick(rng, EMOTIONS), "urgency_detected": pick(rng, URGENCY)},
        "customer_journey": {"current_stage": pick(rng, STAGES)},
        "product_interest": conversation.customer.fields["product"] if intent == "sales" else None,
        "conversation_id": conversation.id,
    }
    kept = {key: value for key, value in values.items() if value is not None and rng.random() > MISSING}
    return json.dumps(kept, ensure_ascii=False)


def interaction_rows(rng: Random, conversation: Conversation, recorded: float) -> Iterator[Row]:
    """One row per AI reply, for the share `recorded` of them."""
    for question, answer, moment in conversation.answers():
        if rng.random() >= recorded:
            continue
        context = 350 + int(900 * rng.random())
        prompt = context + len(question.content) // CHARACTERS_PER_TOKEN + 180
        completion = -(-len(answer.content) // CHARACTERS_PER_TOKEN)
        counted = rng.random() > MISSING
        at = text_of(moment)
        yield (
            make_uuid(rng),
            conversation.instance.id,
            question.content,
            conversation.customer.phone,
            answer.content,
            context if counted else None,
            int(6 * rng.random()) if rng.random() > MISSING else None,
            pick(rng, MODELS) if rng.random() > MISSING else None,
            prompt if counted else None,
            completion if counted else None,
            prompt + completion if counted else None,
            at,
            at,
            _metadata(rng, conversation, answer.intent) if rng.random() > 0.02 else "{}",
        )
