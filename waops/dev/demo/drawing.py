"""Draw values from a seeded generator, and write them as Postgres reads them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random
from typing import TypeVar

T = TypeVar("T")

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

SHORT_WAITS = 2.5
"""Skew of waiting times: most open escalations wait minutes or a few hours, a few wait days."""

_VERSION_AND_VARIANT = ~(0xF000 << 64 | 0xC000 << 48)
_VERSION_4 = 0x4000 << 64 | 0x8000 << 48


def make_uuid(rng: Random) -> str:
    """A random UUID of version 4: what `str(uuid.UUID(int=…, version=4))` gives.

    Written out because `uuid.UUID` takes three times as long, and the large size draws 13 million of them.
    """
    digits = f"{rng.getrandbits(128) & _VERSION_AND_VARIANT | _VERSION_4:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def text_of(moment: int) -> str:
    """A time in milliseconds since the epoch, as ISO 8601 in UTC."""
    return datetime.fromtimestamp(moment / 1000, UTC).isoformat(timespec="milliseconds")


def log_uniform(rng: Random, low: float, high: float, skew: float = 1) -> float:
    """A number between `low` and `high` (both > 0): every order of magnitude is equally likely.

    A `skew` over 1 makes the small ones likelier.
    """
    return low * math.exp(math.log(high / low) * math.pow(rng.random(), skew))


def array_literal(values: Sequence[str]) -> str:
    """A Postgres array literal of plain words."""
    quoted = (value.replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return "{" + ",".join(f'"{value}"' for value in quoted) + "}"


def apportion(total: int, weights: Sequence[float], minimums: Sequence[int] | None = None) -> list[int]:
    """Share `total` in proportion to `weights`, exactly, giving each share its minimum first.

    Returns one count per weight. They add up to `total`, or to the sum of the minimums if that is larger.
    """
    shares = list(minimums) if minimums is not None else [0] * len(weights)
    left = max(0, total - sum(shares))
    whole = sum(weights)
    if not weights or left == 0 or whole == 0:
        return shares
    exact = [left * weight / whole for weight in weights]
    floors = [int(value) for value in exact]
    by_remainder = sorted(range(len(weights)), key=lambda index: floors[index] - exact[index])
    for index in by_remainder[: left - sum(floors)]:
        floors[index] += 1
    return [share + floor for share, floor in zip(shares, floors, strict=True)]


def pick(rng: Random, pool: Sequence[T]) -> T:
    """One of `pool`. Twice as fast as `rng.choice`, which matters for the large size."""
    return pool[int(rng.random() * len(pool))]
