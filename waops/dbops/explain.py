"""EXPLAIN baselines: plans and times of the hot statements, recorded under a name."""

import json
import statistics
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import DatabaseError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext as _

from waops.database.errors import sqlstate
from waops.dbops.hot_statements import STATEMENTS, HotStatement, are_current, sample_parameters
from waops.dbops.models import ExplainBaseline
from waops.dbops.reading import LOCK_SECONDS, server_version
from waops.schema.timeouts import milliseconds

RUNS = 5
SECONDS = 5.0
"""Longest time one run of one statement may take."""
QUERY_CANCELED = "57014"


class ExplainError(Exception):
    """The baseline could not be recorded or compared. The message says why; nothing was changed."""


def record(
    name: str,
    *,
    runs: int = RUNS,
    seconds: float = SECONDS,
    using: str = "default",
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> ExplainBaseline:
    """Run each hot statement `runs` times under EXPLAIN ANALYZE and store the results. Writes are rolled
    back.

    Uses the customer of the newest baseline, so that the two can be compared. Raises ExplainError.
    """
    connection = connections[using]
    if ExplainBaseline.objects.using(using).filter(name=name).exists():
        raise ExplainError(_("A baseline “%(name)s” already exists; choose another name.") % {"name": name})
    parameters = _parameters(connection)
    plans: dict[str, Any] = {}
    for number, statement in enumerate(STATEMENTS, start=1):
        plans[statement.name] = _examine(connection, statement, parameters, runs, seconds)
        progress(number, len(STATEMENTS))
    return ExplainBaseline.objects.using(using).create(
        name=name, server_version=server_version(connection), plans={"parameters": parameters, "statements": plans}
    )


def _parameters(connection: BaseDatabaseWrapper) -> dict[str, Any]:
    newest = ExplainBaseline.objects.using(connection.alias).first()
    if newest is not None and are_current(connection, newest.plans["parameters"]):
        known: dict[str, Any] = newest.plans["parameters"]
        return known
    sampled = sample_parameters(connection)
    if sampled is None:
        raise ExplainError(_("There are no messages yet, so there is no customer to explain queries for."))
    return sampled


def _examine(
    connection: BaseDatabaseWrapper, statement: HotStatement, parameters: Mapping[str, Any], runs: int, seconds: float
) -> dict[str, Any]:
    """`times` (ms, execution and planning), `blocks` (pages touched), `rows`, and `plan` of the median run;
    or `error`.
    """
    try:
        results = [_explain(connection, statement, parameters, seconds) for _number in range(max(1, runs))]
    except DatabaseError as error:
        if sqlstate(error) == QUERY_CANCELED:
            return {"error": f"timeout: {seconds:g} s", "plan": _plan_only(connection, statement, parameters)}
        return {"error": str(error).strip(), "plan": None}
    times = [result["Execution Time"] for result in results]
    middle = results[times.index(statistics.median_low(times))]
    root = middle["Plan"]
    return {
        "times": times,
        "planning": statistics.median(result["Planning Time"] for result in results),
        "blocks": root.get("Shared Hit Blocks", 0) + root.get("Shared Read Blocks", 0),
        "rows": root.get("Actual Rows", 0),
        "plan": root,
    }


def _explain(
    connection: BaseDatabaseWrapper, statement: HotStatement, parameters: Mapping[str, Any], seconds: float
) -> dict[str, Any]:
    with _rolled_back(connection, statement, seconds), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement.sql}", parameters)
        return _first(cursor.fetchone())


def _plan_only(connection: BaseDatabaseWrapper, statement: HotStatement, parameters: Mapping[str, Any]) -> Any:
    with _rolled_back(connection, statement, SECONDS), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {statement.sql}", parameters)
        return _first(cursor.fetchone())["Plan"]


def _first(row: Any) -> dict[str, Any]:
    """The one plan in EXPLAIN's output, which the driver may have parsed already."""
    (answer,) = row
    result: dict[str, Any] = (json.loads(answer) if isinstance(answer, str) else answer)[0]
    return result


@contextmanager
def _rolled_back(connection: BaseDatabaseWrapper, statement: HotStatement, seconds: float) -> Iterator[None]:
    """A transaction that is always rolled back, limited in time, and read-only unless the statement writes."""
    wanted = {"statement_timeout": milliseconds(seconds), "lock_timeout": milliseconds(LOCK_SECONDS)}
    if not statement.writes:
        wanted["transaction_read_only"] = "on"
    with transaction.atomic(using=connection.alias):
        with connection.cursor() as cursor:
            for name, value in wanted.items():
                cursor.execute("SELECT pg_catalog.set_config(%s, %s, true)", [name, value])
        yield
        transaction.set_rollback(True, using=connection.alias)
