"""Limits and counters of the businesses' AI quota."""

from random import Random

from waops.dev.demo.plan import Quota

LEAST_LIMIT = 50
FAILED = 1.3
"""How much the counter exceeds the stored replies at a business where many sends fail."""


def quota(rng: Random, state: Quota, answers: int) -> tuple[int, int]:
    """Limit and counter for a state, after `answers` AI replies since the last reset.

    The counter roughly equals the replies; for OVER it also counts failed sends.
    """
    if state is Quota.DISABLED:
        return 0, 0
    if state is Quota.USED_UP:
        limit = max(5, _round(answers))
        return limit, limit
    if state is Quota.OVER:
        used = max(10, round(answers * FAILED))
        return _round(used) - 2 * _step(used), used
    if state is Quota.NEAR:
        limit = max(10, _round(answers + 1))
        return limit, max(answers, -(-9 * limit // 10))
    return max(LEAST_LIMIT, _round(int(answers * rng.uniform(1.6, 2.4)))), answers


def _round(number: int) -> int:
    """Round up to the next round number."""
    return -(-number // _step(number)) * _step(number)


def _step(number: int) -> int:
    """The distance between round numbers: at most a twentieth of the number, and at least 5."""
    magnitude: int = 10 ** (len(str(number)) - 1)
    return max(5, magnitude // 20)
