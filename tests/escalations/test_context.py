"""Reasons and the service's JSON, in words."""

from datetime import UTC, datetime

import pytest
from django.utils import translation

from escalations.context import KeptContext, KeptMessage, read_context, read_insights
from escalations.models import reason_in_words
from tests import wording
from waops.database.long_text import LONGEST

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("user_request", wording.ASKED_FOR_A_PERSON),
        ("vip_customer", "vip_customer"),
        (None, wording.NO_REASON),
        ("", wording.NO_REASON),
    ],
)
def test_a_reason_has_a_label_and_an_unknown_one_is_unchanged(reason, words) -> None:
    with translation.override("en"):
        assert reason_in_words(reason) == words


def test_the_context_is_read_as_messages() -> None:
    read = read_context(
        '[{"role": "user", "content": "مرحبا", "timestamp": "2026-11-24T12:00:00Z"},'
        ' {"role": "assistant", "content": "hi", "timestamp": 1795521600000}, {"content": "no time"}]'
    )
    assert read == KeptContext(
        messages=(
            KeptMessage("user", "مرحبا", NOW),
            KeptMessage("assistant", "hi", NOW),
            KeptMessage("", "no time", None),
        )
    )


def test_a_context_encoded_twice_is_read_too() -> None:
    assert read_context('"[{\\"role\\": \\"user\\", \\"content\\": \\"x\\"}]"').messages[0].content == "x"


@pytest.mark.parametrize("text", [None, "", "null", "[]", "{}", '""', "0"])
def test_nothing_kept_is_nothing(text) -> None:
    assert read_context(text) == KeptContext()


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1}',
        '"just text"',
        "[1, 2]",
        '[{"content": 5}]',
        '[{"content": "x"}, null]',
        "true",
        "[" * 50_000 + "]" * 50_000,
        '[{"content": "cut off',
    ],
)
def test_any_other_shape_is_shown_as_text(text) -> None:
    read = read_context(text)
    assert read.messages == ()
    assert read.text
    assert len(read.text) <= LONGEST + 2


@pytest.mark.parametrize(
    "time", ['"0001-01-01T00:00:00Z"', '"9999-12-31T23:59:59Z"', "1e300", "-1", "true", "{}", '"yesterday"', "null"]
)
def test_a_time_that_no_message_can_have_is_none(time) -> None:
    assert read_context(f'[{{"content": "x", "timestamp": {time}}}]').messages[0].timestamp is None


def test_metadata_is_read_key_by_key() -> None:
    with translation.override("en"):
        insights = read_insights(
            '{"detected_intent": "billing", "intent_confidence": 0.935, "product_interest": ["عباية", "Scarf"],'
            ' "emotion_analysis": {"primary_emotion": "angry", "urgency_detected": true},'
            ' "customer_journey": {"current_stage": "something new"}}'
        )
        assert [(str(insight.label), insight.value) for insight in insights] == [
            ("Intent", "Billing"),
            ("Confidence", "94 %"),
            ("Emotion", "Angry"),
            ("Urgency", "Urgent"),
            ("Stage", "something new"),
            ("Interested in", "عباية, Scarf"),
        ]


@pytest.mark.parametrize(
    "text",
    [
        None,
        "null",
        "[]",
        '"x"',
        "{}",
        '{"detected_intent": 5, "intent_confidence": "high", "emotion_analysis": "angry", "customer_journey": []}',
        '{"intent_confidence": 7, "emotion_analysis": {"primary_emotion": {}, "urgency_detected": false}}',
        '{"intent_confidence": true, "product_interest": [1]}',
        '{"a": ' * 50_000 + "1" + "}" * 50_000,
    ],
)
def test_metadata_of_any_other_shape_is_left_out(text) -> None:
    assert read_insights(text) == []
