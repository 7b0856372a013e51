"""Whatever was wrong with schema waops while the service wrote: afterwards each kept count is exact, or known to be
unknown and counted again."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from itertools import cycle

import psycopg
import pytest

from tests.databases import Databases, django_uses
from tests.usage.shops import is_complete
from tests.waops.faults import catalog_faults, service
from tests.waops.faults.catalog_faults import Fault
from tests.waops.faults.service import INSERT, INSTANCE, MESSAGES, STATEMENTS, send
from usage import rollup
from waops.dev.embedded.server import SUPERUSER, EmbeddedServer

WRITES = (
    f"{INSERT} ('{{id}}', 'user', 'hello', NULL)",
    f"{INSERT} ('{{id}}', 'user', 'hello', NULL), ('{{other}}', 'user', 'hello', NULL)",
    f"UPDATE {MESSAGES} SET conversation_id = '{{other}}' WHERE id = ("
    f"SELECT id FROM {MESSAGES} WHERE conversation_id = '{{id}}' LIMIT 1)",
    f"DELETE FROM {MESSAGES} WHERE id = (SELECT id FROM {MESSAGES} WHERE conversation_id = '{{id}}' LIMIT 1)",
    "SELECT store_message_with_update('{id}', 'user', 'hello')",
    """SELECT store_messages('{id}', '[{{"role": "user", "content": "a"}}]')""",
    f"SELECT message_arrived('{INSTANCE}', '{{phone}}', 'hello')",
    "SELECT reply_ready('{id}', 'hi')",
    f"COPY {MESSAGES} (conversation_id, role, content) FROM STDIN",
)
"""Each for separate conversations, so that a known gap of one statement hides nothing of another."""
AI_REPLIES = (
    [STATEMENTS["INSERT of an AI reply"]],
    [STATEMENTS["UPDATE of AI replies"]],
    ["DELETE FROM whatsapp_ai_interactions WHERE id = (SELECT id FROM whatsapp_ai_interactions LIMIT 1)"],
    [STATEMENTS["TRUNCATE of AI replies"], STATEMENTS["INSERT of an AI reply"]],
)
"""What each fault gets one of in turn: a single missed change makes all counts of AI replies known to be stale."""
CONVERSATIONS = [
    (f"00000000-0000-4000-8000-000000000{phone}", str(phone)) for phone in range(501, 501 + 2 * len(WRITES))
]
CONVERSATION = f"""
    INSERT INTO whatsapp_conversations (id, instance_id, user_phone) VALUES ('%s', '{INSTANCE}', '%s')
    ON CONFLICT (id) DO NOTHING
"""
STORE = "SELECT store_message_with_update('%s', 'user', 'hello')"
COUNTED = f"SELECT count(*) FROM {MESSAGES} WHERE conversation_id = '%s'"


class World:
    """A migrated database that Django uses too, and a session of the service that commits each statement."""

    def __init__(self, dsn: str, superuser: psycopg.Connection, service_role: psycopg.Connection) -> None:
        self.dsn = dsn
        self.superuser = superuser
        self.service = service_role
        self._ai_replies = cycle(AI_REPLIES)

    @cached_property
    def faults(self) -> list[Fault]:
        return catalog_faults.faults(self.superuser)

    def prepare(self) -> None:
        """Every count is kept and trusted."""
        while not send(self.superuser, "SELECT waops.forget_counts()")[0][0]:
            pass
        for one in CONVERSATIONS:
            send(self.service, CONVERSATION % one)
            send(self.service, STORE % one[0])
            send(self.service, STORE % one[0])
        assert is_complete(rollup.rebuild())

    def write(self) -> None:
        """What the service does in the meantime. Raises what fails."""
        for statement in next(self._ai_replies):
            send(self.service, statement)
        for place, statement in enumerate(WRITES):
            (one, phone), (other, _phone) = CONVERSATIONS[2 * place : 2 * place + 2]
            send(self.service, statement.format(id=one, other=other, phone=phone))

    def assert_exact(self) -> None:
        """The counts that the service is told, and the ones behind the pages of quota."""
        wrong = {}
        for one, phone in CONVERSATIONS:
            told = send(self.service, STORE % one)[0][0]["message_count"]
            counted = send(self.service, COUNTED % one)[0][0]
            if told != counted:
                wrong[phone] = f"{told}, not {counted}"
        assert not wrong
        assert is_complete(rollup.refresh(patience=None))
        assert rollup.verify().differences == 0


@contextmanager
def world_of_its_own(server: EmbeddedServer, databases: Databases) -> Iterator[World]:
    with databases.clone("migrated") as name, django_uses(server, name):
        dsn = server.dsn(SUPERUSER, name)
        with (
            psycopg.connect(dsn, autocommit=True) as superuser,
            psycopg.connect(dsn, autocommit=True) as service_role,
        ):
            service.fill(service_role)
            service_role.execute("SET ROLE service_role")
            yield World(dsn, superuser, service_role)


@pytest.fixture(scope="module")
def world(server: EmbeddedServer, databases: Databases, django_db_blocker) -> Iterator[World]:
    with django_db_blocker.unblock(), world_of_its_own(server, databases) as world:
        yield world


@pytest.mark.parametrize("kind", [kind for kind in catalog_faults.KINDS if kind not in catalog_faults.LOST])
def test_counts_are_exact_once_a_fault_is_undone_manually(world: World, kind: str, subtests: pytest.Subtests) -> None:
    """Without any repair by the app."""
    for fault in world.faults:
        if fault.kind == kind and fault.undo:
            with subtests.test(fault.name):
                world.prepare()
                world.superuser.execute(fault.sql)
                try:
                    world.write()
                finally:
                    world.superuser.execute(fault.undo)
                world.assert_exact()


@pytest.mark.parametrize("mode", catalog_faults.LOCKS)
def test_counts_are_exact_after_a_lock(world: World, mode: str, subtests: pytest.Subtests) -> None:
    for fault in catalog_faults.locks(world.superuser, mode):
        with subtests.test(fault.name):
            world.prepare()
            with psycopg.connect(world.dsn) as holder:
                holder.execute(fault.sql)
                world.write()
                holder.rollback()
            world.assert_exact()


def test_counts_are_exact_after_a_truncate_that_ours_could_not_follow(world: World, subtests: pytest.Subtests) -> None:
    for fault in world.faults:
        if fault.undo and fault.name.startswith(("table ", "schema ")):
            with subtests.test(f"{fault.kind}: {fault.name}"):
                world.prepare()
                world.superuser.execute(fault.sql)
                try:
                    send(world.service, STATEMENTS["TRUNCATE of messages"])
                    world.write()
                finally:
                    world.superuser.execute(fault.undo)
                world.assert_exact()
