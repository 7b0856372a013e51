"""What the quota's functions answer."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self


@dataclass(frozen=True)
class AIUsage:
    """A business's quota of AI answers this month.

    `allowed`: whether the AI may answer, or, of a call that counts, whether it was counted. `resets_on`: when the
    counter is due to be reset; None without a known business, and then `error_message` says so. `reset_overdue`: it was
    due before, and nobody has reset it.
    """

    allowed: bool
    limit: int
    used: int
    resets_on: datetime | None
    error_message: str | None
    reset_overdue: bool

    @classmethod
    def from_json(cls, answer: dict[str, Any]) -> Self:
        resets_on = answer["resetsOn"]
        return cls(
            allowed=answer["allowed"],
            limit=answer["limit"],
            used=answer["used"],
            resets_on=resets_on and datetime.fromisoformat(resets_on),
            error_message=answer["errorMessage"],
            reset_overdue=answer["resetOverdue"],
        )
