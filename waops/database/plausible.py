"""Limit the service's times to plausible ones: not before 2000 and not in the future.

Anything else (`infinity`, years BC) raises errors when SQL calculates with it, and no customer has been waiting since
then. Such a time counts as unknown.
"""

from typing import Any

from django.db.models import DateTimeField, Func

SQL = "CASE WHEN {0} BETWEEN '2000-01-01' AND statement_timestamp() + interval '1 hour' THEN {0} END"
"""The hour allows for clocks that differ."""


class Plausible(Func):
    """The time of a column; NULL if it is not plausible."""

    template = SQL.format("%(expressions)s")
    output_field: Any = DateTimeField()
