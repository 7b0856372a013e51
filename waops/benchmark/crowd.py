"""Many conversations at once over few connections, as the service has them."""

import asyncio
import random
import resource
import statistics
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from waops.benchmark.fill import Kind
from waops.benchmark.options import POOL
from waops.benchmark.paths import ARRIVAL, REPLY, Path, customer

WRITES_EVERY = 60.0
"""Seconds between a customer's messages, on average."""
AI_SECONDS = (1.0, 4.0)
"""The AI thinks so long, and holds no connection meanwhile."""
POOL_PATIENCE = 10.0


@dataclass(frozen=True)
class Crowd:
    """Times in milliseconds. `answered`: messages whose reply was stored. `database_*`: of a message and its reply,
    waiting for a connection left out. `harness_cpu`: the share of one processor that the simulation itself used."""

    path: str
    conversations: int
    seconds: float
    answered: int
    errors: int
    database_p50: float
    database_p95: float
    database_p99: float
    wait_p50: float
    wait_p95: float
    harness_cpu: float


class Simulation:
    """Counts what happened in one run."""

    def __init__(self, path: Path, pool: AsyncConnectionPool[Any], seed: int) -> None:
        self.path = path
        self.pool = pool
        self.random = random.Random(seed)  # noqa: S311 - reproducible, not secret
        self.database: list[float] = []
        self.waits: list[float] = []
        self.errors = 0

    async def conversation(self, number: int) -> None:
        """One customer, until cancelled."""
        await asyncio.sleep(self.random.uniform(0, WRITES_EVERY))
        while True:
            values = customer(number)
            try:
                spent = await self._send(values, ARRIVAL[self.path.name])
                await asyncio.sleep(self.random.uniform(*AI_SECONDS))
                spent += await self._send(values, REPLY[self.path.name])
                self.database.append(spent)
            except (psycopg.Error, PoolTimeout):
                self.errors += 1
            await asyncio.sleep(self.random.expovariate(1 / WRITES_EVERY))

    async def _send(self, values: dict[str, Any], part: slice) -> float:
        """Milliseconds with a connection in hand."""
        begin = perf_counter()
        async with self.pool.connection() as connection:
            got = perf_counter()
            await self.path.run(connection, values, part)
            end = perf_counter()
        self.waits.append(1000 * (got - begin))
        return 1000 * (end - got)


def simulate(dsn: str, path: Path, kind: Kind, conversations: int, seconds: float, seed: int) -> dict[str, Any]:
    """That many conversations for so long; where there are fewer customers, some have two."""
    return asdict(asyncio.run(_simulate(dsn, path, kind, conversations, seconds, seed)))


async def _simulate(dsn: str, path: Path, kind: Kind, conversations: int, seconds: float, seed: int) -> Crowd:
    pool: AsyncConnectionPool[Any] = AsyncConnectionPool(
        dsn,
        min_size=POOL,
        max_size=POOL,
        timeout=POOL_PATIENCE,
        max_waiting=0,
        kwargs={"autocommit": True, "prepare_threshold": 0},
        open=False,
    )
    async with pool:
        await pool.wait()
        simulation = Simulation(path, pool, seed)
        cpu, begin = _cpu(), perf_counter()
        tasks = [
            asyncio.create_task(simulation.conversation(kind.first + number % kind.conversations))
            for number in range(conversations)
        ]
        await asyncio.sleep(seconds)
        elapsed, used = perf_counter() - begin, _cpu() - cpu
        errors = simulation.errors
        await _end(tasks)
    database, waits = _percentiles(simulation.database), _percentiles(simulation.waits)
    return Crowd(
        path.name,
        conversations,
        elapsed,
        len(simulation.database),
        errors,
        database[49],
        database[94],
        database[98],
        waits[49],
        waits[94],
        used / elapsed,
    )


async def _end(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel until all have ended: what waits for the database answers a cancellation with an error of its own."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=1)


def _percentiles(values: list[float]) -> list[float]:
    """The 1st to the 99th; zeros where too little happened."""
    return statistics.quantiles(values, n=100) if len(values) > 1 else [0.0] * 99


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
