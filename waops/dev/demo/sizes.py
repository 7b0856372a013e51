"""The sizes of the demo data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """Numbers of rows in the whole database.

    `recorded` is the share of AI answers that have an interaction row. `open_escalations` counts rows without
    `resolved_at`; `past_escalations` customers who were escalated and resolved before. `indexes_last`: build the
    tables' indexes after the rows.
    """

    name: str
    businesses: int
    conversations: int
    messages: int
    recorded: float
    open_escalations: int
    past_escalations: int
    indexes_last: bool = False


SIZES = {
    size.name: size
    for size in (
        Size("small", 12, 270, 3_000, 1.0, 60, 45),
        Size("medium", 200, 10_000, 100_000, 1.0, 400, 1_500),
        Size("large", 5_000, 1_000_000, 10_000_000, 0.42, 6_000, 100_000, indexes_last=True),
    )
}
