"""Demo data on a fresh database: amounts, determinism, refusals, and what differs by deployment."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import psycopg
import pytest
from django.core.management import CommandError, call_command

from tests import wording
from tests.databases import Databases
from waops.dev.baseline import loader as baseline
from waops.dev.demo import SIZES, AlreadyHasBusinesses, NotTheOwner, SeedUsedBefore, TablesMissing, load
from waops.dev.embedded.server import SUPERUSER, EmbeddedServer

NOW = datetime(2026, 3, 20, 15, tzinfo=UTC)
TABLES = (
    "profiles",
    "whatsapp_instances",
    "ai_personalities",
    "whatsapp_ai_config",
    "support_team_numbers",
    "whatsapp_conversations",
    "whatsapp_conversation_messages",
    "whatsapp_ai_interactions",
    "escalated_conversations",
    "customer_profiles",
)


@pytest.fixture
def connection(owner_database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(owner_database, autocommit=True) as connection:
        yield connection


def value(connection: psycopg.Connection, query: str):
    return connection.execute(query).fetchone()[0]


def fingerprints(connection: psycopg.Connection) -> dict[str, str]:
    """A digest of every row of every table."""
    query = "SELECT md5(string_agg(t::text, E'\\n' ORDER BY id)) FROM {} AS t"
    return {table: value(connection, query.format(table)) for table in (*TABLES, "auth.users")}


def test_small_has_the_promised_amounts(connection):
    summary = load(connection, now=NOW)

    counts = {table: value(connection, f"SELECT count(*) FROM {table}") for table in TABLES}
    assert counts == {table: summary.counts[table] for table in TABLES}
    assert counts["profiles"] == 12
    assert counts["whatsapp_conversation_messages"] == 3_000
    assert value(connection, "SELECT count(*) FROM escalated_conversations WHERE resolved_at IS NULL") == 60


def test_the_same_seed_writes_the_same_rows(databases: Databases, server: EmbeddedServer):
    digests = []
    for seed in (7, 7, 8):
        with databases.clone("before") as name, psycopg.connect(server.dsn(dbname=name)) as connection:
            load(connection, seed=seed, now=NOW)
            digests.append(fingerprints(connection))

    assert digests[0] == digests[1]
    assert not set(digests[0].values()) & set(digests[2].values())


def test_nothing_lies_in_the_future(connection):
    load(connection, now=NOW)

    latest = """
        SELECT greatest(
            (SELECT max(timestamp) FROM whatsapp_conversation_messages),
            (SELECT max(last_activity) FROM whatsapp_conversations),
            (SELECT max(created_at) FROM whatsapp_ai_interactions),
            (SELECT max(greatest(escalated_at, resolved_at)) FROM escalated_conversations),
            (SELECT max(greatest(created_at, last_responses_reset_date)) FROM profiles))
    """
    assert value(connection, latest) <= NOW


def test_last_activity_is_the_last_message(connection):
    load(connection, now=NOW)

    wrong = """
        SELECT count(*) FROM whatsapp_conversations AS c
        JOIN LATERAL (SELECT max(timestamp) AS at FROM whatsapp_conversation_messages WHERE conversation_id = c.id) AS m
            ON true
        WHERE c.last_activity NOT BETWEEN m.at - interval '3 seconds' AND m.at OR c.started_at > c.last_activity
    """
    assert value(connection, wrong) == 0


def test_triggers_are_enabled_again(connection):
    load(connection, now=NOW)

    disabled = "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'O'"
    assert value(connection, disabled) == 0


def test_second_load_is_refused(connection):
    load(connection, now=NOW)
    before = fingerprints(connection)

    with pytest.raises(AlreadyHasBusinesses, match="12 businesses"):
        load(connection, seed=3, now=NOW)
    assert fingerprints(connection) == before


def test_force_adds_another_seed_but_never_the_same(connection):
    load(connection, now=NOW)

    load(connection, seed=3, now=NOW, force=True)
    assert value(connection, "SELECT count(*) FROM profiles") == 24
    with pytest.raises(SeedUsedBefore, match="2026"):
        load(connection, now=NOW, force=True)
    assert value(connection, "SELECT count(*) FROM profiles") == 24


def test_indexes_built_after_the_rows_are_the_same_indexes(connection, monkeypatch):
    monkeypatch.setitem(SIZES, "small", replace(SIZES["small"], indexes_last=True))
    connection.execute("COMMENT ON INDEX idx_conversations_phone_instance IS 'read by the queue'")
    indexes = "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid), indisvalid FROM pg_index ORDER BY 1"
    before = connection.execute(indexes).fetchall()
    built = []

    load(connection, now=NOW, progress=lambda stage, done, total: built.append((stage, total - done)))

    assert connection.execute(indexes).fetchall() == before
    assert (
        value(connection, "SELECT obj_description('idx_conversations_phone_instance'::regclass)") == "read by the queue"
    )
    assert built[-1] == ("indexes", 0)


def test_indexes_stay_where_there_is_data_already(connection, monkeypatch):
    load(connection, now=NOW)
    monkeypatch.setitem(SIZES, "small", replace(SIZES["small"], indexes_last=True))
    stages = []

    load(connection, seed=3, now=NOW, force=True, progress=lambda stage, done, total: stages.append(stage))

    assert set(stages) == {"messages"}


def test_statistics_are_fresh(connection):
    load(connection, now=NOW)

    assert value(connection, "SELECT reltuples FROM pg_class WHERE relname = 'whatsapp_conversation_messages'") == 3_000


def test_a_database_without_the_tables_is_named(empty_database):
    with psycopg.connect(empty_database) as connection, pytest.raises(TablesMissing, match="profiles"):
        load(connection, now=NOW)


def test_a_role_that_is_not_the_owner_is_told_so(connection):
    connection.execute("SET ROLE service_role")

    with pytest.raises(NotTheOwner, match="service_role"):
        load(connection, now=NOW)


@pytest.mark.parametrize("variant", ["before", "after"])
def test_loads_on_an_older_deployment_without_the_optional_tables(empty_database, server, variant):
    with psycopg.connect(empty_database) as superuser:
        baseline.load(superuser, variant, optional_tables=False, older=True)
    name = psycopg.conninfo.conninfo_to_dict(empty_database)["dbname"]
    with psycopg.connect(server.dsn(dbname=name)) as connection:
        summary = load(connection, now=NOW)

        reasons = {row[0] for row in connection.execute("SELECT DISTINCT reason FROM escalated_conversations")}
        assert {"user_request", "ai_failure", "low_confidence", "sensitive_topic", "repeated_question", None} == reasons
        assert value(connection, "SELECT count(escalation_threshold) FROM whatsapp_instances") > 0
    assert any("ai_detected_intent" in state for state in summary.left_out)
    assert any("support_team_numbers, customer_profiles" in state for state in summary.left_out)


def test_after_the_unique_indexes_their_duplicates_are_left_out(connection):
    connection.execute("CREATE UNIQUE INDEX ON whatsapp_conversation_messages (conversation_id, message_id)")
    connection.execute(
        "CREATE UNIQUE INDEX ON escalated_conversations (instance_id, whatsapp_number) WHERE resolved_at IS NULL"
    )

    summary = load(connection, now=NOW)

    assert value(connection, "SELECT count(*) FROM whatsapp_conversation_messages") == 3_000
    assert value(connection, "SELECT count(*) FROM escalated_conversations WHERE resolved_at IS NULL") == 60
    assert sum("unique index" in state for state in summary.left_out) == 2


def test_the_owner_is_the_app_s_role_on_supabase(databases: Databases, server: EmbeddedServer):
    """The superuser may load too: people who run their own server connect as superuser."""
    with databases.clone("before") as name, psycopg.connect(server.dsn(SUPERUSER, name)) as connection:
        assert load(connection, now=NOW).counts["profiles"] == 12


def test_command_loads_and_reports(committed_database, capsys):
    call_command("demo", "data", "--now", "2026-03-20T15:00Z")

    assert "12 businesses, 3000 messages" in capsys.readouterr().out
    with pytest.raises(CommandError, match="--force"):
        call_command("demo", "data")


def test_command_refuses_a_malformed_moment():
    with pytest.raises(CommandError, match=f"{wording.NOT_A_TIME}: yesterday"):
        call_command("demo", "data", "--now", "yesterday")
