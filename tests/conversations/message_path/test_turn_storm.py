"""Every message is answered once or listed as unanswered, whichever worker dies."""

import pytest

from tests.conversations.message_path.rows import Rows
from tests.conversations.message_path.turn_storm import Storm


@pytest.mark.parametrize("seed", [1, 2])
def test_every_message_is_answered_once_or_listed(ours: Rows, seed: int):
    storm = Storm(ours, messages=250, seed=seed)
    storm.run()
    assert list(storm.problems()) == []
    for state in ("yours", "in_progress", "done", "over_quota", "reply sending", "reply superseded"):
        assert storm.states[state], (state, storm.states)
    assert len(storm.unknown) <= 5
