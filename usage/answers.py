"""Results of the quota functions."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self


@dataclass(frozen=True)
class AIUsage:
    """A business's quota of AI replies this month.

    `allowed`: whether the AI may reply or, for a call that counts, whether it was counted. `resets_on`: when the
    counter is due for a reset; None without a known business, and then `error_message` says so. `reset_overdue`: the
    reset was due earlier and has not happened.
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
