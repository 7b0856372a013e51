"""Totals by day, model, number, personality, intent and hour are the whole, whatever was answered, whenever."""

from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conversations.models import AIInteraction
from tests import factories, quick
from usage import business, quota, rollup
from usage.business import Narrowed
from usage.models import Price

CAIRO = ZoneInfo("Africa/Cairo")
NOW = datetime(2026, 11, 10, 12, tzinfo=CAIRO)
START = datetime(2026, 4, 1, tzinfo=CAIRO)
"""Between them the clocks go forward, on 24 April, and back, on 29 October."""
MODELS = ("priced", "repriced", "in euros", "unknown", None)

answers = st.lists(
    st.fixed_dictionaries(
        {
            "number": st.integers(0, 1),
            "minute": st.integers(0, (NOW - START) // timedelta(minutes=1)),
            "response_model": st.sampled_from(MODELS),
            "prompt_tokens": st.one_of(st.none(), st.integers(0, 100_000)),
            "completion_tokens": st.one_of(st.none(), st.integers(0, 5_000)),
            "total_tokens": st.one_of(st.none(), st.integers(0, 200_000)),
            "metadata": st.sampled_from([{}, {"personality_id": "p"}, {"detected_intent": "sales"}, None]),
        }
    ),
    max_size=30,
)


@pytest.fixture
def prices(db) -> None:
    for model, day, prompt, completion, currency in (
        ("priced", "2020-01-01", "0.4", "1.6", "USD"),
        ("repriced", "2026-04-24", "2", "8", "USD"),
        ("repriced", "2026-10-29", "0.0001", "0.5", "USD"),
        ("in euros", "2026-06-01", "3", "9", "EUR"),
    ):
        values = {"input_per_million": prompt, "output_per_million": completion, "currency": currency}
        Price.objects.create(model=model, valid_from=day, **values)


@given(answers=answers)
@settings(max_examples=quick.examples(30), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_totals_by_everything_are_the_whole(prices, answers) -> None:
    one = factories.business(last_responses_reset_date=START)
    chats = [factories.conversation(factories.instance(one)) for _ in range(2)]
    rows = [
        AIInteraction(
            instance_id=chats[values.pop("number")].instance_id,
            user_phone="201000000000",
            user_message="",
            ai_response="",
            created_at=moment,
            updated_at=moment,
            **values,
        )
        for values in map(dict, answers)
        for moment in [START + timedelta(minutes=values.pop("minute"))]
    ]
    AIInteraction.objects.bulk_create(rows)
    rollup.refresh()

    page = business.load(one.pk, Narrowed(with_hours=True), NOW)
    whole = page.usage.whole
    assert whole.replies == len(answers) == page.business.replies
    assert whole.costs == page.business.costs == expected_costs(rows)
    assert (whole.tokens, whole.unpriced) == (page.business.tokens, page.business.unpriced)
    usage = page.usage
    lists = (usage.days, usage.models, usage.personalities, usage.numbers, usage.intents, page.costly_hours, page.days)
    for parts in lists:
        for measure in ("replies", "tokens", "untracked", "unpriced"):
            assert sum(getattr(part, measure) for part in parts) == getattr(whole, measure)
        assert quota.add_costs(part.costs for part in parts) == whole.costs
    assert [(part.replies, part.tokens) for part in page.costly_hours] == page.hours
    for part in usage.days:
        day = business.load(one.pk, Narrowed(day=datetime.fromisoformat(part.key).date()), NOW)
        assert day.usage.whole.replies == part.replies == len(day.replies)
        assert quota.add_costs(hour.costs for hour in day.costly_hours) == part.costs


def expected_costs(rows: list[AIInteraction]) -> dict[str, Decimal]:
    """Answer by answer, by the price of its day in Cairo."""
    prices = list(Price.objects.order_by("valid_from"))
    costs: dict[str, Decimal] = {}
    for row in rows:
        day = row.created_at.astimezone(CAIRO).date()
        valid = [price for price in prices if price.model == row.response_model and price.valid_from <= day]
        if valid:
            price = valid[-1]
            amount = (row.prompt_tokens or 0) * price.input_per_million
            amount += (row.completion_tokens or 0) * price.output_per_million
            costs[price.currency] = costs.get(price.currency, Decimal()) + amount / 1_000_000
    return dict(sorted(costs.items()))
