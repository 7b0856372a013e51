"""The types of the text pools: what customers and the AI write to each other.

Every text is a `str.format` template. A template may use the keys of `waops.dev.demo.people.Customer.fields`: name,
business, product, other_product, price, order, phone, city,
day, hour.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Exchange(NamedTuple):
    """One question and its answer; `intent` is the service's name for what the customer wants."""

    intent: str
    questions: tuple[str, ...]
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Voice:
    """How one group of customers writes, and how the AI writes to them.

    `add_ons` are short messages that people send right after another; the service joins them.
    `long_question` and `long_answer` are paragraphs; joined, each passes 2,000 characters.
    """

    language: str
    openings: tuple[Exchange, ...]
    exchanges: tuple[Exchange, ...]
    closings: tuple[Exchange, ...]
    human_requests: tuple[str, ...]
    waiting: tuple[str, ...]
    add_ons: tuple[str, ...]
    long_question: tuple[str, ...]
    long_answer: tuple[str, ...]
