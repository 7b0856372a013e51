"""Flags, the kill switch, and the legacy path that is used when a function is broken."""

import logging
from collections.abc import Callable

import pytest
from django.db import OperationalError, connection, transaction
from waffle.testutils import override_sample

from conversations.models import Message
from tests import factories
from tests.conversations.message_path.callers import legacy, procedures
from usage.procedures import check_and_update_ai_usage
from waops.database import flags
from waops.database.calls import CallRefused
from waops.database.incidents import Incident

NAME = "store_message_with_update"

pytestmark = pytest.mark.django_db


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that calls took."""
    paths: list[str] = []

    def spy(module: str, name: str, path: str) -> None:
        from importlib import import_module

        original: Callable = getattr(import_module(module), name)
        monkeypatch.setattr(f"{module}.{name}", lambda *args: (paths.append(path), original(*args))[1])

    spy("tests.conversations.message_path.callers.procedures.messages", "call", "function")
    spy("tests.conversations.message_path.callers.legacy.messages", "lock", "old")
    return paths


def store(conversation=None) -> None:
    procedures.store_message_with_update((conversation or factories.conversation()).pk, "user", "hello")


def test_a_new_installation_calls_the_functions(taken: list[str]):
    store()
    assert taken == ["function"]
    assert all(flags.uses_function(name) for name in (*procedures.__all__, "check_and_update_ai_usage"))


def test_a_flag_switches_one_function(taken: list[str]):
    with override_sample(NAME, active=False):
        store()
        assert flags.uses_function("message_arrived")
    store()
    assert taken == ["old", "function"]


def test_a_flag_takes_a_share_of_the_calls():
    with override_sample(NAME, active=25.0):
        drawn = sum(flags.uses_function(NAME) for _ in range(2000))
    assert 350 < drawn < 650


@pytest.mark.parametrize("switch", [NAME, "all"])
def test_the_kill_switch_wins_over_the_flag(settings, taken: list[str], switch: str):
    settings.MESSAGE_PATH_KILL_SWITCH = frozenset([switch])
    with override_sample(NAME, active=True):
        store()
    assert taken == ["old"]


def test_the_kill_switch_leaves_other_functions_alone(settings, taken: list[str]):
    settings.MESSAGE_PATH_KILL_SWITCH = frozenset(["message_arrived"])
    store()
    assert taken == ["function"]


BODY = """
    CREATE OR REPLACE FUNCTION public.store_message_with_update(
        p_conversation_id uuid, p_role text, p_content text, p_message_id text DEFAULT NULL
    ) RETURNS json LANGUAGE plpgsql AS $$ BEGIN {}; END $$
"""
BREAK = {
    "42883": "ALTER FUNCTION public.store_message_with_update RENAME TO gone",
    "42703": BODY.format("SELECT gone FROM pg_catalog.pg_class"),
}


@pytest.mark.parametrize("sqlstate", BREAK)
def test_a_broken_function_uses_the_legacy_path(taken: list[str], caplog, sqlstate: str):
    conversation = factories.conversation()
    with connection.cursor() as cursor:
        cursor.execute(BREAK[sqlstate])
    with caplog.at_level(logging.WARNING):
        stored = procedures.store_message_with_update(conversation.pk, "user", "hello", "a")
        again = procedures.store_message_with_update(conversation.pk, "user", "hello", "a")
    assert taken == ["function", "old"] * 2
    assert (stored.message_count, again.duplicate) == (1, True)
    assert [record.getMessage().split(":")[0] for record in caplog.records] == [
        f"{NAME} failed ({sqlstate}), so the legacy path is used"
    ] * 2
    incident = Incident.objects.get()
    assert (incident.procedure, incident.kind, incident.detail, incident.occurrences) == (NAME, "fallback", sqlstate, 2)


def test_a_callers_error_is_not_fallen_back_from(taken: list[str]):
    conversation = factories.conversation()
    for role, content in [("system", "x"), ("user", None)]:
        with pytest.raises(CallRefused):
            procedures.store_message_with_update(conversation.pk, role, content)
    assert taken == ["function"] * 2
    assert not Incident.objects.exists()


def test_trouble_with_the_server_is_not_fallen_back_from(taken: list[str]):
    """The legacy path could not get the lock either."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE OR REPLACE FUNCTION public.store_message_with_update(p_conversation_id uuid, p_role text,"
            " p_content text, p_message_id text DEFAULT NULL) RETURNS json LANGUAGE plpgsql"
            " AS $$ BEGIN RAISE EXCEPTION USING ERRCODE = '55P03'; END $$"
        )
    with pytest.raises(OperationalError):
        store()
    assert taken == ["function"]


def test_the_callers_transaction_goes_on_after_a_fallback():
    conversation = factories.conversation()
    with transaction.atomic():
        factories.message(conversation)
        with connection.cursor() as cursor:
            cursor.execute(BREAK["42883"])
        store(conversation)
    assert Message.objects.filter(conversation=conversation).count() == 2


def test_an_uncounted_failure_is_answered_all_the_same(taken: list[str], caplog):
    with connection.cursor() as cursor:
        cursor.execute(BREAK["42883"])
        cursor.execute("ALTER TABLE waops.waops_incident RENAME COLUMN detail TO gone")
    conversation = factories.conversation()
    with transaction.atomic():
        store(conversation)
    assert taken == ["function", "old"]
    assert Message.objects.filter(conversation=conversation).count() == 1
    assert f"The failure of {NAME} was not counted" in caplog.text


def test_both_paths_count_an_unknown_business():
    assert check_and_update_ai_usage(None).allowed
    with override_sample("check_and_update_ai_usage", active=False):
        assert check_and_update_ai_usage(None).allowed
    assert Incident.objects.get().occurrences == 2


def test_the_legacy_path_needs_nothing_of_ours():
    conversation = factories.conversation()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE public.whatsapp_conversation_messages DISABLE TRIGGER USER")
        cursor.execute("DROP TABLE waops.message_count")
        cursor.execute("DROP INDEX public.uniq_messages_conversation_message_id")
    for expected in (1, 2):
        assert legacy.store_message_with_update(conversation.pk, "user", "hello").message_count == expected
