"""The statements that the service and this app run most: a fixed list, including those inside functions.

EXPLAIN of a function call shows one line, so its parts are listed; each app registers those on its tables. Parameters
come from one real customer, the busiest among the latest messages, so that plans are realistic.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper


@dataclass(frozen=True)
class HotStatement:
    """`name` is stored in English. `inside`: the functions that contain it. If it `writes`, it is rolled back."""

    name: str
    sql: str
    inside: tuple[str, ...] = ()
    writes: bool = False


@dataclass(frozen=True)
class Sample:
    """Finds the parameters. `query` returns a row of `names`; `still_there` takes them and returns a boolean."""

    names: tuple[str, ...]
    query: str
    still_there: str


STATEMENTS: list[HotStatement] = []
SAMPLES: list[Sample] = []


def sample_parameters(connection: BaseDatabaseWrapper) -> dict[str, Any] | None:
    """The parameters by name; None if there are no rows to take them from."""
    found: dict[str, Any] = {}
    with connection.cursor() as cursor:
        for sample in SAMPLES:
            cursor.execute(sample.query)
            row = cursor.fetchone()
            if row is None:
                return None
            found |= dict(zip(sample.names, row, strict=True))
    return found


def are_current(connection: BaseDatabaseWrapper, parameters: Mapping[str, Any]) -> bool:
    """Whether the rows that the parameters came from still exist."""
    with connection.cursor() as cursor:
        for sample in SAMPLES:
            cursor.execute(sample.still_there, parameters)
            if cursor.fetchone() != (True,):
                return False
    return True
