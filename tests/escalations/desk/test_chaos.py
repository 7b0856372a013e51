"""Twenty people act on fifty escalations at once; nothing is lost, doubled or unexplained.

Longer: benchmarks.desk_chaos.
"""

from escalations.procedures import Outcome
from tests.escalations.chaos import Desk, rage, untold
from tests.escalations.replay import problems

SECONDS = 5


def test_every_escalation_ends_in_one_state_that_its_history_explains(committed_database) -> None:
    outcomes = rage(Desk.make(people=20, escalations=50), SECONDS, seed=1)
    assert list(problems()) == []
    assert untold(outcomes) == {}
    assert set(outcomes) >= {Outcome.CLAIMED, Outcome.HELD, Outcome.RESOLVED, Outcome.SNOOZED, Outcome.REOPENED}
