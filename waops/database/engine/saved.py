"""Track whether a request has committed anything, so that an error page can say so.

Commits are tracked exactly; any statement that might write counts as a change. A commit without a response counts as a
change too.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from django.core.signals import request_started
from django.db import connections

from waops.database.errors import sqlstate

if TYPE_CHECKING:
    from waops.database.engine.base import DatabaseWrapper

READS = re.compile(r"\s*(?:SELECT|WITH|VALUES|SHOW|SET|EXPLAIN|SAVEPOINT|RELEASE|ROLLBACK)\b", re.IGNORECASE)
WRITES = re.compile(r"\b(?:INSERT|UPDATE|DELETE|MERGE|TRUNCATE)\b|\b(?:waops|public)\.\w+\(", re.IGNORECASE)
"""Includes calls of functions that are not Postgres's own."""
LOCKS = re.compile(r"\bFOR (?:NO KEY )?UPDATE\b", re.IGNORECASE)


_is_incidental = ContextVar("waops_incidental", default=False)


@contextmanager
def incidental() -> Iterator[None]:
    """Do not count the changes within the block: a counter that a page refreshes is not what the person submitted."""
    token = _is_incidental.set(True)
    try:
        yield
    finally:
        _is_incidental.reset(token)


class Saved:
    """What one connection has committed since the request began."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.is_possible = False
        """Something was committed, or may have been."""
        self._is_pending = False

    def execute(self, run: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
        """An execute wrapper: outside a transaction each statement commits itself."""
        connection: DatabaseWrapper = context["connection"]
        if _is_incidental.get() or not may_write(sql):
            return run(sql, params, many, context)
        self._is_pending = True
        if connection.in_atomic_block:
            return run(sql, params, many, context)
        with self.committing():
            return run(sql, params, many, context)

    @contextmanager
    def committing(self) -> Iterator[None]:
        """Wrap a commit. If the server refuses it, nothing was committed; without a response, something may
        have been.
        """
        before = self.is_possible
        self.is_possible |= self._is_pending
        self._is_pending = False
        try:
            yield
        except Exception as error:
            if _was_refused(error):
                self.is_possible = before
            raise

    def rolled_back(self) -> None:
        self._is_pending = False


def may_write(sql: Any) -> bool:
    text = LOCKS.sub("", str(sql))
    return READS.match(text) is None or WRITES.search(text) is not None


def something_saved() -> bool:
    """Whether this request may have committed anything, on any connection."""
    return any(one.saved.is_possible for one in _open())


def _was_refused(error: BaseException) -> bool:
    """Whether the server responded and continued; a session that ends during a commit leaves the result unknown."""
    code = sqlstate(error)
    return code is not None and not code.startswith(("08", "57P"))


def _open() -> Iterator[Any]:
    return (one for one in connections.all(initialized_only=True) if hasattr(one, "saved"))


def _reset(**_: Any) -> None:
    for one in _open():
        one.saved.reset()


request_started.connect(_reset, dispatch_uid=f"{__name__}.reset")
