"""How many replies a business uses per day, and how certain that is. Pure arithmetic on counts.

The daily rate is the mean of the last `WINDOW` full days, weighting recent days more (`HALF_LIFE`). `quota` uses it to
predict when the replies run out. The band follows from how much this business's days differ from their mean: with 80 %
probability the true time lies within it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import sqrt

WINDOW = 14
"""Days before today that the rate is computed from."""
HALF_LIFE = 5.0
"""Age in days at which a day counts half."""
LEAST_DAYS = 3
"""Least full days since the first reply that a forecast needs."""
LEAST_REPLIES = 5
MOST_DAYS = 3_650
"""A business that lasts longer than this has no day on which it runs out."""
BAND = 1.2816
"""Standard deviations on either side that contain 80 % of a normal distribution."""


class Verdict(StrEnum):
    DISABLED = "disabled"
    OUT = "out"
    BEFORE_RESET = "before_reset"
    LASTS = "lasts"
    TOO_LITTLE_DATA = "too_little_data"


@dataclass(frozen=True)
class Rate:
    """Replies per day: weighted mean, standard deviation of single days, and of the mean itself."""

    mean: float
    deviation: float
    error: float

    def times(self, scale: float) -> "Rate":
        return Rate(self.mean * scale, self.deviation * scale, self.error * scale)


@dataclass(frozen=True)
class Forecast:
    """`exhausted_at`: when the limit is reached; None if it is not, or unknown. `earliest` and `latest` are
    its band; `latest` None: perhaps never. `margin`: from the reset to exhaustion; negative if that comes
    before the reset, None if the time of the reset is unknown.
    """

    verdict: Verdict
    rate: Rate | None = None
    exhausted_at: datetime | None = None
    earliest: datetime | None = None
    latest: datetime | None = None
    margin: timedelta | None = None


def daily_rate(replies: Sequence[int]) -> Rate | None:
    """The rate from the replies of full days, latest first, from the first day with replies up to yesterday.

    None for too few days or replies.
    """
    days = replies[:WINDOW]
    if len(days) < LEAST_DAYS or sum(days) < LEAST_REPLIES:
        return None
    weights = [0.5 ** (age / HALF_LIFE) for age in range(len(days))]
    total = sum(weights)
    mean = sum(weight * count for weight, count in zip(weights, days, strict=True)) / total
    variance = sum(weight * (count - mean) ** 2 for weight, count in zip(weights, days, strict=True)) / total
    # Days with few replies differ at least as much as chance makes them.
    deviation = sqrt(max(variance, mean))
    effective_days = total**2 / sum(weight**2 for weight in weights)
    return Rate(mean, deviation, deviation / sqrt(effective_days))


def band(remaining: int, rate: Rate, now: datetime) -> tuple[datetime | None, datetime | None]:
    """The earliest and latest time at which this many replies are used up; None: not within MOST_DAYS."""
    return _after(now, _first_passage(remaining, rate, 1)), _after(now, _first_passage(remaining, rate, -1))


def expected_replies(rate: Rate, days: float, side: int = 0) -> float:
    """Replies within that many days: the mean (0), or the upper (1) or lower (-1) edge of the band. Never negative."""
    return max(0.0, (rate.mean + side * BAND * rate.error) * days + side * BAND * rate.deviation * sqrt(days))


def _first_passage(replies: int, rate: Rate, side: int) -> float | None:
    """Days until the edge of the band reaches that many replies: the root of a quadratic in the square root of days."""
    slope, noise = rate.mean + side * BAND * rate.error, side * BAND * rate.deviation
    if slope <= 0:
        return None
    root = (-noise + sqrt(noise**2 + 4 * slope * replies)) / (2 * slope)
    return root * root


def _after(now: datetime, days: float | None) -> datetime | None:
    return None if days is None or days > MOST_DAYS else now + timedelta(days=days)
