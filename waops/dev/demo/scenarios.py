"""What can happen in a conversation: write and date each scenario."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from random import Random

from waops.dev.demo.catalog import Catalog
from waops.dev.demo.dialogue import Dialogue, Ending, place_in_time, waking_hour
from waops.dev.demo.drawing import DAY, HOUR, MINUTE, SHORT_WAITS, apportion, log_uniform
from waops.dev.demo.plan import BusinessPlan, Quota


class Scenario(Enum):
    """A scenario: its description, and the fewest messages it needs."""

    ORDINARY = ("ordinary", 1)
    WAITING = ("waiting", 3)
    ANSWERED_ANYWAY = ("answered by the AI although escalated", 6)
    ESCALATED_TWICE = ("two open escalations", 8)
    ESCALATED_AGAIN = ("escalated and resolved before, and open again", 14)
    RESOLVED = ("escalated and resolved", 4)
    MISSED = ("told of a transfer that never was", 4)
    UNANSWERED = ("out of quota", 3)
    DELIVERED_TWICE = ("webhook delivered twice", 4)
    MARATHON = ("very long", 400)

    @property
    def least(self) -> int:
        return self.value[1]


OPEN_SCENARIOS = {
    Scenario.WAITING: 1,
    Scenario.ANSWERED_ANYWAY: 1,
    Scenario.ESCALATED_AGAIN: 1,
    Scenario.ESCALATED_TWICE: 2,
}
"""How many open escalations each scenario leaves."""


@dataclass(frozen=True, slots=True)
class Cast:
    """The scenario of each conversation, and the number of open escalations without a conversation or an instance."""

    scenarios: list[Scenario]
    without_conversation: int
    without_instance: int


def cast(rng: Random, plan: BusinessPlan, catalog: Catalog) -> Cast:
    """Choose the scenarios of a business's conversations, in random order."""
    special: list[Scenario] = []
    without_conversation = without_instance = 0
    if plan.archetype.is_showcase:
        special = [Scenario.MARATHON, Scenario.ANSWERED_ANYWAY, Scenario.ESCALATED_AGAIN]
        special += [Scenario.ESCALATED_TWICE] if catalog.two_open_escalations else [Scenario.WAITING] * 2
        without_conversation, without_instance = 1, 2
    elif not plan.archetype.has_support_numbers:
        special = [Scenario.MISSED] * max(2, plan.conversations // 12)
    elif plan.archetype.quota in (Quota.USED_UP, Quota.OVER):
        special = [Scenario.UNANSWERED] * max(2, plan.conversations // 4)
    if catalog.duplicate_messages and plan.conversations:
        special += [Scenario.DELIVERED_TWICE] * (1 + plan.conversations // 200)
    told = sum(OPEN_SCENARIOS.get(scenario, 0) for scenario in special)
    waiting = plan.open_escalations - told - without_conversation - without_instance
    free = plan.conversations - len(special)
    seated = min(waiting, free)
    special += [Scenario.ANSWERED_ANYWAY if rng.random() < 0.04 else Scenario.WAITING for _ in range(seated)]
    special += [Scenario.RESOLVED] * min(plan.past_escalations, free - seated)
    scenarios = special + [Scenario.ORDINARY] * (plan.conversations - len(special))
    rng.shuffle(scenarios)
    return Cast(scenarios, without_conversation + waiting - seated, without_instance)


def tell(dialogue: Dialogue, scenario: Scenario, count: int, quiet: int) -> None:
    """Write the scenario in exactly `count` messages. `quiet`: ms since the business's AI last replied."""
    rng = dialogue.rng
    if scenario is Scenario.WAITING:
        holds = min(int(rng.triangular(0, 5, 1)), (count - 2) // 2)
        dialogue.chat(count - 2 - 2 * holds)
        dialogue.hand_over(holds, Ending.OPEN)
    elif scenario is Scenario.ANSWERED_ANYWAY:
        dialogue.chat(count - 4)
        dialogue.hand_over(0, Ending.OPEN)
        dialogue.chat(2)
    elif scenario is Scenario.ESCALATED_TWICE:
        dialogue.chat(count - 6)
        dialogue.hand_over(1, Ending.OPEN)
        dialogue.hand_over(0, Ending.OPEN)
    elif scenario is Scenario.ESCALATED_AGAIN:
        dialogue.chat(count - 14)
        for _ in range(3):
            dialogue.hand_over(0, Ending.RESOLVED)
            dialogue.come_back(2)
        dialogue.hand_over(0, Ending.OPEN)
    elif scenario is Scenario.RESOLVED:
        _tell_resolved(dialogue, count)
    elif scenario is Scenario.MISSED:
        dialogue.chat((count - 2) // 2)
        dialogue.hand_over(0, Ending.MISSED)
        dialogue.chat(count - 2 - (count - 2) // 2)
    elif scenario is Scenario.UNANSWERED:
        vain = min(rng.randint(1, 3), count - 2)
        dialogue.chat(count - vain)
        dialogue.ask_in_vain(vain, quiet)
    else:
        dialogue.chat(count)
        if scenario is Scenario.MARATHON:
            dialogue.lengthen_first_answer()


def _tell_resolved(dialogue: Dialogue, count: int) -> None:
    """One to four escalations, each followed by a return to the AI."""
    times = min(dialogue.rng.choices((1, 2, 4), (80, 15, 5))[0], count // 4)
    before, *returns = apportion(count - 2 * times, [1] * (times + 1))
    dialogue.chat(before)
    for messages in returns:
        holds = 1 if messages >= 4 else 0
        dialogue.hand_over(holds, Ending.RESOLVED)
        dialogue.come_back(messages - 2 * holds)


def date(dialogue: Dialogue, scenario: Scenario, now: int, quiet: int) -> list[int]:
    """The times of the dialogue's lines. `quiet`: for how many ms before `now` nothing happened at this business."""
    rng = dialogue.rng
    anchor = len(dialogue.lines) - 1
    if scenario in OPEN_SCENARIOS:
        anchor = next(episode.handover for episode in dialogue.episodes if episode.ending is Ending.OPEN)
        moment = now - quiet - int(log_uniform(rng, 4 * MINUTE, 3 * DAY, SHORT_WAITS))
        return place_in_time(dialogue.lines, anchor, moment, now - quiet)
    if scenario is Scenario.UNANSWERED:
        moment = now - int(log_uniform(rng, 5 * MINUTE, 20 * HOUR))
    elif scenario is Scenario.MARATHON:
        moment = now - 10 * MINUTE
    elif rng.random() < 0.35:
        moment = now - quiet - int(log_uniform(rng, 3 * MINUTE, DAY))
    else:
        moment = waking_hour(rng, now - quiet, 1 + 89 * rng.random() ** 2)
    return place_in_time(dialogue.lines, anchor, moment, now)
