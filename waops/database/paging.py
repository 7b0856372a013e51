"""Pages of rows, newest first. A cursor identifies the last row shown, so new rows shift nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Self, TypeVar
from uuid import UUID

from django.db.models import Q, QuerySet

from waops.database import moments

Row = TypeVar("Row")


@dataclass(frozen=True)
class Cursor:
    """The last result shown."""

    moment: datetime
    pk: UUID

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a cursor from an address. Raises ValueError."""
        moment, separator, pk = text.partition("_")
        cursor = cls(moments.parse(moment), UUID(pk))
        if not separator or cursor.moment.tzinfo is None:
            raise ValueError(text)
        return cursor

    def __str__(self) -> str:
        return f"{self.moment.isoformat()}_{self.pk}"


@dataclass(frozen=True)
class Found(Generic[Row]):
    """Some results, newest first, and the cursor of those that follow; empty if these are the last."""

    rows: Sequence[Row] = ()
    more: str = ""


def first_of(rows: Sequence[Any], size: int, moment: str) -> Found[Any]:
    """The first `size` rows of a read that fetched one more. `moment` is the attribute they are ordered by."""
    page = rows[:size]
    is_last = len(rows) <= size
    return Found(page, "" if is_last or not page else str(Cursor(getattr(page[-1], moment), page[-1].pk)))


def newest_after(queryset: QuerySet[Any], moment: str, after: Cursor | None) -> QuerySet[Any]:
    """What follows the cursor, newest first, by an attribute that is never NULL and the primary key."""
    return _beyond(queryset, moment, after, "lt").order_by(f"-{moment}", "-pk")


def oldest_after(queryset: QuerySet[Any], moment: str, after: Cursor | None) -> QuerySet[Any]:
    """As `newest_after`, oldest first."""
    return _beyond(queryset, moment, after, "gt").order_by(moment, "pk")


def _beyond(queryset: QuerySet[Any], moment: str, after: Cursor | None, side: str) -> QuerySet[Any]:
    if after is None:
        return queryset
    beyond = Q(**{f"{moment}__{side}": after.moment}) | Q(**{moment: after.moment, f"pk__{side}": after.pk})
    # An index is not searched by an OR, but by this.
    return queryset.filter(beyond, **{f"{moment}__{side}e": after.moment})


def page_after(queryset: QuerySet[Any], moment: str, after: Cursor | None, size: int) -> Found[Any]:
    """One page of `newest_after`."""
    return first_of(list(newest_after(queryset, moment, after)[: size + 1]), size, moment)
