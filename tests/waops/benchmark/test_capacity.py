"""Capacity is bisected between the most conversations that are served and the fewest that are not."""

import pytest

from waops.dev.benchmark import capacity
from waops.dev.benchmark.findings import Result
from waops.dev.benchmark.options import CROWDS


def crowd(size: int, limit: int, *, errors: int = 0) -> Result:
    """As a simulation answers where `limit` conversations are the most that are served."""
    wait = 20.0 if size <= limit else 500.0
    return {"conversations": size, "answered": 9, "errors": errors, "database_p95": 10.0, "response_p95": wait}


@pytest.mark.parametrize("limit", [450, 1_000, 5_000, 13_499, 30_000])
def test_the_limit_is_found_to_a_tenth(limit: int) -> None:
    found = capacity.find([crowd(size, limit) for size in CROWDS], lambda size: crowd(size, limit))
    assert found.failed is not None
    assert found.served <= limit < found.failed <= capacity.PRECISION * found.served + 1
    assert len(found.tried) <= len(CROWDS) + 10


def test_beyond_the_most_that_is_tried_the_limit_is_open() -> None:
    found = capacity.find([crowd(size, 10**6) for size in CROWDS], lambda size: crowd(size, 10**6))
    assert (found.served, found.failed) == (capacity.MOST, None)


def test_where_nothing_is_served_the_smallest_size_is_the_bound() -> None:
    found = capacity.find([crowd(size, 0) for size in CROWDS], lambda size: crowd(size, 0))
    assert (found.served, found.failed) == (0, 450)


def test_a_single_error_is_tried_again() -> None:
    found = capacity.find(
        [crowd(450, 2_000, errors=1), crowd(1_350, 2_000), crowd(13_500, 2_000)], lambda size: crowd(size, 2_000)
    )
    assert found.served > 1_350


def test_waiting_for_a_connection_counts() -> None:
    assert capacity.find([crowd(450, 100)], lambda size: crowd(size, 100)).served == 0


def test_a_small_crowd_that_fails_by_noise_limits_no_larger_one() -> None:
    found = capacity.find([crowd(450, 10), crowd(1_350, 2_000), crowd(13_500, 2_000)], lambda size: crowd(size, 2_000))
    assert found.served > 1_350
