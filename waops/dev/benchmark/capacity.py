"""Find by bisection how many concurrent conversations a path can serve."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import sqrt

from waops.dev.benchmark.findings import SERVED_MS, Result, is_served, waited

PRECISION = 1.1
"""The smallest failing size is at most this many times the largest size served."""
MOST = 54_000
NEAR = 2
"""A simulation that fails by less than this, or by a single error, is repeated, because that may be noise."""


@dataclass
class Capacity:
    """`served` is 0 if no size was, `failed` None if even MOST are served; `tried`: the simulations in order."""

    served: int = 0
    failed: int | None = None
    tried: list[Result] = field(default_factory=list)

    def learn(self, crowd: Result) -> None:
        """A size that is served proves that smaller ones are: having fewer messages, they can fail only by noise."""
        self.tried.append(crowd)
        self.served = max((one["conversations"] for one in self.tried if is_served(one)), default=0)
        above = [one["conversations"] for one in self.tried if one["conversations"] > self.served]
        self.failed = min(above, default=None)

    @property
    def next_size(self) -> int | None:
        """The next size to try; None if the result is precise enough, or not even the smallest known size is served."""
        if not self.served:
            return None
        if self.failed is None:
            return min(2 * self.served, MOST) if self.served < MOST else None
        return None if self.failed <= PRECISION * self.served else round(sqrt(self.served * self.failed))


def find(known: Iterable[Result], simulate: Callable[[int], Result]) -> Capacity:
    """Find the capacity, starting from simulations that have already run; there is at least one."""
    capacity = Capacity()

    def learn(crowd: Result) -> None:
        again = not is_served(crowd) and crowd["errors"] <= 1 and waited(crowd) <= NEAR * SERVED_MS
        capacity.learn(simulate(crowd["conversations"]) if again else crowd)

    for crowd in known:
        learn(crowd)
    while (size := capacity.next_size) is not None:
        learn(simulate(size))
    return capacity
