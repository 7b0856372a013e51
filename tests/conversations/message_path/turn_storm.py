"""Workers that die anywhere, and webhooks delivered again and out of order: who was answered, and how often."""

import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, Queue
from typing import Any
from uuid import UUID

import psycopg

from tests.conversations.message_path.rows import Rows

WORKERS = 16
LEASE = 600
EXPIRE = """
    UPDATE waops.conversations_turn SET leased_until = now() - interval '2 hours'
    WHERE ended_at IS NULL AND conversation_id = %s
"""
UNANSWERED = ("run_out", "unconfirmed", "failed")


class Dies(Exception):  # noqa: N818
    """The worker ends here, whatever it was doing."""


@dataclass
class Storm:
    """One business with room for all answers and one without; `sends` is what the gateway was given: messages' rows."""

    rows: Rows
    messages: int
    seed: int
    small_limit: int = 5
    sends: list[str] = field(default_factory=list)
    states: Counter[str] = field(default_factory=Counter)
    unknown: set[str] = field(default_factory=set)
    errors: list[BaseException] = field(default_factory=list)

    def run(self) -> None:
        chance = random.Random(self.seed)
        limits = (10 * self.messages, self.small_limit)
        self.businesses = [self.rows.business(monthly_ai_response_limit=limit) for limit in limits]
        self.instances = [self.rows.instance(business) for business in self.businesses]
        self.queue: Queue[tuple[UUID, str, str]] = Queue()
        for delivery in self._deliveries(chance):
            self.queue.put(delivery)
        workers = [threading.Thread(target=self._work, args=[chance.random()]) for _ in range(WORKERS)]
        self.done = threading.Event()
        time_passes = threading.Thread(target=self._let_leases_run_out, args=[chance.random()])
        for thread in (*workers, time_passes):
            thread.start()
        for thread in workers:
            thread.join()
        self.done.set()
        time_passes.join()
        self._sweep()

    def _deliveries(self, chance: random.Random) -> list[tuple[UUID, str, str]]:
        """Each message one to three times; customers write in bursts, and neighbours change places."""
        placed: list[tuple[float, tuple[UUID, str, str]]] = []
        customer = 0
        for number in range(self.messages):
            customer += chance.random() < 0.4
            instance = self.instances[customer % 10 == 0]
            for _ in range(chance.choice((1, 1, 2, 3))):
                place = number + chance.expovariate(1 / 12)
                placed.append((place, (instance, f"20{customer:08}", f"wamid.{number}")))
        return [delivery for _, delivery in sorted(placed, key=lambda one: one[0])]

    def _work(self, seed: float) -> None:
        chance = random.Random(seed)
        connection: psycopg.Connection | None = None
        while True:
            try:
                delivery = self.queue.get_nowait()
            except Empty:
                break
            try:
                connection = connection or psycopg.connect(self.rows.connection.info.dsn, autocommit=True)
                self._handle(connection, delivery, chance)
            except (Dies, psycopg.errors.AdminShutdown, psycopg.OperationalError):
                if connection is not None:
                    connection.close()
                connection = None
            except BaseException as error:
                self.errors.append(error)
                break
        if connection is not None:
            connection.close()

    def _handle(self, connection: psycopg.Connection, delivery: tuple[UUID, str, str], chance: random.Random) -> None:
        """As docs/message-path.md tells callers."""
        try:
            self._maybe_die(connection, chance)
            query = "SELECT public.message_arrived(%s, %s, 'hello', %s, 5, %s)"
            arrived = self._call(connection, query, *delivery, LEASE)
        except (Dies, psycopg.OperationalError):
            self.queue.put(delivery)  # without a 200 it is delivered again
            raise
        turn = arrived["turn"]
        self.states[turn["state"]] += 1
        if turn["state"] == "unknown":  # the machine was so busy that a lock took longer than 40 ms
            self.unknown.add(arrived["message_id"])
        self._maybe_die(connection, chance)
        if turn["state"] != "yours":
            return
        if chance.random() < 0.3:
            threading.Event().wait(chance.random() / 30)  # the AI thinks
        if chance.random() < 0.05:
            self._call(connection, "SELECT public.end_turn(%s, 'failed')", turn["token"])
            return
        query = "SELECT public.reply_ready(%s, 'hi', %s, NULL, NULL, NULL, %s)"
        reply_id = f"reply-{turn['token']}"
        reply = self._call(connection, query, arrived["conversation_id"], reply_id, turn["token"])
        self.states[f"reply {reply['turn']['state']}"] += 1
        if reply["turn"]["state"] == "unknown":
            self.unknown.add(arrived["message_id"])
        self._maybe_die(connection, chance)
        if not reply["turn"]["stored"]:
            return
        state = self._call(connection, "SELECT public.turn_state(%s)", turn["token"])
        if state["is_escalated"]:
            return
        self._maybe_die(connection, chance)
        self.sends.append(arrived["message_id"])
        self._maybe_die(connection, chance)
        self._call(connection, "SELECT public.turn_sent(%s)", turn["token"])

    def _call(self, connection: psycopg.Connection, query: str, *parameters: Any) -> dict[str, Any]:
        row = connection.execute(query, parameters).fetchone()
        assert row is not None
        answer: dict[str, Any] = row[0]
        return answer

    def _maybe_die(self, connection: psycopg.Connection, chance: random.Random) -> None:
        drawn = chance.random()
        if drawn < 0.04:
            raise Dies
        if drawn < 0.06:
            # During whatever it does next, or just after it: the statement's outcome is not known.
            victim = connection.info.backend_pid
            threading.Thread(target=self._terminate, args=[victim, chance.random() / 500]).start()

    def _terminate(self, pid: int, delay: float) -> None:
        threading.Event().wait(delay)
        with psycopg.connect(self.rows.connection.info.dsn, autocommit=True) as connection:
            connection.execute("SELECT pg_terminate_backend(%s)", [pid])

    def _let_leases_run_out(self, seed: float) -> None:
        """Also of workers that are alive, and only slow."""
        chance = random.Random(seed)
        with psycopg.connect(self.rows.connection.info.dsn, autocommit=True) as connection:
            while not self.done.wait(0.01):
                held = connection.execute(
                    "SELECT DISTINCT conversation_id FROM waops.conversations_turn WHERE ended_at IS NULL"
                ).fetchall()
                for conversation in chance.sample(held, min(len(held), 4)):
                    with connection.transaction():
                        lock = "SELECT FROM public.whatsapp_conversations WHERE id = %s FOR NO KEY UPDATE"
                        connection.execute(lock, conversation)
                        connection.execute(EXPIRE, conversation)
                if chance.random() < 0.1:
                    with suppress(psycopg.errors.LockNotAvailable):
                        connection.execute("SELECT waops.end_run_out_turn(now() - interval '1 hour')")

    def _sweep(self) -> None:
        self.rows.connection.execute(
            "UPDATE waops.conversations_turn SET leased_until = now() - interval '2 hours' WHERE ended_at IS NULL"
        )
        while self.rows.value("SELECT waops.end_run_out_turn(now() - interval '1 hour')"):
            pass

    def problems(self) -> Iterator[str]:
        """What contradicts the promise; nothing if all is well."""
        yield from (f"failed: {error!r}" for error in self.errors)
        turns = {
            str(message): (outcome, later and str(later))
            for message, outcome, later in self.rows.connection.execute(
                "SELECT message_id, outcome, superseded_by FROM waops.conversations_turn"
            )
        }
        sends = Counter(self.sends)
        yield from (
            f"sent {times} times: {message}"
            for message, times in sends.items()
            if times > 1 and message not in self.unknown
        )
        for message, instance in self.rows.connection.execute(
            "SELECT message.id::text, conversation.instance_id FROM public.whatsapp_conversation_messages AS message"
            " JOIN public.whatsapp_conversations AS conversation ON conversation.id = message.conversation_id"
            " WHERE message.role = 'user'"
        ):
            if message in self.unknown:
                continue
            if message not in turns:
                if instance == self.instances[0]:
                    yield f"no turn: {message}"
                continue
            answering, steps = message, 0
            while (later := turns[answering][1]) is not None and steps < 1000:
                answering, steps = later, steps + 1
            outcome = turns[answering][0]
            if answering != message and sends[message]:
                yield f"sent although a later message answers it: {message}"
            if outcome == "answered" and sends[answering] != 1:
                yield f"answered and sent {sends[answering]} times: {message}"
            if outcome != "answered" and outcome not in UNANSWERED:
                yield f"neither answered nor listed, but {outcome or 'open'}: {message}"
            if outcome in ("run_out", "failed") and sends[answering]:
                yield f"sent and listed as {outcome}: {message}"
        for business, instance in zip(self.businesses, self.instances, strict=True):
            limit, used = self.rows.connection.execute(
                "SELECT monthly_ai_response_limit, monthly_ai_responses_used FROM public.profiles WHERE id = %s",
                [business],
            ).fetchone() or (0, 0)
            replies = self.rows.value(
                "SELECT count(*) FROM public.whatsapp_conversation_messages AS message"
                " JOIN public.whatsapp_conversations AS conversation ON conversation.id = message.conversation_id"
                " WHERE message.role = 'assistant' AND conversation.instance_id = %s",
                instance,
            )
            if not used == replies <= limit:
                yield f"{replies} replies, {used} counted, of {limit}"
