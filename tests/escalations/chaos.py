"""A crowd of staff that does random things to the same escalations at the same time, while customers write."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from time import monotonic
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from conversations.models import Conversation
from escalations import procedures
from escalations.desk.live import look
from escalations.models import ClosingOutcome, Escalation, Event
from escalations.procedures import Outcome, Result
from tests import factories
from waops.models import User

LEASES = [timedelta(milliseconds=milliseconds) for milliseconds in (5, 50, 500, 5000)]
"""Some run out at once."""


@dataclass(frozen=True)
class Desk:
    people: list[User]
    conversations: list[Conversation]
    outcome: ClosingOutcome

    @classmethod
    def make(cls, people: int, escalations: int) -> "Desk":
        """Every fifth person is a manager too, and may override."""
        groups = [("Support", "Managers") if number % 5 == 0 else ("Support",) for number in range(people)]
        chats = [factories.conversation() for _ in range(escalations)]
        for chat in chats:
            factories.escalation(chat)
        return cls([factories.staff(*names) for names in groups], chats, ClosingOutcome.objects.get(code="answered"))


@dataclass
class Person:
    """Acts until told to stop, and remembers what came of it."""

    user: User
    desk: Desk
    random: Random

    def __post_init__(self) -> None:
        self.may_override = self.user.has_perm("escalations.override_escalation")
        self.outcomes: Counter[str] = Counter()
        self.versions: dict[UUID, int] = {}

    def act_until(self, end: float) -> Counter[str]:
        try:
            while monotonic() < end:
                for result in self.random.choice(self._actions)():
                    self.outcomes[result.outcome] += 1
                    if result.escalation_id:
                        self.versions[result.escalation_id] = result.version
            return self.outcomes
        finally:
            connection.close()

    @property
    def _actions(self) -> list[Callable[[], list[Result]]]:
        user, pick = self.user, self._escalations
        return [
            lambda: procedures.claim(pick(), user, lease=self.random.choice(LEASES), override=self._override()),
            lambda: procedures.renew(pick(), user),
            lambda: procedures.release(pick(), user, override=self._override()),
            lambda: procedures.hand_over(pick(), user, self.random.choice(self.desk.people), override=self._override()),
            lambda: procedures.snooze(pick(), user, self._until()),
            lambda: procedures.wake(pick(), user),
            lambda: procedures.note(pick(), user, "note"),
            lambda: procedures.resolve(pick(), user, self.desk.outcome, override=self._override()),
            lambda: procedures.reopen(pick(), user),
            lambda: [procedures.escalate(self.random.choice(self.desk.conversations).pk, user)],
            self._look,
            self._customer_writes,
            self._service_escalates,
        ]

    def _escalations(self) -> list[UUID] | dict[UUID, int]:
        """The latest escalation of one customer or of a few; now and then as it was when this person last saw it."""
        chats = self.random.sample(self.desk.conversations, self.random.choice([1, 1, 1, 5]))
        escalations = Escalation.objects.filter(whatsapp_number__in=[chat.user_phone for chat in chats])
        latest = escalations.order_by("whatsapp_number", F("resolved_at").desc(nulls_first=True)).distinct(
            "whatsapp_number"
        )
        ids = list(latest.values_list("pk", flat=True))
        self.random.shuffle(ids)
        if self.random.random() < 0.2:
            return {pk: self.versions.get(pk, 0) for pk in ids}
        return ids

    def _override(self) -> bool:
        return self.may_override and self.random.random() < 0.5

    def _until(self) -> object:
        soon = timezone.now() + timedelta(milliseconds=200)
        return self.random.choice([None, soon])

    def _look(self) -> list[Result]:
        look(Escalation.objects.order_by("?").values_list("pk", flat=True)[0], self.user.pk)
        return []

    def _customer_writes(self) -> list[Result]:
        factories.message(self.random.choice(self.desk.conversations))
        return []

    def _service_escalates(self) -> list[Result]:
        """As the deployed service does, where nothing is open."""
        chat = self.random.choice(self.desk.conversations)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO public.escalated_conversations (whatsapp_number, instance_id) VALUES (%s, %s)"
                " ON CONFLICT DO NOTHING",
                [chat.user_phone, chat.instance_id],
            )
        return []


def rage(desk: Desk, seconds: float, seed: int) -> Counter[str]:
    """How often each outcome came of it. Whatever goes wrong for anybody is raised."""
    crowd = [Person(user, desk, Random(f"{seed} {number}")) for number, user in enumerate(desk.people)]
    end = monotonic() + seconds
    with ThreadPoolExecutor(len(crowd)) as pool:
        return sum(pool.map(lambda person: person.act_until(end), crowd), Counter())


def untold(outcomes: Counter[str]) -> dict[str, tuple[int, int]]:
    """Outcomes that went into the history, where people got them and it tells them a different number of times."""
    by_people = Event.objects.filter(actor__isnull=False)
    kinds = {outcome for outcome in Outcome if outcome in Event.Kind.values}
    counts = {kind: (outcomes[kind], by_people.filter(kind=kind).count()) for kind in kinds}
    return {kind: pair for kind, pair in counts.items() if pair[0] != pair[1]}
