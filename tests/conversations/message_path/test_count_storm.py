"""A storm of writers of every kind: at each quiet point every count is exact or unknown, and a store makes it exact.

`python -m benchmarks.count_storm` runs it for minutes.
"""

import random
import threading
import time
from contextlib import suppress
from uuid import UUID

import psycopg
import pytest
from psycopg import errors

from tests.conversations.message_path.rows import Rows
from tests.conversations.message_path.test_count_basis import switch
from tests.conversations.message_path.test_message_count import DELETE_ONE, INSERT, LOST, STORE, known
from waops.dev.embedded.server import SUPERUSER

WRITERS, CONVERSATIONS, PHASES, SECONDS = 16, 6, 6, 1.0
EXPECTED = (errors.DeadlockDetected, errors.SerializationFailure, errors.ForeignKeyViolation, errors.AdminShutdown)
"""What the service's own statements do to each other, with and without us, and kills."""

RACE = "new multixact has more than one updating member"
"""A race in Postgres 18 while sessions are killed. The service's own statements hit it too, on tables without anything
of ours."""

MESSAGES = "public.whatsapp_conversation_messages"
BOTH = (
    f"WITH gone AS (DELETE FROM {MESSAGES} WHERE id IN (SELECT id FROM {MESSAGES} WHERE conversation_id = %s LIMIT 2)"
    f" RETURNING conversation_id) INSERT INTO {MESSAGES} (conversation_id, role, content)"
    " SELECT conversation_id, 'user', 'x' FROM gone"
)
MERGE = (
    f"MERGE INTO {MESSAGES} AS message USING (SELECT %s::uuid AS id, random()::text AS key) AS given"
    " ON message.conversation_id = given.id AND message.content = 'x' WHEN MATCHED THEN DELETE"
    " WHEN NOT MATCHED THEN INSERT (conversation_id, role, content) VALUES (given.id, 'user', 'x')"
)
NESTED = (
    f"WITH added AS ({INSERT} RETURNING conversation_id)"
    " SELECT public.store_message_with_update(conversation_id, 'user', 'x') FROM added"
)
MOVE = f"UPDATE {MESSAGES} SET conversation_id = %s WHERE id = (SELECT id FROM {MESSAGES} ORDER BY random() LIMIT 1)"
TRIM = f"""
    CREATE FUNCTION public.trim() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.content = 'trim' THEN
            DELETE FROM {MESSAGES} WHERE id IN (
                SELECT id FROM {MESSAGES} WHERE conversation_id = NEW.conversation_id ORDER BY random() LIMIT 2
            );
            PERFORM public.store_message_with_update(NEW.conversation_id, 'assistant', 'trimmed');
        END IF;
        RETURN NULL;
    END $$;
    CREATE TRIGGER trim AFTER INSERT ON {MESSAGES} FOR EACH ROW EXECUTE FUNCTION public.trim();
"""


class Writer(threading.Thread):
    def __init__(self, dsn: str, conversations: list[UUID], seed: int, until: float) -> None:
        super().__init__()
        self.dsn, self.conversations, self.until = dsn, conversations, until
        self.random = random.Random(seed)
        self.failures: list[Exception] = []

    def run(self) -> None:
        while time.monotonic() < self.until:
            with suppress(psycopg.OperationalError), psycopg.connect(self.dsn) as connection:
                connection.isolation_level = self.random.choice(
                    [psycopg.IsolationLevel.READ_COMMITTED] * 3 + [psycopg.IsolationLevel.REPEATABLE_READ]
                )
                while time.monotonic() < self.until:
                    try:
                        for _ in range(self.random.choice([1, 1, 3])):
                            self.write(connection)
                        connection.commit() if self.random.random() < 0.8 else connection.rollback()
                    except EXPECTED:
                        if connection.closed:
                            break
                        connection.rollback()
                    except psycopg.errors.Error as error:
                        if connection.closed:  # killed while it waited for the answer
                            break
                        if RACE not in str(error):
                            self.failures.append(error)
                        connection.rollback()

    def write(self, connection: psycopg.Connection) -> None:
        target = [self.random.choice(self.conversations)]
        kind = self.random.randrange(12)
        if kind < 2:
            connection.execute(INSERT, target)
        elif kind < 5:
            connection.execute(STORE, target)
        elif kind == 5:
            connection.execute(DELETE_ONE, target)
        elif kind == 6:
            connection.execute(MERGE if connection.info.server_version >= 150000 else BOTH, target)
        elif kind == 7:
            connection.execute(BOTH, target)
        elif kind == 8:
            connection.execute(NESTED, target)
        elif kind == 9:
            connection.execute(MOVE, target)
        elif kind == 10:
            connection.execute(INSERT.replace("'hello'", "'trim'"), target)
        else:
            copy = f"COPY {MESSAGES} (conversation_id, role, content) FROM STDIN"
            with connection.cursor() as cursor, cursor.copy(copy) as rows:
                for one in sorted(self.conversations)[:3]:
                    rows.write_row([one, "user", "copied"])


class Disturber:
    """Locks on what is ours, kills, cascades, truncates and switched triggers, while the writers are at work."""

    def __init__(self, dsn: str, conversations: list[UUID], seed: int) -> None:
        self.dsn, self.conversations, self.random = dsn, conversations, random.Random(seed)
        self.kinds = [
            (self.hold, "LOCK TABLE waops.message_count IN ACCESS EXCLUSIVE MODE"),
            (self.hold, "SELECT FROM waops.message_count FOR UPDATE"),
            (self.hold, "LOCK TABLE waops.message_count, waops.message_count_missed IN ACCESS EXCLUSIVE MODE"),
            (self.one, "DELETE FROM public.whatsapp_conversations WHERE id = %s"),
            (self.one, "DELETE FROM waops.message_count WHERE conversation_id = %s"),
            (self.run, f"TRUNCATE {MESSAGES}"),
            (self.run, "SELECT waops.forget_counts()"),
            (self.switch, DELETE_ONE),
            (self.switch, INSERT),
            (self.kill, "LIKE '%%whatsapp_conv%%'"),
        ]

    def disturb(self, until: float) -> None:
        while time.monotonic() < until:
            with psycopg.connect(self.dsn) as connection:
                connection.execute("SET lock_timeout = '1s'")
                disturb, statement = self.random.choice(self.kinds)
                with suppress(errors.DeadlockDetected, errors.LockNotAvailable):
                    disturb(connection, statement)
                    connection.commit() if self.random.random() < 0.7 else connection.rollback()
            time.sleep(0.03)

    def run(self, connection: psycopg.Connection, statement: str) -> None:
        connection.execute(statement)  # type: ignore[arg-type]

    def hold(self, connection: psycopg.Connection, statement: str) -> None:
        self.run(connection, statement)
        time.sleep(0.07)

    def one(self, connection: psycopg.Connection, statement: str) -> None:
        connection.execute(statement, [self.random.choice(self.conversations)])  # type: ignore[arg-type]

    def switch(self, connection: psycopg.Connection, statement: str) -> None:
        """Our triggers off and on again, with a store before and a change after, in one transaction."""
        switch(connection, "DISABLE", "USER")
        self.one(connection, statement)
        switch(connection, "ALWAYS", "USER")
        connection.execute(f"ALTER TABLE {MESSAGES} ENABLE TRIGGER USER")  # type: ignore[arg-type]
        switch(connection, "ALWAYS", "USER")
        if self.random.random() < 0.5:
            self.one(connection, STORE)

    def kill(self, connection: psycopg.Connection, which: str) -> None:
        name = psycopg.conninfo.conninfo_to_dict(self.dsn)["dbname"]
        with psycopg.connect(self.dsn, user=SUPERUSER, autocommit=True) as superuser:
            superuser.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"  # type: ignore[arg-type]
                f" WHERE datname = %s AND state <> 'idle' AND query {which} AND pid <> pg_backend_pid() LIMIT 2",
                [name],
            )


def storm(rows: Rows, seed: int, *, phases: int, seconds: float) -> None:
    """`phases` times: all writers at once for `seconds`, then a look at every count."""
    dsn, instance = rows.connection.info.dsn, rows.instance()
    conversations = [rows.conversation(instance) for _ in range(CONVERSATIONS)]
    for phase in range(phases):
        until = time.monotonic() + seconds
        writers = [
            Writer(dsn, conversations, seed * 100_000 + phase * 100 + number, until) for number in range(WRITERS)
        ]
        for writer in writers:
            writer.start()
        Disturber(dsn, conversations, seed * 1000 + phase).disturb(until)
        for writer in writers:
            writer.join()
        assert [failure for writer in writers for failure in writer.failures] == []
        found = {one: (known(rows, one), rows.stored(one)) for one in conversations}
        assert {one: pair for one, pair in found.items() if pair[0] not in (None, pair[1])} == {}
        if rows.value(LOST):
            while not rows.value("SELECT waops.forget_counts()"):
                pass
        exists = "SELECT EXISTS (SELECT FROM public.whatsapp_conversations WHERE id = %s)"
        for number, one in enumerate(conversations):
            if rows.value(exists, one):
                assert rows.value(STORE, one)["message_count"] == rows.stored(one) == known(rows, one)
            else:
                conversations[number] = rows.conversation(instance)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_storm_leaves_every_count_exact_or_unknown(ours: Rows, seed: int):
    ours.connection.execute(TRIM)  # type: ignore[arg-type]
    storm(ours, seed, phases=PHASES, seconds=SECONDS)
