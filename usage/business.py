"""One business: its period by day, model, personality, number, intent and hour, its customers, its history."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from django.utils import timezone

from usage import overview, reads
from usage.models import QuotaChange, TopUp
from usage.overview import Business, add_costs

Row = TypeVar("Row")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""Start of the period before the first reset that is known."""
CUSTOMERS = 10
INTERACTIONS = 50
HISTORY = 50

DETAIL = """
    SELECT counted.instance_id, counted.day, counted.model, counted.personality, counted.intent,
           sum(counted.replies)::bigint AS replies, sum(counted.untracked)::bigint AS untracked,
           sum(counted.total_tokens)::bigint AS tokens,
           price.currency::text,
           sum(
               counted.prompt_tokens * price.input_per_million
               + counted.completion_tokens * price.output_per_million
           ) / 1000000 AS cost
    FROM public.whatsapp_instances AS instance
    JOIN waops.usage_usagedetail AS counted ON counted.instance_id = instance.id
    LEFT JOIN LATERAL (
        SELECT price.currency, price.input_per_million, price.output_per_million
        FROM waops.usage_price AS price
        WHERE price.model = counted.model AND price.valid_from <= counted.day
        ORDER BY price.valid_from DESC
        LIMIT 1
    ) AS price ON true
    WHERE instance.user_id = %(business)s AND counted.period >= %(start)s AND counted.period < %(end)s
    GROUP BY 1, 2, 3, 4, 5, price.currency
    HAVING sum(counted.replies) <> 0
"""

# One statement for all that is small: each column is a list.
SURROUNDINGS = """
    WITH instance AS (
        SELECT instance.id, instance.instance_name FROM public.whatsapp_instances AS instance
        WHERE instance.user_id = %(business)s
    )
    SELECT
        (SELECT jsonb_object_agg(instance.id, instance.instance_name) FROM instance) AS numbers,
        (
            SELECT jsonb_object_agg(personality.id, personality.name)
            FROM public.ai_personalities AS personality JOIN instance ON instance.id = personality.whatsapp_instance_id
        ) AS personalities,
        (
            SELECT jsonb_object_agg(hour, jsonb_build_array(replies, tokens))
            FROM (
                SELECT counted.hour, sum(counted.replies) AS replies, sum(counted.total_tokens) AS tokens
                FROM waops.usage_usagebyhour AS counted JOIN instance ON instance.id = counted.instance_id
                WHERE counted.period >= %(start)s AND counted.period < %(end)s
                GROUP BY counted.hour
            ) AS hours
        ) AS hours,
        (
            SELECT jsonb_agg(period ORDER BY period.start DESC)
            FROM (
                SELECT counted.period AS start,
                       sum(counted.replies) AS replies, sum(counted.total_tokens) AS tokens
                FROM waops.usage_usagebyperiod AS counted JOIN instance ON instance.id = counted.instance_id
                GROUP BY counted.period
                HAVING sum(counted.replies) <> 0
            ) AS period
        ) AS periods,
        (
            SELECT jsonb_agg(to_jsonb(change) ORDER BY change.id DESC)
            FROM (
                SELECT * FROM waops.usage_quotachange
                WHERE business_id = %(business)s ORDER BY id DESC LIMIT %(history)s
            ) AS change
        ) AS changes,
        (
            SELECT jsonb_agg(to_jsonb(top_up) ORDER BY top_up.expires_at)
            FROM waops.usage_topup AS top_up
            WHERE top_up.business_id = %(business)s AND top_up.outcome = 'active'
        ) AS top_ups
"""

TOP_CUSTOMERS = """
    SELECT answer.user_phone, count(*) AS replies
    FROM public.whatsapp_instances AS instance
    JOIN public.whatsapp_ai_interactions AS answer ON answer.whatsapp_instance_id = instance.id
    WHERE instance.user_id = %(business)s AND answer.created_at >= %(start)s AND answer.created_at < %(end)s
    GROUP BY answer.user_phone
    ORDER BY replies DESC, answer.user_phone
    LIMIT %(limit)s
"""

INTERACTIONS_OF_A_DAY = """
    SELECT answer.id, answer.created_at, answer.user_phone, answer.user_message, answer.ai_response,
           answer.response_model AS model, answer.total_tokens AS tokens
    FROM public.whatsapp_instances AS instance
    JOIN public.whatsapp_ai_interactions AS answer ON answer.whatsapp_instance_id = instance.id
    WHERE instance.user_id = %(business)s
      AND answer.created_at >= %(start)s AND answer.created_at < %(end)s
      AND (%(number)s::uuid IS NULL OR instance.id = %(number)s::uuid)
      AND (
          %(personality)s::text IS NULL
          OR coalesce(answer.metadata ->> 'personality_id', '') = %(personality)s::text
      )
    ORDER BY answer.created_at DESC, answer.id
    LIMIT %(limit)s
"""


@dataclass
class Part:
    """A line of a breakdown. `key` names it in addresses, `name` on the page."""

    key: str
    name: str
    replies: int = 0
    tokens: int = 0
    untracked: int = 0
    unpriced: int = 0
    costs: dict[str, Decimal] = field(default_factory=dict)

    def add(self, row: Mapping[str, Any]) -> None:
        self.replies += row["replies"]
        self.tokens += row["tokens"]
        self.untracked += row["untracked"]
        if row["currency"] is None:
            self.unpriced += row["replies"]
        else:
            self.costs = add_costs([self.costs, {row["currency"]: row["cost"]}])


@dataclass(frozen=True)
class PeriodSummary:
    """A period, over or running: what was answered, and what the counter held at its end or holds (None: unknown)."""

    start: datetime
    end: datetime | None
    replies: int
    tokens: int
    counter: int | None

    @property
    def is_before_the_first_reset(self) -> bool:
        return self.start == EPOCH

    @property
    def difference(self) -> int | None:
        return None if self.counter is None else self.counter - self.replies


@dataclass(frozen=True)
class Narrowed:
    """What the page is narrowed to: one WhatsApp number, one of its personalities, one day."""

    number: UUID | None = None
    personality: str | None = None
    day: date | None = None

    def holds(self, row: Mapping[str, Any]) -> bool:
        return (
            self.number in (None, row["instance_id"])
            and self.personality in (None, row["personality"])
            and self.day in (None, row["day"])
        )


@dataclass(frozen=True)
class Usage:
    """The period of a business by everything that tells its answers apart; each list adds up to `whole`."""

    whole: Part
    days: list[Part]
    models: list[Part]
    personalities: list[Part]
    numbers: list[Part]
    intents: list[Part]


@dataclass(frozen=True)
class BusinessPage:
    """`hours`: replies and tokens of each hour of the day; what they cost is not kept by the hour."""

    business: Business
    start: datetime
    usage: Usage
    hours: list[tuple[int, int]]
    periods: list[PeriodSummary]
    changes: list[QuotaChange]
    top_ups: list[TopUp]
    customers: list[dict[str, Any]]
    interactions: list[dict[str, Any]]
    silence: reads.Silence | None
    personality_names: Mapping[str, str]


def load(business_id: UUID, narrowed: Narrowed, now: datetime | None = None) -> BusinessPage | None:
    """The running period of a business; None if there is no such business."""
    now = now or timezone.now()
    found = overview.load(now, [business_id])
    if not found:
        return None
    business = found[0]
    start = business.last_reset or EPOCH
    # A last reset in the future holds nothing yet; a period is never empty by construction.
    span = {"business": business_id, "start": start, "end": now + timedelta(days=36_500)}
    around = reads.read(SURROUNDINGS, history=HISTORY, **span)[0]
    rows = [row for row in reads.read(DETAIL, **span) if narrowed.holds(row)]
    names = around["personalities"] or {}
    changes = [_from_json(QuotaChange, row) for row in around["changes"] or []]
    is_out = business.is_in(overview.View.OUT)
    return BusinessPage(
        business=business,
        start=start,
        usage=_break_down(rows, around["numbers"] or {}, names),
        hours=[tuple((around["hours"] or {}).get(str(hour), (0, 0))) for hour in range(24)],
        periods=_periods(around["periods"] or [], changes, business),
        changes=changes,
        top_ups=[_from_json(TopUp, row) for row in around["top_ups"] or []],
        customers=[] if narrowed.day else reads.read(TOP_CUSTOMERS, limit=CUSTOMERS, **span),
        interactions=_interactions(business_id, narrowed, start) if narrowed.day else [],
        silence=reads.silence([business_id]).get(business_id) if is_out else None,
        personality_names=names,
    )


def every_day(parts: Iterable[Part], first: date, last: date) -> list[tuple[date, Part]]:
    """With the days that have no reply."""
    by_day = {part.key: part for part in parts}
    days = [first + timedelta(days=age) for age in range((last - first).days + 1)]
    return [(day, by_day.get(str(day)) or Part(str(day), str(day))) for day in days]


def day_bounds(day: date) -> tuple[datetime, datetime]:
    """From midnight to midnight in the configured time zone: 23, 24 or 25 hours."""
    zone = timezone.get_default_timezone()
    start = datetime(day.year, day.month, day.day, tzinfo=zone)
    following = day + timedelta(days=1)
    return start.astimezone(UTC), datetime(following.year, following.month, following.day, tzinfo=zone).astimezone(UTC)


def _interactions(business_id: UUID, narrowed: Narrowed, period: datetime) -> list[dict[str, Any]]:
    assert narrowed.day is not None
    start, end = day_bounds(narrowed.day)
    return reads.read(
        INTERACTIONS_OF_A_DAY,
        business=business_id,
        start=max(start, period),
        end=end,
        number=narrowed.number,
        personality=narrowed.personality,
        limit=INTERACTIONS,
    )


def _break_down(rows: list[dict[str, Any]], numbers: Mapping[str, str], personalities: Mapping[str, str]) -> Usage:
    whole = Part("", "")
    for row in rows:
        whole.add(row)

    def by(key: Callable[[dict[str, Any]], str], names: Mapping[str, str]) -> list[Part]:
        parts: dict[str, Part] = {}
        for row in rows:
            one = key(row)
            if one not in parts:
                parts[one] = Part(one, names.get(one, one))
            parts[one].add(row)
        return sorted(parts.values(), key=lambda part: (-part.replies, part.name))

    days = by(lambda row: str(row["day"]), {})
    return Usage(
        whole=whole,
        days=sorted(days, key=lambda part: part.key),
        models=by(lambda row: str(row["model"]), {}),
        personalities=by(lambda row: str(row["personality"]), personalities),
        numbers=by(lambda row: str(row["instance_id"]), numbers),
        intents=by(lambda row: str(row["intent"]), {}),
    )


def _periods(rows: list[dict[str, Any]], changes: Iterable[QuotaChange], business: Business) -> list[PeriodSummary]:
    """Latest first. The counter at a period's end is what the reset that ended it found."""
    held = {change.new_reset: change.old_used for change in changes if change.counter_fell}
    summaries: list[PeriodSummary] = []
    end: datetime | None = None
    for row in rows:
        start = datetime.fromisoformat(row["start"])
        counter = business.used if end is None and start == (business.last_reset or EPOCH) else held.get(end)
        summaries.append(PeriodSummary(start, end, row["replies"], row["tokens"], counter))
        end = start
    return summaries


def _from_json(model: type[Row], values: dict[str, Any]) -> Row:
    """An instance from the JSON of its row; moments come as text."""
    moments = {name for name in values if name.endswith("_at") or name in ("at", "old_reset", "new_reset")}
    return model(
        **{
            name: datetime.fromisoformat(value) if name in moments and value else value
            for name, value in values.items()
        }
    )
