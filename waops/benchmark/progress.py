"""How far the benchmark has come."""

from typing import Protocol


class Step(Protocol):
    """Told what begins now, in words."""

    def __call__(self, text: str) -> None: ...
