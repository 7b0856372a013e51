"""What to measure, and how long."""

from dataclasses import dataclass

BUSINESSES = 30
"""The plan's number of subscribers."""
POOL = 10
"""Connections that the simulated conversations share."""
CROWDS = (450, 1_350, 13_500)
"""Concurrent conversations: the plan's number before, its number after, and ten times that."""
WRITING_CUSTOMERS = 5_000
"""Customers who write at a time, in a table of any size."""
LENGTHS = (10, 200, 10_000, 100_000)
"""Messages of a conversation."""
TABLE_SIZES = (100_000, 1_000_000, 10_000_000)
"""Rows of the messages table; the last with `full` only."""
COPIED = 1_000_000
"""Size of the demo data that the largest table has copies of."""
PAGE_MESSAGES = 3_000
"""Pages are opened with this few messages, and with the largest table."""


@dataclass(frozen=True)
class Options:
    """`seconds`: length of one run; each round has one per path. `rtt_ms`: a round trip through the proxy."""

    messages: int = 500_000
    seconds: int = 3
    rounds: int = 5
    clients: int = 8
    rtt_ms: float = 2.0
    growth: bool = True
    concurrency: bool = True
    pages: bool = True
    full: bool = False
    seed: int = 2026

    @property
    def table_sizes(self) -> tuple[int, ...]:
        return TABLE_SIZES if self.full else TABLE_SIZES[:-1]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Numbers of messages for which demo data is needed."""
        pages = (PAGE_MESSAGES, self.table_sizes[-1]) if self.pages else ()
        return tuple(sorted({*pages, *(self.table_sizes if self.growth else ())}))
