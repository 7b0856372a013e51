"""The parts of demo data that need no database."""

import uuid
from dataclasses import replace
from random import Random

import pytest

from waops.dev.demo import generator as generators
from waops.dev.demo.catalog import PLANS, Catalog
from waops.dev.demo.content import Voice
from waops.dev.demo.dialogue import Dialogue, Kind, Line, place_in_time
from waops.dev.demo.drawing import HOUR, MINUTE, apportion, array_literal, make_uuid, text_of
from waops.dev.demo.escalations import REASONS
from waops.dev.demo.generator import Generator, encoded_batches
from waops.dev.demo.people import COUNTRIES, make_customer
from waops.dev.demo.plan import make_plans
from waops.dev.demo.scenarios import Scenario, tell
from waops.dev.demo.sectors import SECTORS
from waops.dev.demo.sizes import SIZES
from waops.dev.demo.tables import MESSAGES, TABLES
from waops.dev.demo.voices import VOICES
from waops.dev.demo.writer import encode

NOW = 1_774_018_800_000
CATALOG = Catalog(
    columns={table: table.columns for table in TABLES},
    reasons=REASONS,
    refused_reasons=(),
    plans=PLANS,
    duplicate_messages=True,
    two_open_escalations=True,
    message_triggers=(),
)


def make_dialogue(seed: int = 1, voice: Voice | None = None) -> Dialogue:
    rng = Random(seed)
    customer = make_customer(rng, "201012345678", COUNTRIES[0], SECTORS[0], "Nour", "ar")
    return Dialogue(rng, replace(customer, voice=voice) if voice else customer, "transferred", "please wait")


def templates(voice: Voice) -> list[str]:
    spoken = (*voice.human_requests, *voice.waiting, *voice.add_ons, *voice.long_question, *voice.long_answer)
    exchanges = (*voice.openings, *voice.exchanges, *voice.closings)
    return [*spoken, *(text for exchange in exchanges for text in (*exchange.questions, *exchange.answers))]


@pytest.mark.parametrize("name", VOICES)
def test_every_template_can_be_filled(name: str):
    fields = make_dialogue().fields
    assert all("{" not in template.format_map(fields) for template in templates(VOICES[name]))


@pytest.mark.parametrize("name", VOICES)
def test_long_texts_are_over_2000_characters(name: str):
    fields = make_dialogue().fields
    for paragraphs in (VOICES[name].long_question, VOICES[name].long_answer):
        assert len("\n".join(paragraphs).format_map(fields)) > 2_000


@pytest.mark.parametrize("scenario", Scenario)
@pytest.mark.parametrize("extra", [0, 1, 2, 7, 30])
def test_a_scenario_is_told_in_exactly_as_many_messages(scenario: Scenario, extra: int):
    for seed in range(20):
        dialogue = make_dialogue(seed)
        tell(dialogue, scenario, scenario.least + extra, HOUR)
        assert len(dialogue.lines) == scenario.least + extra


@pytest.mark.parametrize("room", [MINUTE, 400 * HOUR])
def test_lines_are_placed_in_order_around_the_anchor_and_before_now(room: int):
    lines = [Line(Kind.QUESTION, "", gap) for gap in (0, 5_000, 90_000, 2 * HOUR, 3_000)]

    moments = place_in_time(lines, 2, NOW - room, NOW)

    assert moments[2] == NOW - room
    assert moments == sorted(set(moments))
    assert moments[-1] < NOW
    assert moments[1] - moments[0] == 5_000


@pytest.mark.parametrize(
    ("total", "weights", "minimums", "expected"),
    [
        (10, [1, 1, 1], None, [4, 3, 3]),
        (10, [0, 1], None, [0, 10]),
        (10, [1, 3], [4, 2], [5, 5]),
        (3, [1, 1], [2, 2], [2, 2]),
        (5, [], None, []),
        (5, [0, 0], None, [0, 0]),
    ],
)
def test_apportion_is_exact(total, weights, minimums, expected):
    assert apportion(total, weights, minimums) == expected


def test_uuids_are_those_of_the_standard_library():
    expected = uuid.UUID(int=Random(5).getrandbits(128), version=4)
    assert make_uuid(Random(5)) == str(expected)


def test_moments_are_iso_8601_in_utc():
    assert text_of(NOW + 7) == "2026-03-20T15:00:00.007+00:00"


def test_values_are_escaped_for_copy():
    assert [encode(value) for value in (None, True, 3, "a\tb\nc\\d", "\\N")] == [
        "\\N",
        "True",
        "3",
        "a\\tb\\nc\\\\d",
        "\\\\N",
    ]


def test_array_literals_are_quoted():
    assert array_literal(["a b", 'c"d', "e\\f"]) == '{"a b","c\\"d","e\\\\f"}'


def test_another_process_makes_the_same_batches(monkeypatch):
    generator = Generator(SIZES["small"], 1, NOW, CATALOG)
    plans = make_plans(SIZES["small"], 1)
    monkeypatch.setattr(generators, "BUSINESSES_PER_BATCH", 3)
    here = list(encoded_batches(generator, plans))
    monkeypatch.setattr(generators, "BATCHES_WORTH_A_PROCESS", 1)

    assert list(encoded_batches(generator, plans)) == here
    assert sum(batch[MESSAGES].number for batch in here) == 3_000


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_plans_add_up(size):
    plans = make_plans(size, 2026)
    assert len(plans) == size.businesses
    assert sum(plan.conversations for plan in plans) == size.conversations
    assert sum(plan.messages for plan in plans) == size.messages
    assert sum(plan.open_escalations for plan in plans) == size.open_escalations
    assert sum(plan.past_escalations for plan in plans) == size.past_escalations
