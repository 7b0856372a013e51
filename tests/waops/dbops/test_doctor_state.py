"""The doctor on sessions, rows, fallbacks, extensions, backups and poolers."""

from datetime import timedelta

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from conversations.models import Conversation, Turn
from tests import factories
from tests.databases import django_uses
from tests.roles import django_is
from tests.waops.dbops.conftest import assert_named_then_fixed, doctor_findings, the
from waops.database import incidents
from waops.dbops.doctor import isolation, sessions
from waops.dbops.findings import Severity
from waops.dbops.models import Backup
from waops.dev.embedded.server import SUPERUSER


@pytest.fixture
def _impatient(monkeypatch):
    monkeypatch.setattr(sessions, "LONG_SECONDS", 0.0)


@pytest.mark.usefixtures("_impatient")
def test_a_transaction_left_open(owner, committed_database):
    with psycopg.connect(committed_database, application_name="forgotten") as forgotten:
        forgotten.execute("SELECT FROM profiles")
        found = assert_named_then_fixed("session.long_transaction", owner)
        assert "forgotten" in found.what
        forgotten.close()


def test_a_prepared_transaction(owner, committed_database):
    with psycopg.connect(committed_database, autocommit=True) as other:
        other.execute("BEGIN")
        other.execute("DELETE FROM profiles")
        other.execute("PREPARE TRANSACTION 'half done'")
    assert_named_then_fixed("session.prepared_transaction", owner, subject="half done")


def test_an_unused_replication_slot(owner, superuser):
    superuser.execute("SELECT pg_create_physical_replication_slot('left_over', true)")
    assert_named_then_fixed("session.idle_slot", superuser, subject="left_over")


def test_sessions_of_others_that_cannot_be_seen(owner, superuser):
    superuser.execute("SELECT 1")
    found = the("session.hidden", doctor_findings())
    for line in found.fix:
        superuser.execute(line)
    try:
        assert "session.hidden" not in [finding.code for finding in doctor_findings()]
    finally:
        superuser.execute("REVOKE pg_read_all_stats FROM postgres")


def test_a_message_stored_twice(owner):
    chat = factories.conversation()
    owner.execute("DROP INDEX public.uniq_messages_conversation_message_id")
    for _copy in range(2):
        factories.message(chat, message_id="wamid.1")
    assert_named_then_fixed("data.duplicate_messages", owner)


def test_two_open_escalations_of_one_customer(owner):
    chat = factories.conversation()
    owner.execute("DROP INDEX public.uniq_escalated_open")
    for _copy in range(2):
        factories.escalation(chat)
    assert_named_then_fixed("data.duplicate_escalations", owner)


def test_a_customer_told_of_a_transfer_that_never_was(owner):
    chat = factories.conversation()
    factories.message(chat, "I want a person", timestamp=factories.ago(minutes=3))
    factories.message(chat, "transferred", "assistant", message_id="escalation_1700000000000")
    assert_named_then_fixed("data.missed_escalations", owner)
    query = "SELECT whatsapp_number, resolved_at, conversation_context -> 0 ->> 'content' FROM escalated_conversations"
    assert owner.execute(query).fetchall() == [(chat.user_phone, None, "I want a person")]


def test_a_transfer_that_was_answered_is_not_missed(committed_database):
    chat = factories.conversation()
    factories.message(chat, "transferred", "assistant", message_id="escalation_1700000000000")
    factories.escalation(chat, resolved_at=timezone.now())
    assert "data.missed_escalations" not in [finding.code for finding in doctor_findings()]


def test_turns_that_were_never_answered(owner):
    message = factories.message(factories.conversation(), timestamp=factories.ago(hours=4))
    turn = Turn.objects.create(
        message_id=message.pk,
        conversation_id=message.conversation_id,
        arrived_at=message.timestamp,
        lease_seconds=60,
        leased_until=factories.ago(hours=3),
    )
    assert "data.run_out_turns" in [finding.code for finding in doctor_findings()]
    call_command("periodic", "--only=turns")
    codes = [finding.code for finding in doctor_findings()]
    assert "data.unanswered" in codes
    assert "data.run_out_turns" not in codes
    factories.message(Conversation.objects.get(pk=turn.conversation_id), "here it is", "assistant")
    assert "data.unanswered" not in [finding.code for finding in doctor_findings()]


def test_a_message_count_that_is_wrong(owner):
    chat = factories.conversation()
    factories.message(chat)
    owner.execute(
        "UPDATE waops.message_count SET messages = 7,"
        " basis = waops.count_triggers('public.whatsapp_conversation_messages')"
    )
    assert_named_then_fixed("data.count_drift", owner)
    factories.message(chat)
    assert owner.execute("SELECT messages FROM waops.message_count").fetchall() == [(None,)]


def test_a_change_that_could_not_be_counted(owner):
    chat = factories.conversation()
    factories.message(chat)
    owner.execute("SELECT nextval('waops.message_count_lost')")
    assert_named_then_fixed("data.counts_lost", owner)
    assert owner.execute("SELECT is_called FROM waops.message_count_lost").fetchone() == (False,)
    assert owner.execute("SELECT count(*) FROM waops.message_count WHERE messages IS NOT NULL").fetchone() == (0,)


def test_a_trigger_that_does_not_fire_on_a_replica(owner):
    table, name = "public.whatsapp_conversation_messages", "waops_count_deleted"
    owner.execute(f"ALTER TABLE {table} ENABLE TRIGGER {name}")  # type: ignore[arg-type]
    finding = the("trigger.disabled", doctor_findings())
    assert (finding.subject, name in finding.what) == (table, True)
    for statement in finding.fix:
        owner.execute(statement)
    assert "trigger.disabled" not in [finding.code for finding in doctor_findings()]


COUNTED = ("public.whatsapp_conversation_messages", "public.whatsapp_ai_interactions")


@pytest.mark.parametrize("table", COUNTED)
def test_a_child_table_whose_writers_fire_no_trigger(owner, table):
    owner.execute(f"CREATE TABLE public.child () INHERITS ({table})")
    (finding,) = [finding for finding in doctor_findings() if finding.code == "data.child_tables"]
    assert (finding.subject, "child" in finding.what) == (table, True)
    owner.execute("DROP TABLE public.child")
    assert "data.child_tables" not in [finding.code for finding in doctor_findings()]


@pytest.mark.parametrize("table", COUNTED)
def test_a_subscription_that_writes_what_is_counted(owner, superuser, table):
    superuser.execute(
        "CREATE SUBSCRIPTION copied CONNECTION 'dbname=none' PUBLICATION everything"
        " WITH (connect = false, slot_name = NONE, enabled = false, create_slot = false)"
    )
    try:
        superuser.execute(
            "INSERT INTO pg_subscription_rel (srsubid, srrelid, srsubstate)"
            f" SELECT oid, '{table}'::regclass, 'r' FROM pg_subscription WHERE subname = 'copied'"
        )
        (finding,) = [finding for finding in doctor_findings() if finding.code == "data.subscription"]
        assert (finding.subject, "copied" in finding.what) == (table, True)
    finally:
        superuser.execute("DROP SUBSCRIPTION copied")


def test_a_function_that_fell_back(owner):
    name = "store_message_with_update"
    incidents.record(name, incidents.Incident.Kind.FALLBACK, "42883")
    assert_named_then_fixed("rollout.fallback", owner, subject=name)
    assert incidents.Incident.objects.get().acknowledged_by
    incidents.record(name, incidents.Incident.Kind.FALLBACK, "42883")
    assert the("rollout.fallback", doctor_findings()).subject == name


def test_an_old_fallback_is_no_longer_reported(committed_database):
    incidents.record("store_messages", incidents.Incident.Kind.FALLBACK, "42883")
    incidents.Incident.objects.update(last_at=factories.ago(hours=25))
    assert "rollout.fallback" not in [finding.code for finding in doctor_findings()]


def test_what_never_fell_back_cannot_be_acknowledged(committed_database):
    with pytest.raises(CommandError, match="nonsense"):
        call_command("doctor", acknowledge="nonsense")


def test_rows_that_row_level_security_hides(committed_database, superuser):
    superuser.execute("CREATE ROLE half_blind LOGIN")
    superuser.execute("GRANT USAGE ON SCHEMA waops TO half_blind")
    superuser.execute("GRANT SELECT ON ALL TABLES IN SCHEMA waops, public TO half_blind")
    try:
        with django_is("half_blind"):
            assert_named_then_fixed("connection.waops.W001", superuser)
    finally:
        superuser.execute("DROP OWNED BY half_blind; DROP ROLE half_blind")


@pytest.mark.usefixtures("contrib")
def test_an_extension_that_is_not_installed(owner, superuser):
    superuser.execute("DROP EXTENSION pg_trgm CASCADE")
    assert_named_then_fixed("extension.missing", superuser, subject="pg_trgm")


def test_no_backup(owner):
    assert_named_then_fixed("backup.old", owner)


def test_an_old_backup(owner):
    Backup.objects.create(taken_at=timezone.now() - timedelta(days=3), kind=Backup.Kind.ENTERED, recorded_by="Amal")
    assert_named_then_fixed("backup.old", owner)


@pytest.mark.parametrize(
    ("detected", "configured", "harms"),
    [
        ("direct", "direct", False),
        ("session", "direct", True),
        ("transaction", "session", True),
        ("session", "transaction", False),
    ],
)
def test_a_pooler_that_the_settings_do_not_know_of(detected, configured, harms):
    finding = isolation.judge_pooler(detected, configured)
    assert (finding is not None) == harms
    if finding:
        assert finding.fix == (f"DATABASE_POOL_MODE={detected}",)


def test_a_server_without_a_pooler_is_recognised(committed_database):
    assert isolation.detect_pooler(connection) == "direct"


def test_it_answers_on_an_empty_database(server, databases, django_db_blocker):
    with django_db_blocker.unblock(), databases.clone("empty") as name, django_uses(server, name):
        codes = {finding.code for finding in doctor_findings()}
    assert codes == {"connection.waops.E004", "migrations.none"}


def test_on_an_empty_database_the_printed_commands_lead_to_a_whole_one(server, databases, django_db_blocker):
    with django_db_blocker.unblock(), databases.clone("empty") as name, django_uses(server, name):
        dsn = server.dsn(SUPERUSER, name)
        with psycopg.connect(dsn, autocommit=True) as session, django_is(SUPERUSER):
            assert_named_then_fixed("connection.waops.E004", session)
            assert_named_then_fixed("migrations.none", session)
            assert {one.code for one in doctor_findings() if one.severity is Severity.ERROR} == set()


def test_it_exits_with_one_when_something_is_wrong(committed_database, capsys):
    with pytest.raises(SystemExit) as stopped:
        call_command("doctor")
    assert stopped.value.code == 1
    assert "backup --record" in capsys.readouterr().out
    call_command("backup", record="elsewhere")
    call_command("periodic")
    call_command("doctor", json=True)


def test_the_superuser_needs_no_row_level_security(committed_database):
    with django_is(SUPERUSER):
        codes = [finding.code for finding in doctor_findings()]
    assert "session.hidden" not in codes
    assert "doctor.unreadable" not in codes
