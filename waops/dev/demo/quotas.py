"""Limits and counters of the businesses' monthly AI answers."""

from random import Random

from waops.dev.demo.plan import Quota

LEAST_LIMIT = 50
FAILED = 1.3
"""What the counter of a business counts for an answer, where many could not be sent."""


def quota(rng: Random, state: Quota, answers: int) -> tuple[int, int]:
    """Limit and use for a state, after so many ``answers`` since the last reset.

    The counter is what was answered, as nearly as people look; where it is OVER it counts failed sends too.
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
    """Up to the next round one."""
    return -(-number // _step(number)) * _step(number)


def _step(number: int) -> int:
    """Between round numbers: up to a twentieth of the number, and at least 5."""
    magnitude: int = 10 ** (len(str(number)) - 1)
    return max(5, magnitude // 20)
