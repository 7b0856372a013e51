"""What the statements of a piece of work do to large tables: how they read them, and how they lock them."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from waops.dbops.explain_comparison import nodes
from waops.dbops.tables import service_tables

LARGE_ROWS = 10_000
"""A table of the service with fewer is read whole without anybody noticing."""

LOCKS = """
    SELECT pg_catalog.format('%I.%I', namespace.nspname, relation.relname), lock.mode
    FROM pg_catalog.pg_locks AS lock
    JOIN pg_catalog.pg_class AS relation ON relation.oid = lock.relation
    JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = relation.relnamespace
    WHERE lock.pid = pg_catalog.pg_backend_pid() AND lock.locktype = 'relation' AND namespace.nspname = 'public'
      AND lock.mode <> 'AccessShareLock' AND relation.relkind IN ('r', 'p', 'm')
"""
ROWS = "SELECT COALESCE((SELECT reltuples FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass(%s)), 0)"


@dataclass
class Watched:
    """One statement: `blocks` of 8 KB that it touches; the large tables that it reads whole; what it locks."""

    sql: str
    blocks: int = 0
    whole_scans: list[str] = field(default_factory=list)
    strong_locks: list[str] = field(default_factory=list)


def large_tables() -> set[str]:
    """Of the service, without their schema."""
    return {name.partition(".")[2] for name in service_tables() if _rows(name) >= LARGE_ROWS}


@contextmanager
def watch(large: set[str]) -> Iterator[list[Watched]]:
    """Every SELECT of the block, explained beside its run. Inside a transaction, so that locks are still held.

    The last statement has the locks that were taken in the block and would hold up a writer or a migration.
    """
    watched: list[Watched] = []
    held = set(_raw(LOCKS))

    def explain(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        if not many and sql.lstrip().upper().startswith(("SELECT", "WITH")) and "set_config" not in sql:
            watched.append(_explained(sql, params, large))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        yield watched
    if watched:
        taken = sorted(set(_raw(LOCKS)) - held)
        watched[-1].strong_locks += [f"{mode} on {table}" for table, mode in taken]


def _explained(sql: str, params: Any, large: set[str]) -> Watched:
    ((answer,),) = _raw(f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {sql}", params)
    plan = (json.loads(answer) if isinstance(answer, str) else answer)[0]["Plan"]
    blocks = plan.get("Shared Hit Blocks", 0) + plan.get("Shared Read Blocks", 0)
    return Watched(sql, blocks, [scan for scan in whole_scans(plan) if scan.rpartition(" ")[2] in large])


def whole_scans(plan: dict[str, Any], *, is_limited: bool = False) -> list[str]:
    """Nodes that read all of a table or of an index, with nothing above them that stops them early."""
    found = []
    limited = is_limited or plan["Node Type"] == "Limit"
    if "Relation Name" in plan and "Scan" in plan["Node Type"] and not limited:
        conditions = [node for node in nodes(plan) if node.get("Index Cond") or node.get("Recheck Cond")]
        if not conditions:
            found.append(f"{plan['Node Type']} on {plan['Relation Name']}")
    for child in plan.get("Plans", ()):
        # What sorts or groups reads all of its input first.
        stops = limited and plan["Node Type"] not in ("Sort", "Aggregate", "Hash", "HashAggregate", "Materialize")
        found += whole_scans(child, is_limited=stops)
    return found


def _rows(table: str) -> float:
    ((rows,),) = _raw(ROWS, [table])
    return float(rows)


def _raw(sql: str, params: Any = None) -> list[Any]:
    """Past Django's wrappers, on its connection."""
    connection.ensure_connection()
    with connection.connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows: list[Any] = cursor.fetchall()
        return rows
