"""The functions arrive on a database in use, and leave it as it was."""

import threading
from collections.abc import Iterator

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from conversations.preflight import RowsHidden, refuse_unfit_tables
from tests import wording
from tests.conversations.message_path.rows import Rows
from tests.conversations.message_path.test_message_count import DELETE_ONE, INSERT
from tests.databases import Databases, django_uses
from waops.dev.embedded.server import EmbeddedServer


@pytest.fixture
def deployed(server: EmbeddedServer, databases: Databases, django_db_blocker, request) -> Iterator[Rows]:
    """A database, before the plan unless told otherwise, with a conversation, that Django uses."""
    with (
        django_db_blocker.unblock(),
        databases.clone(getattr(request, "param", "before")) as name,
        django_uses(server, name),
        psycopg.connect(server.dsn(dbname=name), autocommit=True) as other,
    ):
        rows = Rows(other)
        rows.messages(rows.conversation(), 3)
        yield rows


def test_a_role_that_sees_only_some_messages_is_refused(deployed: Rows):
    with connection.cursor() as cursor, connection.schema_editor(atomic=False) as editor:
        cursor.execute("SET ROLE authenticated")
        with pytest.raises(RowsHidden, match=wording.ROW_LEVEL_SECURITY):
            refuse_unfit_tables(None, editor)


GAME = "CREATE FUNCTION public.end_turn({}) RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN 1; END'"


@pytest.mark.parametrize("arguments", ["p_game uuid", "p_turn uuid, p_outcome text"])
def test_a_function_of_the_service_with_a_name_of_ours_is_not_replaced(deployed: Rows, arguments: str):
    deployed.connection.execute(GAME.format(arguments))  # type: ignore[arg-type]
    before = catalog(deployed)
    with pytest.raises(CommandError, match=rf"end_turn\(uuid.*{wording.NOTHING_CHANGED}"):
        call_command("migrate", verbosity=0)
    assert catalog(deployed) == before


@pytest.mark.parametrize("deployed", ["after"], indirect=True)
def test_writers_at_work_do_not_fail_and_are_counted(deployed: Rows):
    """Installing, with short time-outs on the writers' side, and then taking it all away again."""
    conversation = deployed.conversation()
    failures: list[psycopg.Error] = []
    done = threading.Event()

    def write() -> None:
        with psycopg.connect(deployed.connection.info.dsn, autocommit=True) as writer:
            writer.execute("SET lock_timeout = '200ms'")
            while not done.is_set():
                try:
                    writer.execute(INSERT, [conversation])
                    writer.execute("SELECT public.store_message_with_update(%s, 'user', 'x')", [conversation])
                    writer.execute(DELETE_ONE, [conversation])
                except psycopg.Error as error:
                    failures.append(error)

    before = catalog(deployed)
    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        call_command("migrate", verbosity=0)
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert failures == []
    stored = deployed.value("SELECT public.store_message_with_update(%s, 'user', 'x')", conversation)
    assert stored["message_count"] == deployed.stored(conversation)
    call_command("migrate", "conversations", "0002", verbosity=0)
    call_command("migrate", "usage", "0002", verbosity=0)
    assert catalog(deployed) == before


def catalog(rows: Rows) -> list[str]:
    """Functions of `public` with bodies, grants and comments, and triggers."""
    return [
        line
        for (line,) in rows.connection.execute(
            "SELECT pg_get_functiondef(oid) || coalesce(proacl::text, '') || coalesce(obj_description(oid), '')"
            " FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
            " UNION ALL SELECT pg_get_triggerdef(pg_trigger.oid) FROM pg_trigger"
            " JOIN pg_class ON pg_class.oid = tgrelid AND relnamespace = 'public'::regnamespace WHERE NOT tgisinternal"
            " ORDER BY 1"
        )
    ]
