"""When a business's answers run out, beside when its counter is reset. Pure arithmetic on what was counted.

The daily rate is the mean of the last `WINDOW` full days, recent days weighing more (`HALF_LIFE`). Where the counter
counts more than the rows show (failed sends count too), the rate is raised by that share. The band is how far days of
this business differ from its mean: four times in five the true moment lies within it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import sqrt

WINDOW = 14
"""Days before today that the rate is taken from."""
HALF_LIFE = 5.0
"""Days after which a day weighs half."""
LEAST_DAYS = 3
"""Full days since the first answer that a forecast needs at least."""
LEAST_ANSWERS = 5
MOST_DAYS = 3_650
"""A business that lasts longer than this lasts."""
BAND = 1.2816
"""Standard deviations either side that hold four fifths of a normal distribution."""


class Verdict(StrEnum):
    DISABLED = "disabled"
    OUT = "out"
    BEFORE_RESET = "before_reset"
    LASTS = "lasts"
    TOO_LITTLE_DATA = "too_little_data"


@dataclass(frozen=True)
class Rate:
    """Answers per day: weighted mean, standard deviation of single days, and of the mean itself."""

    mean: float
    deviation: float
    error: float

    def times(self, counted_more: float) -> "Rate":
        """Of what the counter counts, where it counts so many times the recorded answers; never less than those."""
        scale = max(1.0, counted_more)
        return Rate(self.mean * scale, self.deviation * scale, self.error * scale)


@dataclass(frozen=True)
class Forecast:
    """`exhausted_at`: when the limit is reached; None when it is not, or nobody can tell. `earliest` and `latest` are
    its band; `latest` None: perhaps never. `margin`: from the reset to exhaustion; negative: out before the reset."""

    verdict: Verdict
    rate: Rate | None = None
    exhausted_at: datetime | None = None
    earliest: datetime | None = None
    latest: datetime | None = None
    margin: timedelta | None = None


def daily_rate(replies: Sequence[int]) -> Rate | None:
    """The rate from the replies of full days, latest first, from the first day with any up to yesterday.

    None: too few days or answers.
    """
    days = replies[:WINDOW]
    if len(days) < LEAST_DAYS or sum(days) < LEAST_ANSWERS:
        return None
    weights = [0.5 ** (age / HALF_LIFE) for age in range(len(days))]
    total = sum(weights)
    mean = sum(weight * count for weight, count in zip(weights, days, strict=True)) / total
    variance = sum(weight * (count - mean) ** 2 for weight, count in zip(weights, days, strict=True)) / total
    # Days of few answers differ at least as much as chance makes them.
    deviation = sqrt(max(variance, mean))
    effective_days = total**2 / sum(weight**2 for weight in weights)
    return Rate(mean, deviation, deviation / sqrt(effective_days))


def forecast(
    *, limit: int, used: int, is_enabled: bool, now: datetime, resets_on: datetime, rate: Rate | None
) -> Forecast:
    """Where this leads. More used, a lower limit or a higher rate never make it later."""
    if limit <= 0 or not is_enabled:
        return Forecast(Verdict.DISABLED, rate)
    if used >= limit:
        return Forecast(Verdict.OUT, rate, now, now, now, now - resets_on)
    if rate is None:
        return Forecast(Verdict.TOO_LITTLE_DATA)
    remaining = limit - used
    exhausted_at = _after(now, remaining / rate.mean if rate.mean > 0 else None)
    if exhausted_at is None:
        return Forecast(Verdict.LASTS, rate)
    return Forecast(
        Verdict.BEFORE_RESET if exhausted_at < resets_on else Verdict.LASTS,
        rate,
        exhausted_at,
        _after(now, _first_passage(remaining, rate, 1)),
        _after(now, _first_passage(remaining, rate, -1)),
        exhausted_at - resets_on,
    )


def expected_answers(rate: Rate, days: float, side: int = 0) -> float:
    """Answers within that many days: the mean (0), or the upper (1) or lower (-1) edge of the band. Never negative."""
    return max(0.0, (rate.mean + side * BAND * rate.error) * days + side * BAND * rate.deviation * sqrt(days))


def _first_passage(answers: int, rate: Rate, side: int) -> float | None:
    """Days until the edge of the band reaches that many answers: the root of a quadratic in the days' square root."""
    slope, noise = rate.mean + side * BAND * rate.error, side * BAND * rate.deviation
    if slope <= 0:
        return None
    root = (-noise + sqrt(noise**2 + 4 * slope * answers)) / (2 * slope)
    return root * root


def _after(now: datetime, days: float | None) -> datetime | None:
    return None if days is None or days > MOST_DAYS else now + timedelta(days=days)
