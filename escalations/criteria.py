"""What the queue can be narrowed to."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

NO_REASON = "none-given"


class State(StrEnum):
    OPEN = "open"
    RESOLVED = "resolved"


@dataclass(frozen=True)
class Criteria:
    """`text` is a customer's name, or a phone number in any written form; NO_REASON as `reason` finds those without."""

    state: State = State.OPEN
    text: str = ""
    business: UUID | None = None
    number: UUID | None = None
    reason: str = ""

    @property
    def is_narrowed(self) -> bool:
        return bool(self.text or self.business or self.number or self.reason)


@dataclass(frozen=True)
class Facet:
    """How many cases one number of one business has for one reason."""

    business_id: UUID | None
    business_name: str | None
    instance_id: UUID | None
    number_name: str | None
    why: str | None
    cases: int
