"""Businesses: account, profile with its quota, WhatsApp numbers, AI settings and personalities, support numbers."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from random import Random

from waops.dev.demo.drawing import DAY, HOUR, MINUTE, array_literal, make_uuid, text_of
from waops.dev.demo.people import COUNTRIES, Country, full_name, phone_number
from waops.dev.demo.plan import Archetype, BusinessPlan, Quota
from waops.dev.demo.quotas import quota
from waops.dev.demo.sectors import SECTORS, Sector
from waops.dev.demo.tables import Row

HANDOVER_TEXTS = {
    "ar": "تم تحويل محادثتك إلى فريق الدعم. سيتواصل معك أحد ممثلينا قريباً.",
    "en": "Your conversation has been transferred to our support team. Somebody will be with you shortly.",
}
HOLD_TEXTS = {
    "ar": "محادثتك قيد المراجعة من فريق الدعم. سنتواصل معك قريباً.",
    "en": "Our support team is looking at your conversation. We will get back to you soon.",
}
KEYWORDS = {"ar": ("موظف", "خدمة العملاء", "مدير", "شكوى"), "en": ("agent", "human", "manager", "complaint")}
PERSONALITIES = {
    "ar": (
        ("مستشار المبيعات", ("sales",)),
        ("الدعم الفني", ("technical",)),
        ("خدمة العملاء", ("customer-support", "general")),
    ),
    "en": (
        ("Sales advisor", ("sales",)),
        ("Technical support", ("technical",)),
        ("Customer care", ("customer-support", "general")),
    ),
}
MODELS = ("gpt-4.1-mini", "gpt-4.1", "gpt-4o-mini", "gemini-2.0-flash")


@dataclass(frozen=True, slots=True)
class Personality:
    id: str
    name: str
    intents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Instance:
    """A WhatsApp number, and the texts its customers get when they are escalated and while they wait."""

    id: str
    name: str
    status: str
    handover_text: str
    hold_text: str
    personalities: tuple[Personality, ...]


@dataclass(frozen=True, slots=True)
class Business:
    """`quiet`: for how many milliseconds its AI has sent no replies. `last_reset`: of its quota, in ms."""

    id: str
    slug: str
    name: str
    language: str
    archetype: Archetype
    sector: Sector
    country: Country
    instances: tuple[Instance, ...]
    last_reset: int
    quiet: int


def _last_reset(rng: Random, quota: Quota, now: int) -> int:
    """Such that the next reset, 30 days later, is ahead or overdue."""
    if quota is Quota.RESET_OVERDUE:
        return now - rng.randint(33, 50) * DAY
    return now - 18 * DAY - int(7 * DAY * rng.random())


def _quiet(rng: Random, archetype: Archetype) -> int:
    if archetype.quota is Quota.DISABLED:
        return rng.randint(20, 60) * HOUR
    if archetype.quota in (Quota.USED_UP, Quota.OVER):
        return rng.randint(30, 180) * MINUTE
    return rng.randint(2, 9) * HOUR if archetype.statuses == ("Disconnected",) else 0


def make_business(rng: Random, plan: BusinessPlan, now: int) -> Business:
    sector = SECTORS[plan.index % len(SECTORS)]
    archetype = plan.archetype
    language = archetype.language or ("ar" if rng.random() < 0.75 else "en")
    arabic, english = sector.brands[plan.index // len(SECTORS) % len(sector.brands)]
    slug = f"{re.sub('[^A-Za-z]', '', english)}{plan.index + 1}x{rng.randrange(10_000):04d}"
    country = COUNTRIES[0] if rng.random() < 0.5 else rng.choice(COUNTRIES)
    instances = []
    for number, status in enumerate(archetype.statuses):
        personalities = tuple(Personality(make_uuid(rng), name, intents) for name, intents in PERSONALITIES[language])
        instances.append(
            Instance(
                make_uuid(rng),
                f"{slug}n{number + 1}",
                status,
                HANDOVER_TEXTS[language],
                HOLD_TEXTS[language],
                () if archetype.is_new else personalities,
            )
        )
    return Business(
        id=make_uuid(rng),
        slug=slug,
        name=arabic if language == "ar" else english,
        language=language,
        archetype=archetype,
        sector=sector,
        country=country,
        instances=tuple(instances),
        last_reset=_last_reset(rng, archetype.quota, now),
        quiet=_quiet(rng, archetype),
    )


def account_row(business: Business, created: int) -> Row:
    return business.id, f"owner@{business.slug.lower()}.example", text_of(created)


def profile_row(rng: Random, business: Business, plans: tuple[str, ...], answers: int, created: int, now: int) -> Row:
    """The business's profile. `answers`: AI replies since the last reset. `created`: in ms, before the first
    conversation.
    """
    limit, used = quota(rng, business.archetype.quota, answers)
    disabled = business.archetype.quota is Quota.DISABLED
    anonymous = business.archetype.is_anonymous
    yearly = not disabled and rng.random() < 0.3
    end = now - business.quiet if disabled else now + rng.randint(2, 300 if yearly else 29) * DAY
    tier = sum(limit > bound for bound in (150, 750, 5_000))
    return (
        business.id,
        text_of(created),
        text_of(now - rng.randrange(DAY)),
        None if anonymous else full_name(rng, business.language),
        None if anonymous else business.name,
        not disabled,
        50,
        max(1, len(business.instances)),
        limit,
        used,
        None if anonymous else text_of(business.last_reset),
        5,
        rng.randint(0, 5),
        text_of(business.last_reset),
        None if anonymous else rng.random() < 0.9,
        text_of(max(created, end - (365 if yearly else 30) * DAY)),
        text_of(end),
        plans[min(tier, len(plans) - 1)],
        "Yearly" if yearly else "Monthly",
        round(rng.uniform(0, 45), 2),
    )


def instance_rows(rng: Random, business: Business, created: int, now: int) -> list[Row]:
    keywords = array_literal(KEYWORDS[business.language])
    rows: list[Row] = []
    for instance in business.instances:
        connected = instance.status.lower() == "connected"
        custom = rng.random() < 0.2
        rows.append(
            (
                instance.id,
                business.id,
                instance.name,
                instance.status,
                None if instance.status == "Created" else text_of(now - (HOUR if connected else business.quiet or DAY)),
                text_of(created),
                text_of(now - rng.randrange(DAY)),
                rng.random() < 0.3,
                not business.archetype.is_new,
                instance.handover_text,
                instance.hold_text,
                keywords if rng.random() < 0.6 else None,
                rng.random() < 0.9,
                rng.random() < 0.8,
                custom,
                ("حوّل العميل إذا طلب استرداد مبلغ" if business.language == "ar" else "Escalate refunds")
                if custom
                else None,
                rng.choice((2, 3, 5)),
            )
        )
    return rows


def _system_prompt(business: Business) -> str:
    trade = business.sector.trade[0 if business.language == "ar" else 1]
    if business.language == "ar":
        return f"أنت مساعد «{business.name}»، {trade}. أجب بلباقة وإيجاز، ولا تعد بما لا تعرفه."
    return (
        f"You are the assistant of {business.name}, {trade}. Be friendly and brief; never promise what you do not know."
    )


def personality_rows(rng: Random, business: Business, created: int) -> list[Row]:
    return [
        (
            personality.id,
            instance.id,
            business.id,
            personality.name,
            f"{personality.name} – {business.name}",
            _system_prompt(business),
            round(rng.uniform(0.3, 0.9), 2),
            rng.choice(MODELS),
            json.dumps(personality.intents),
            True,
            place == 0,
            place + 1,
            rng.randint(0, 400),
            business.language,
            text_of(created),
            text_of(created),
        )
        for instance in business.instances
        for place, personality in enumerate(instance.personalities)
    ]


def ai_config_rows(rng: Random, business: Business, created: int) -> list[Row]:
    """One row per number with personalities; a brand-new number has no AI settings yet."""
    active = business.archetype.quota is not Quota.DISABLED
    return [
        (
            make_uuid(rng),
            business.id,
            instance.id,
            _system_prompt(business),
            active,
            round(rng.uniform(0.4, 1.0), 1),
            text_of(created),
            text_of(created),
            business.language,
            True,
            instance.personalities[-1].id,
            True,
            0.7,
            rng.randint(0, 900),
            round(rng.uniform(0.6, 0.98), 4),
        )
        for instance in business.instances
        if instance.personalities
    ]


def support_number_rows(rng: Random, business: Business, created: int) -> list[Row]:
    """Two support numbers per WhatsApp number; none is active at a business that misses escalations."""
    return [
        (
            make_uuid(rng),
            business.id,
            phone_number(rng, business.country),
            business.archetype.has_support_numbers,
            text_of(created),
            text_of(created),
            instance.id,
        )
        for instance in business.instances
        if not business.archetype.is_new
        for _ in range(2)
    ]
