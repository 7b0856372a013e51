"""Simulate many concurrent conversations over few connections, as in the service."""

import asyncio
import random
import resource
import statistics
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from waops.dev.benchmark.fill import Kind
from waops.dev.benchmark.options import POOL
from waops.dev.benchmark.paths import Path, customer, halves

WRITES_EVERY = 60.0
"""Seconds between a customer's messages, on average."""
AI_SECONDS = (1.0, 4.0)
"""How long the AI takes; it holds no connection in the meantime."""
POOL_PATIENCE = 10.0


@dataclass(frozen=True)
class Crowd:
    """Times in milliseconds. `answered`: messages whose reply was stored. `database_*`: for a message and
    its reply, without waiting for a connection. `response_p95`: the same with it. `harness_cpu`: the
    share of one processor that the simulation used.
    """

    path: str
    conversations: int
    seconds: float
    answered: int
    errors: int
    database_p50: float
    database_p95: float
    database_p99: float
    response_p95: float
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
        self.responses: list[float] = []
        self.waits: list[float] = []
        self.errors = 0

    async def conversation(self, number: int) -> None:
        """Play one customer, until cancelled."""
        arrival, reply = halves(self.path)
        await asyncio.sleep(self.random.uniform(0, WRITES_EVERY))
        while True:
            values = customer(number)
            try:
                waited, spent = await self._send(values, arrival)
                await asyncio.sleep(self.random.uniform(*AI_SECONDS))
                waited_again, spent_again = await self._send(values, reply)
                self.database.append(spent + spent_again)
                self.responses.append(waited + spent + waited_again + spent_again)
            except (psycopg.Error, PoolTimeout):
                self.errors += 1
            await asyncio.sleep(self.random.expovariate(1 / WRITES_EVERY))

    async def _send(self, values: dict[str, Any], part: slice) -> tuple[float, float]:
        """Milliseconds until a connection was available, and with it."""
        begin = perf_counter()
        async with self.pool.connection() as connection:
            got = perf_counter()
            await self.path.run(connection, values, part)
            end = perf_counter()
        self.waits.append(1000 * (got - begin))
        return 1000 * (got - begin), 1000 * (end - got)


def simulate(dsn: str, path: Path, kind: Kind, conversations: int, seconds: float, seed: int) -> dict[str, Any]:
    """Simulate that many conversations for that long; if there are fewer customers, some have two."""
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
        await _warm(pool, path, kind)
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
        _percentiles(simulation.responses)[94],
        waits[49],
        waits[94],
        used / elapsed,
    )


async def _warm(pool: AsyncConnectionPool[Any], path: Path, kind: Kind) -> None:
    """Send one message over each connection, because the first one prepares every statement."""
    async with AsyncExitStack() as stack:
        connections = [await stack.enter_async_context(pool.connection()) for _ in range(POOL)]
        for number, connection in enumerate(connections):
            await path.run(connection, customer(kind.first + number % kind.conversations), slice(None))


async def _end(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel until all have ended: a task that waits for the database answers a cancellation with another error."""
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
