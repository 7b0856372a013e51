"""EXPLAIN baselines: recorded without a trace in the data, compared in words."""

import json

import pytest
from django.core.management import CommandError, call_command

from tests import factories, wording
from waops.dbops import explain, hot_statements
from waops.dbops.explain import record
from waops.dbops.explain_comparison import compare_baselines
from waops.dbops.hot_statements import HotStatement
from waops.dbops.models import ExplainBaseline


@pytest.fixture
def chat(committed_database):
    chat = factories.conversation()
    for number in range(5):
        factories.message(chat, f"message {number}")
    return chat


def only(monkeypatch, *statements: HotStatement) -> None:
    monkeypatch.setattr(explain, "STATEMENTS", statements)


def test_it_keeps_plan_times_pages_and_rows_of_every_statement(chat):
    plans = record("before", runs=2).plans["statements"]
    assert set(plans) == {statement.name for statement in hot_statements.STATEMENTS}
    for name, result in plans.items():
        assert "error" not in result, name
        assert len(result["times"]) == 2
        assert result["plan"]["Node Type"]
    assert plans["newest messages"]["rows"] == 5


def test_nothing_it_writes_stays(chat, owner):
    query = "SELECT count(*), max(last_activity) FROM whatsapp_conversation_messages, whatsapp_conversations"
    before = owner.execute(query).fetchone()
    record("before", runs=3)
    assert owner.execute(query).fetchone() == before
    assert owner.execute("SELECT monthly_ai_responses_used FROM profiles").fetchone() == (0,)


def test_what_does_not_say_that_it_writes_may_not(chat, monkeypatch):
    only(monkeypatch, HotStatement("sly", "DELETE FROM public.escalated_conversations"))
    assert "read-only" in record("sly").plans["statements"]["sly"]["error"]


def test_a_statement_that_takes_too_long_is_stopped_and_its_plan_kept(chat, monkeypatch):
    only(monkeypatch, HotStatement("slow", "SELECT pg_sleep(60)"))
    result = record("slow", seconds=0.2).plans["statements"]["slow"]
    assert "timeout" in result["error"]
    assert result["plan"]["Node Type"] == "Result"


def test_a_table_that_is_missing_does_not_stop_the_others(chat, owner):
    owner.execute("ALTER TABLE whatsapp_ai_interactions RENAME TO elsewhere")
    plans = record("before", runs=1).plans["statements"]
    assert "whatsapp_ai_interactions" in plans[wording.NEWEST_AI_REPLIES]["error"]
    assert plans["newest messages"]["times"]


def test_the_difference_is_described(chat, owner):
    owner.execute("ALTER TABLE whatsapp_conversation_messages DISABLE TRIGGER USER")  # slow for many rows at once
    owner.execute(
        "INSERT INTO whatsapp_conversation_messages (conversation_id, role, content, message_id)"
        " SELECT gen.id, 'user', 'x', n::text FROM (SELECT id FROM whatsapp_conversations) AS gen,"
        " generate_series(1, 5000) AS n"
    )
    owner.execute(
        "INSERT INTO whatsapp_conversations (instance_id, user_phone)"
        " SELECT instance_id, '1' FROM whatsapp_conversations"
    )
    owner.execute(
        "INSERT INTO whatsapp_conversation_messages (conversation_id, role, content)"
        " SELECT id, 'user', 'x' FROM whatsapp_conversations, generate_series(1, 20000) WHERE user_phone = '1'"
    )
    for index in (
        "idx_messages_conversation",
        "uniq_messages_conversation_message_id",
        "idx_whatsapp_conversation_messages_conversation_id",
    ):
        owner.execute(f"DROP INDEX public.{index}")
    owner.execute("ANALYZE whatsapp_conversation_messages")
    before = record("before", runs=1)
    owner.execute(
        "CREATE UNIQUE INDEX uniq_messages_conversation_message_id"
        " ON public.whatsapp_conversation_messages (conversation_id, message_id)"
    )
    after = record("after", runs=1)
    assert before.plans["parameters"] == after.plans["parameters"]
    (row,) = [row for row in compare_baselines(before, after).rows if row.name == wording.DUPLICATE_MESSAGE_CHECK]
    assert row.blocks_after < row.blocks_before
    assert "message_arrived" in row.inside
    assert row.words == (
        "Seq Scan on whatsapp_conversation_messages → "
        "Index Scan using uniq_messages_conversation_message_id on whatsapp_conversation_messages"
    )


def test_the_same_customer_is_asked_for_again(chat):
    first = record("first", runs=1)
    other = factories.conversation()
    for _number in range(50):
        factories.message(other)
    assert record("second", runs=1).plans["parameters"] == first.plans["parameters"]
    chat.messages.all().delete()
    chat.delete()
    assert record("third", runs=1).plans["parameters"]["conversation_id"] == str(other.pk)


def test_a_name_is_used_once(chat):
    record("before", runs=1)
    with pytest.raises(CommandError, match="before"):
        call_command("rollout", "explain", "before", runs=1)


def test_without_messages_it_says_so(committed_database):
    with pytest.raises(CommandError, match="messages"):
        call_command("rollout", "explain", "before")


def test_the_command_records_lists_and_compares(chat, capsys):
    call_command("rollout", "explain", "before", runs=1)
    call_command("rollout", "explain", "after", runs=1)
    capsys.readouterr()
    call_command("rollout", "explain", "--json")
    assert [row["name"] for row in json.loads(capsys.readouterr().out)["baselines"]["rows"]] == ["after", "before"]
    call_command("rollout", "compare", "--json", "before", "after")
    rows = json.loads(capsys.readouterr().out)["statements"]["rows"]
    assert len(rows) == len(hot_statements.STATEMENTS)
    assert ExplainBaseline.objects.count() == 2


def test_an_unknown_baseline_is_explained(committed_database):
    with pytest.raises(CommandError, match="nonsense"):
        call_command("rollout", "compare", "nonsense", "nonsense")
