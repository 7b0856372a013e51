"""One statement when a message arrives and one when its reply is ready, counted at the server."""

from collections.abc import Iterator
from functools import partial

import psycopg
import pytest
from django.db import connection, transaction

from tests import factories
from tests.conversations.message_path.callers import legacy, procedures
from tests.databases import Databases
from usage.procedures import check_and_update_ai_usage
from waops.database.flags import uses_function
from waops.dev.embedded.server import SUPERUSER, EmbeddedServer


class StatementLog:
    """The statements that Django's connection sent, from the server's own log."""

    def __init__(self, server: EmbeddedServer) -> None:
        self.log = server.log
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            self.marker = f"[{cursor.fetchone()[0]}]"
        self.start = len(self._lines())

    def _lines(self) -> list[str]:
        lines = self.log.read_text(errors="replace").splitlines()
        return [line for line in lines if self.marker in line and "LOG:  " in line]

    def statements(self) -> list[str]:
        return [line.partition("LOG:  ")[2] for line in self._lines()[self.start :]]


@pytest.fixture
def log(server: EmbeddedServer, committed_database: str) -> Iterator[StatementLog]:
    name = psycopg.conninfo.conninfo_to_dict(committed_database)["dbname"]
    with psycopg.connect(server.dsn(SUPERUSER), autocommit=True) as superuser:
        superuser.execute(f"ALTER DATABASE \"{name}\" SET log_statement = 'all'")
    connection.close()
    for procedure in (*procedures.__all__, "check_and_update_ai_usage"):
        assert uses_function(procedure)  # also fills the cache of flags
    return StatementLog(server)


def test_a_turn_is_two_statements(log: StatementLog):
    instance = factories.instance()
    log.start = len(log._lines())
    arrived = procedures.message_arrived(instance.pk, "20100", "hello", "a")
    procedures.reply_ready(arrived.message.conversation_id, "hi", "b", {"user_message": "hello"})
    statements = log.statements()
    assert len(statements) == 2, statements
    assert "public.message_arrived" in statements[0]
    assert "public.reply_ready" in statements[1]


def test_the_legacy_path_takes_several(log: StatementLog):
    instance = factories.instance()
    log.start = len(log._lines())
    arrived = legacy.message_arrived(instance.pk, "20100", "hello", "a")
    legacy.reply_ready(arrived.message.conversation_id, "hi", "b", {"user_message": "hello"})
    assert len([statement for statement in log.statements() if "SAVEPOINT" not in statement]) > 10


def test_each_caller_is_one_statement(log: StatementLog):
    message = procedures.message_arrived(factories.instance().pk, "20100", "hello").message
    instance = factories.instance()
    calls = {
        "store_message_with_update": (message.conversation_id, "user", "x"),
        "store_message_and_update_conversation": (message.conversation_id, "user", "x"),
        "store_messages": (message.conversation_id, [{"role": "user", "content": "x"}] * 50),
        "get_conversation_with_context": (instance.pk, "20100"),
        "get_instance_state": (instance.pk, "20100"),
        "update_personality_usage_batch": ([instance.pk] * 50,),
        "message_arrived": (instance.pk, "20100", "hello"),
        "reply_ready": (message.conversation_id, "hi", None, {"user_message": "hello"}),
        "turn_state": (instance.pk,),
        "turn_sent": (instance.pk,),
        "end_turn": (instance.pk, "failed"),
    }
    assert calls.keys() == set(procedures.__all__)
    callers = {name: partial(getattr(procedures, name), *arguments) for name, arguments in calls.items()}
    callers["check_and_update_ai_usage"] = partial(check_and_update_ai_usage, instance.business_id, True)
    for name, caller in callers.items():
        log.start = len(log._lines())
        caller()
        assert len(log.statements()) == 1, name


def test_in_a_transaction_the_savepoint_travels_with_the_call(log: StatementLog):
    instance = factories.instance()
    with transaction.atomic():
        procedures.get_instance_state(instance.pk, "20100")
        log.start = len(log._lines())
        procedures.message_arrived(instance.pk, "20100", "hello")
        (statement,) = log.statements()
    assert statement.count("SAVEPOINT") == 2


@pytest.mark.usefixtures("contrib")
def test_pg_stat_statements_counts_the_same(server: EmbeddedServer, databases: Databases, committed_database: str):
    name = psycopg.conninfo.conninfo_to_dict(committed_database)["dbname"]
    instance = factories.instance()
    for procedure in procedures.__all__:
        uses_function(procedure)
    with psycopg.connect(server.dsn(SUPERUSER, name), autocommit=True) as superuser:
        superuser.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements SCHEMA extensions")
        superuser.execute("SELECT extensions.pg_stat_statements_reset()")
        arrived = procedures.message_arrived(instance.pk, "20100", "hello", "a")
        procedures.reply_ready(arrived.message.conversation_id, "hi", "b", {"user_message": "hello"})
        counted = superuser.execute(
            "SELECT sum(calls) FROM extensions.pg_stat_statements AS s JOIN pg_roles ON pg_roles.oid = s.userid"
            " WHERE rolname = 'postgres'"
        ).fetchone()
    assert counted == (2,)
