"""Track the benchmark's progress, and estimate the time left."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Generic, Protocol, TypeVar

Work = TypeVar("Work")


class Step(Protocol):
    """Called with a description of what begins now."""

    def __call__(self, text: str) -> None: ...


@dataclass(frozen=True)
class Stage(Generic[Work]):
    """`seconds`: duration on a machine with two processors; the measured pace corrects it."""

    name: str
    seconds: float
    run: Callable[[Work], None]


class Watch:
    """Goes through the stages and knows the current one. `show` is called at each change; it can be read at
    any time.
    """

    def __init__(self, show: Callable[["Watch"], None]) -> None:
        self._show = show
        self.expected = 0.0
        self.done = 0.0
        self.stages = self.number = 0
        self.name = self.text = ""
        self._current = 0.0
        self._begun = self._stage_begun = perf_counter()

    def through(self, stages: Sequence[Stage[Work]]) -> Iterator[Stage[Work]]:
        self.stages, self.expected = len(stages), sum(stage.seconds for stage in stages)
        self._begun = perf_counter()
        for self.number, stage in enumerate(stages, 1):
            self.name, self._current, self._stage_begun = stage.name, stage.seconds, perf_counter()
            self.step("")
            yield stage
            self.done += stage.seconds
        self._current = 0.0
        self.step("")

    def step(self, text: str) -> None:
        self.text = text
        self._show(self)

    @property
    def reached(self) -> float:
        """Progress as a share of the expected time; within a stage by its elapsed time, up to what was expected."""
        return self.done + min(0.95 * self._current, (perf_counter() - self._stage_begun) / self._pace)

    @property
    def seconds_left(self) -> float:
        return (self.expected - self.reached) * self._pace

    @property
    def _pace(self) -> float:
        """Real seconds per expected second, over the finished stages."""
        return (self._stage_begun - self._begun) / self.done if self.done else 1.0
