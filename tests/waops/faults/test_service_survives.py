"""Whatever happens to schema waops, the service goes on: every fault, every statement of the service."""

from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter

import psycopg
import pytest

from tests.databases import Databases
from tests.waops.faults import catalog_faults, service
from tests.waops.faults.catalog_faults import Fault
from tests.waops.faults.service import Outcome
from waops.dev.embedded.server import SUPERUSER, EmbeddedServer

DELAY = 0.1
"""Seconds that a lock of another session may add to a statement."""


@dataclass(frozen=True)
class World:
    """A database with rows of the service, the faults it can have, and how it works without any."""

    dsn: str
    connection: psycopg.Connection
    faults: tuple[Fault, ...]
    expected: dict[str, dict[str, Outcome]]


@pytest.fixture(scope="module")
def world(server: EmbeddedServer, databases: Databases, django_db_blocker) -> Iterator[World]:
    with django_db_blocker.unblock(), databases.clone("migrated") as name:
        dsn = server.dsn(SUPERUSER, name)
        with psycopg.connect(dsn, autocommit=True) as connection:
            service.fill(connection)
            faults = tuple(catalog_faults.faults(connection))
            with connection.transaction(force_rollback=True):
                expected = {
                    role: {what: service.run(connection, role, sql) for what, sql in service.STATEMENTS.items()}
                    for role in service.ROLES
                }
            yield World(dsn, connection, faults, expected)


def test_without_a_fault_every_statement_of_the_service_works(world: World) -> None:
    assert {what: outcome.error for what, outcome in world.expected["service_role"].items() if outcome.error} == {}


def allowed(world: World, role: str) -> dict[str, str]:
    """The statements that the role may send, by what happens without a fault."""
    return {what: sql for what, sql in service.STATEMENTS.items() if not world.expected[role][what].error}


@pytest.mark.parametrize("role", service.ROLES)
@pytest.mark.parametrize("kind", catalog_faults.KINDS)
def test_the_service_survives(world: World, kind: str, role: str, subtests: pytest.Subtests) -> None:
    statements = allowed(world, role)
    for fault in world.faults:
        if fault.kind != kind:
            continue
        with subtests.test(fault.name), world.connection.transaction(force_rollback=True):
            world.connection.execute(service.REWIND)
            world.connection.execute(fault.sql)
            found = {what: service.run(world.connection, role, sql) for what, sql in statements.items()}
            assert_as_expected(found, world.expected[role])


def assert_as_expected(found: dict[str, Outcome], expected: dict[str, Outcome]) -> None:
    """Everything that the service asked for was answered and done as if nothing were wrong."""
    failures = [
        f"{what}: {outcome.error or f'{outcome.text}, not {expected[what].text}'}"
        for what, outcome in found.items()
        if outcome != expected[what]
    ]
    assert not failures, "\n".join(failures)


@pytest.fixture(scope="module")
def unlocked(world: World) -> dict[str, dict[str, float]]:
    """By role, the seconds that each of its statements takes without a lock held by others."""
    return {
        role: {what: timed(world.connection, role, sql)[1] for what, sql in allowed(world, role).items()}
        for role in service.ROLES
    }


@pytest.mark.parametrize("role", service.ROLES)
@pytest.mark.parametrize("mode", catalog_faults.LOCKS)
def test_a_lock_held_elsewhere_delays_no_statement(
    world: World, unlocked: dict[str, dict[str, float]], mode: str, role: str, subtests: pytest.Subtests
) -> None:
    """Bounded waits, not speed: the shortest of several tries counts, and a wait without a bound ends in an error."""
    statements, expected, usual = allowed(world, role), world.expected[role], unlocked[role]
    for fault in catalog_faults.locks(world.connection, mode):
        with subtests.test(fault.name), psycopg.connect(world.dsn) as holder:
            world.connection.execute(service.REWIND)
            holder.execute(fault.sql)
            found, slow = {}, []
            for what, sql in statements.items():
                bound = usual[what] + DELAY
                found[what], seconds = timed(world.connection, role, sql, bound)
                if seconds > bound:
                    slow.append(f"{what}: {seconds:.3f} s, {usual[what]:.3f} s without a lock")
            holder.rollback()
            assert_as_expected(found, expected)
            assert not slow, "\n".join(slow)


def timed(connection: psycopg.Connection, role: str, statement: str, enough: float = 0) -> tuple[Outcome, float]:
    """The statement's outcome and its shortest time in up to twenty tries, the last one within `enough` seconds."""
    shortest = float("inf")
    for _ in range(20):
        with connection.transaction(force_rollback=True):
            connection.execute("SET LOCAL statement_timeout = '3s'")
            began = perf_counter()
            outcome = service.run(connection, role, statement)
            shortest = min(shortest, perf_counter() - began)
        if outcome.error or shortest <= enough:
            break
    return outcome, shortest
