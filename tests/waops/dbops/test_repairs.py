"""Repairs: only looking unless told otherwise, doing it once, and leaving the way back open."""

import json
from threading import Thread

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from escalations.repairs import MissedEscalations
from tests import factories
from tests.waops.dbops.test_killed_migrate import schema_of


@pytest.fixture
def missed(committed_database):
    chat = factories.conversation()
    for number in range(12):
        factories.message(chat, f"message {number}", timestamp=factories.ago(minutes=30 - number))
    factories.message(chat, "transferred", "assistant", message_id="escalation_1700000000000")
    return chat


def answer(capsys, repair: str, **options) -> dict:
    capsys.readouterr()
    call_command("repair", repair, json=True, **options)
    return json.loads(capsys.readouterr().out)


def test_missed_escalations_are_only_looked_at_unless_told_otherwise(missed, owner, capsys):
    report = answer(capsys, "missed_escalations")
    assert (report["groups"], report["changed"]) == (1, None)
    assert owner.execute("SELECT count(*) FROM escalated_conversations").fetchone() == (0,)


def test_a_missed_customer_gets_the_escalation_that_the_service_should_have_written(missed, owner, capsys):
    told = missed.messages.get(message_id="escalation_1700000000000").timestamp
    assert answer(capsys, "missed_escalations", apply=True)["changed"] == 1
    query = (
        "SELECT instance_id, whatsapp_number, escalated_at, reason, resolved_at, conversation_context"
        " FROM escalated_conversations"
    )
    ((instance, number, at, reason, resolved_at, context),) = owner.execute(query).fetchall()
    assert (instance, number, at) == (missed.instance_id, missed.user_phone, told)
    assert (reason, resolved_at) == ("user_request", None)
    assert [item["content"] for item in context] == [f"message {number}" for number in range(2, 12)]
    assert set(context[0]) == {"role", "content", "timestamp"}
    assert answer(capsys, "missed_escalations", apply=True)["changed"] == 0


def test_one_told_twice_waits_once(missed, owner, capsys):
    factories.message(missed, "transferred", "assistant", message_id="escalation_1700000000001")
    assert answer(capsys, "missed_escalations", apply=True)["changed"] == 1
    assert owner.execute("SELECT count(*) FROM escalated_conversations").fetchone() == (1,)


def test_two_repairs_at_once_open_one_escalation(missed, owner):
    owner.execute("DROP INDEX public.uniq_escalated_open")

    def repair() -> None:
        try:
            MissedEscalations().run(connection, apply=True)
        finally:
            connection.close()

    threads = [Thread(target=repair) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert owner.execute("SELECT count(*) FROM escalated_conversations").fetchone() == (1,)


def test_a_promise_of_long_ago_is_left_alone(committed_database, capsys):
    chat = factories.conversation()
    factories.message(chat, "moved", "assistant", message_id="escalation_1", timestamp=factories.ago(days=31))
    assert answer(capsys, "missed_escalations")["groups"] == 0


def test_wrong_counts_are_found_and_forgotten(owner, capsys):
    right, wrong = factories.conversation(), factories.conversation()
    for chat in (right, wrong):
        factories.message(chat)
    owner.execute(
        "UPDATE waops.message_count SET messages = 9,"
        " basis = waops.count_triggers('public.whatsapp_conversation_messages') WHERE conversation_id = %s",
        [wrong.pk],
    )
    assert answer(capsys, "message_counts")["groups"] == 1
    assert answer(capsys, "message_counts", apply=True)["changed"] == 1
    assert owner.execute("SELECT conversation_id, messages FROM waops.message_count").fetchall() == [(right.pk, None)]


def test_a_repaired_function_is_still_reversed_to_what_was_there_first(
    server, owner_database, owner, committed_database
):
    """The repair uses the migration's own operation, so the original stays on record."""
    before = schema_of(server, owner_database, "--schema=public")
    owner.execute("DROP FUNCTION public.check_and_update_ai_usage(uuid, boolean)")
    owner.execute("ALTER FUNCTION public.get_conversation_with_context RESET search_path")
    with pytest.raises(SystemExit):
        call_command("repair", "functions", verbosity=0)
    call_command("repair", "functions", apply=True, verbosity=0)
    call_command("repair", "functions", verbosity=0)
    for app in ("escalations", "conversations", "usage"):
        call_command("migrate", app, "zero", verbosity=0)
    assert schema_of(server, committed_database, "--schema=public") == before


def test_an_index_that_is_being_built_is_left_alone(owner, committed_database, settings):
    settings.MIGRATION_LOCK_TIMEOUT, settings.MIGRATION_ATTEMPTS = 0.2, 1
    owner.execute("DROP INDEX public.idx_messages_conversation")
    with psycopg.connect(committed_database) as reader:
        reader.execute("LOCK TABLE whatsapp_conversation_messages IN ROW EXCLUSIVE MODE")

        def build() -> None:
            with psycopg.connect(committed_database, autocommit=True) as builder:
                builder.execute(
                    "CREATE INDEX CONCURRENTLY idx_messages_conversation"
                    ' ON public.whatsapp_conversation_messages (conversation_id, "timestamp" DESC)'
                )

        thread = Thread(target=build)
        thread.start()
        query = "SELECT to_regclass('public.idx_messages_conversation') IS NOT NULL"
        while owner.execute(query).fetchone() != (True,):
            pass
        with pytest.raises(CommandError):
            call_command("repair", "invalid_indexes", apply=True, verbosity=0)
        reader.rollback()
        thread.join()
    query = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'public.idx_messages_conversation'::regclass"
    assert owner.execute(query).fetchone() == (True,)
