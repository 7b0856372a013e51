"""Databases with our functions, and with the plan's own."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import errors

from tests.conversations.message_path.rows import Rows
from tests.databases import Databases
from waops.dev.embedded.server import EmbeddedServer

NOT_AS_PLANNED = pytest.mark.xfail(
    strict=True,
    # No UndefinedFunction and the like: what the plan has not is no defect of it.
    raises=(AssertionError, errors.UniqueViolation, errors.LockNotAvailable, errors.InvalidColumnReference),
    reason="the plan's own SQL has this defect",
)


@pytest.fixture(params=["ours", pytest.param("plan", marks=NOT_AS_PLANNED)])
def rows(request, server: EmbeddedServer, databases: Databases, django_db_blocker) -> Iterator[Rows]:
    """A test with this runs on our functions, and must fail on the plan's."""
    with (
        django_db_blocker.unblock(),
        databases.clone("migrated" if request.param == "ours" else "after") as name,
        psycopg.connect(server.dsn(dbname=name), autocommit=True) as connection,
    ):
        yield Rows(connection, as_planned=request.param == "plan")


@pytest.fixture
def ours(server: EmbeddedServer, databases: Databases, django_db_blocker) -> Iterator[Rows]:
    """Rows of a migrated database of the test's own."""
    with (
        django_db_blocker.unblock(),
        databases.clone("migrated") as name,
        psycopg.connect(server.dsn(dbname=name), autocommit=True) as connection,
    ):
        yield Rows(connection)
