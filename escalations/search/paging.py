"""Results page by page, newest first. A cursor names the last one shown: what arrives meanwhile moves nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Self, TypeVar
from uuid import UUID

from django.db.models import Q, QuerySet

Row = TypeVar("Row")


@dataclass(frozen=True)
class Cursor:
    """The last result shown."""

    moment: datetime
    pk: UUID

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError."""
        moment, separator, pk = text.partition("_")
        cursor = cls(datetime.fromisoformat(moment), UUID(pk))
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
    """The first `size` of rows that were read one too many. `moment` is the attribute they are ordered by."""
    page = rows[:size]
    is_last = len(rows) <= size
    return Found(page, "" if is_last or not page else str(Cursor(getattr(page[-1], moment), page[-1].pk)))


def page_after(queryset: QuerySet[Any], moment: str, after: Cursor | None, size: int) -> Found[Any]:
    """One page of a queryset, by an attribute that is never null and the primary key."""
    if after:
        earlier = Q(**{f"{moment}__lt": after.moment}) | Q(**{moment: after.moment}, pk__lt=after.pk)
        queryset = queryset.filter(earlier, **{f"{moment}__lte": after.moment})
    return first_of(list(queryset.order_by(f"-{moment}", "-pk")[: size + 1]), size, moment)
