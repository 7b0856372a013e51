"""Damage to what is ours: named by the doctor, by `check` and by /readyz, and repaired by one command."""

import json

import psycopg
import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.db import connection

from tests import factories, wording
from tests.waops.dbops.conftest import doctor_findings
from tests.waops.dbops.test_killed_migrate import schema_of
from waops.dbops.findings import Severity
from waops.dbops.inventory import inventory
from waops.dbops.plan import all_migrations, plan
from waops.dbops.probes import ready
from waops.dbops.repairs.damaged import everything_damaged

SQL_MADE = sorted(table.name for table in inventory(all_migrations()).tables.values() if table.model is None)
WITH_MODEL = sorted(table.name for table in inventory(all_migrations()).tables.values() if table.model is not None)
EVERY_TABLE = sorted((*SQL_MADE, *WITH_MODEL))
STRANGER = """
    CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$
"""

# By kind, so that one database shows all tables. None of them loses a row.
EVERYWHERE = {
    "renamed": "ALTER TABLE {table} RENAME TO {name}_old",
    "moved": "ALTER TABLE {table} SET SCHEMA elsewhere",
    "row security forced": "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
    "a trigger that raises": (
        "CREATE TRIGGER strange BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION public.refuse()"
    ),
    "a NOT NULL column more": "ALTER TABLE {table} ADD COLUMN more int NOT NULL",
    "closed to its owner": "REVOKE ALL ON {table} FROM postgres, service_role",
    "a column renamed": "ALTER TABLE {table} RENAME COLUMN {column} TO strange",
}


def damage_all(superuser: psycopg.Connection, statement: str, tables=EVERY_TABLE) -> None:
    superuser.execute("CREATE SCHEMA elsewhere AUTHORIZATION postgres")
    superuser.execute(STRANGER)
    for table in tables:
        column = list(inventory(all_migrations()).tables[table].columns)[-1]
        # A table of which a column alone has no rows yet takes a column more that must not be NULL.
        if "NOT NULL" in statement:
            superuser.execute(f"ALTER TABLE {table} ADD COLUMN more int NOT NULL DEFAULT 0")
            superuser.execute(f"ALTER TABLE {table} ALTER COLUMN more DROP DEFAULT")
            continue
        superuser.execute(statement.format(table=table, name=table.partition(".")[2], column=f'"{column}"'))


def repair() -> str:
    call_command("repair", "schema", apply=True, verbosity=0)
    assert everything_damaged(connection) == []
    return ""


def reverse_everything() -> None:
    for app in ("escalations", "conversations", "usage", "waops"):
        call_command("migrate", app, "zero", verbosity=0)


def test_a_migrated_database_is_whole(committed_database):
    assert everything_damaged(connection) == []
    assert json.loads(ready().content) == {"status": "ready"}


@pytest.mark.parametrize("kind", EVERYWHERE)
def test_every_table_that_is_damaged_is_named_and_repaired(superuser, server, committed_database, kind):
    whole = schema_of(server, committed_database, "--schema=waops")
    rows = superuser.execute("SELECT count(*) FROM waops.auth_permission").fetchone()
    damage_all(superuser, EVERYWHERE[kind])
    assert {one.subject for one in everything_damaged(connection)} >= set(EVERY_TABLE)
    assert {one.severity for one in doctor_findings()} >= {Severity.ERROR}
    assert [one.id for one in run_checks(databases=["default"]) if one.id == "waops.W105"]
    assert json.loads(ready().content)["damaged"]
    repair()
    assert superuser.execute("SELECT count(*) FROM waops.auth_permission").fetchone() == rows
    if kind in ("renamed", "moved", "row security forced"):
        assert schema_of(server, committed_database, "--schema=waops") == whole


def test_a_table_of_another_owner(superuser):
    superuser.execute("ALTER TABLE waops.usage_rollupstate OWNER TO supabase_admin")
    assert [one.code for one in everything_damaged(connection)] == ["table.owner", "grant.missing"]
    # Only a superuser may take it back: the command says so.
    with pytest.raises(SystemExit):
        call_command("repair", "schema", apply=True, verbosity=0)
    superuser.execute("ALTER TABLE waops.usage_rollupstate OWNER TO postgres")
    assert everything_damaged(connection) == []


@pytest.mark.parametrize("table", SQL_MADE)
def test_a_dropped_table_of_counts(owner, server, committed_database, owner_database, table, capsys):
    """Everything goes on after the repair, and reversing leaves the database as it was found."""
    before = schema_of(server, owner_database, "--schema=public")
    chat = factories.conversation()
    factories.message(chat)
    owner.execute(f"DROP TABLE {table}")
    assert table in {finding.subject for finding in doctor_findings()}
    answer = ready()
    assert (answer.status_code, json.loads(answer.content)) == (200, {"status": "degraded", "damaged": [table]})
    with pytest.raises(CommandError, match="repair schema"):
        call_command("migrate", verbosity=0)
    repair()
    call_command("migrate", verbosity=0)
    stored = owner.execute("SELECT store_message_with_update(%s, 'user', 'x')", [chat.pk]).fetchone()
    assert stored[0]["message_count"] == 2
    reverse_everything()
    assert schema_of(server, committed_database, "--schema=public") == before


@pytest.mark.parametrize("table", ["waops_user", "auth_group", "django_session", "usage_quotachange", "waffle_sample"])
def test_a_dropped_table_of_pages(owner, table, capsys):
    """Its rows are lost, which is said; pages cannot be served until it is made again."""
    owner.execute(f"DROP TABLE waops.{table} CASCADE")
    answer = ready()
    assert answer.status_code == 503
    assert f"waops.{table}" in json.loads(answer.content)["damaged"]
    capsys.readouterr()
    repair()
    assert f"waops.{table}: {wording.ROWS_ARE_LOST}" in capsys.readouterr().out
    assert ready().status_code == 200


def test_rows_that_migrations_make_come_back(owner):
    samples = owner.execute("SELECT name, percent FROM waops.waffle_sample ORDER BY name").fetchall()
    owner.execute("DROP TABLE waops.waffle_sample, waops.usage_rollupstate")
    repair()
    assert owner.execute("SELECT name, percent FROM waops.waffle_sample ORDER BY name").fetchall() == samples
    assert owner.execute("SELECT count(*) FROM waops.usage_rollupstate").fetchone() == (1,)


def test_a_new_group_does_not_get_the_members_of_a_lost_one(owner):
    (last,) = owner.execute("SELECT max(group_id) FROM waops.auth_group_permissions").fetchone()
    owner.execute("DROP TABLE waops.auth_group CASCADE")
    repair()
    assert owner.execute("SELECT min(id) > %s FROM waops.auth_group", [last]).fetchone() == (True,)


@pytest.mark.parametrize("table", ["waops.waops_incident", "waops.waops_user", "waops.usage_quotachange", *SQL_MADE])
def test_a_dropped_column(owner, table):
    for column in inventory(all_migrations()).tables[table].columns:
        owner.execute(f'ALTER TABLE {table} DROP COLUMN "{column}" CASCADE')
        assert table in {one.subject for one in everything_damaged(connection)}
        repair()


COLUMNS = """
    SELECT array_agg(concat_ws(' ', table_name, column_name, udt_name, is_nullable, column_default)
                     ORDER BY table_name, column_name)
    FROM information_schema.columns WHERE table_schema = 'waops'
"""


def test_a_dropped_column_of_every_type(owner):
    """Of empty tables: where rows lost a value that was unique, the rest must come from a backup."""
    columns = owner.execute(COLUMNS).fetchone()
    dropped: set[str] = set()
    owner.execute("DELETE FROM waops.escalations_workingday")
    for name in WITH_MODEL:
        if owner.execute(f"SELECT EXISTS (SELECT FROM {name})").fetchone() == (True,):
            continue
        for field in inventory(all_migrations()).tables[name].model._meta.local_concrete_fields:
            kind = field.db_type(connection)
            if not (field.null or field.primary_key or field.remote_field or kind in dropped):
                owner.execute(f'ALTER TABLE {name} DROP COLUMN "{field.column}" CASCADE')
                dropped.add(kind)
    assert {"time", "text", "bigint[]", "uuid[]", "jsonb", "boolean"} <= dropped
    repair()
    assert owner.execute(COLUMNS).fetchone() == columns


def test_rows_get_an_empty_text_for_a_dropped_one(owner):
    owner.execute("INSERT INTO waops.usage_missed (at, what, problem) VALUES (now(), 'quota_change', 'locked')")
    owner.execute("ALTER TABLE waops.usage_missed DROP COLUMN problem")
    repair()
    assert owner.execute("SELECT problem FROM waops.usage_missed").fetchone() == ("",)


def test_damage_fixed_by_another_fix_is_not_called_unrepaired(owner, capsys):
    """A renamed column is one damage, and a NOT NULL column that nothing fills in is another."""
    owner.execute("ALTER TABLE waops.waops_incident RENAME COLUMN first_at TO away")
    call_command("repair", "schema", apply=True)
    assert capsys.readouterr().err == ""


def test_what_keeps_rows_unique_is_missing(owner):
    owner.execute("ALTER TABLE waops.waops_incident DROP CONSTRAINT one_incident_per_day")
    owner.execute("ALTER TABLE waops.message_count DROP CONSTRAINT message_count_pkey")
    owner.execute("ALTER TABLE waops.django_session DROP CONSTRAINT django_session_pkey")
    assert {one.code for one in everything_damaged(connection)} == {"constraint.missing"}
    repair()


def test_every_grant_to_the_service(owner):
    grants = inventory(all_migrations()).grants
    assert grants
    for grant in grants:
        owner.execute(f"REVOKE {grant.privilege} ON {grant.kind} {grant.identity} FROM {grant.role}")
    assert [one.fix for one in everything_damaged(connection)] == [(grant.sql,) for grant in grants]
    repair()


def test_every_function_and_trigger(owner, server, committed_database):
    whole = schema_of(server, committed_database)
    for trigger in plan().triggers:
        owner.execute(f"DROP TRIGGER {trigger.name} ON {trigger.table}")
    for function in plan().functions:
        owner.execute(f"DROP FUNCTION {function.identity} CASCADE")
    subjects = {one.subject for one in everything_damaged(connection)}
    assert subjects == {one.name for one in plan().functions} | {one.table for one in plan().triggers}
    repair()
    assert schema_of(server, committed_database) == whole


def test_a_trigger_that_calls_something_else(owner):
    owner.execute(STRANGER)
    owner.execute("DROP TRIGGER waops_count_deleted ON public.whatsapp_conversation_messages")
    owner.execute(
        "CREATE TRIGGER waops_count_deleted AFTER DELETE ON public.whatsapp_conversation_messages"
        " FOR EACH STATEMENT EXECUTE FUNCTION public.refuse()"
    )
    assert [one.code for one in everything_damaged(connection)] == ["trigger.changed"]
    repair()


def test_lost_records_of_the_originals(owner, server, committed_database, capsys):
    """Reversing removes all that is ours; the originals are named, because nothing knows them now."""
    owner.execute("DROP TABLE waops.waops_installedobject")
    capsys.readouterr()
    repair()
    said = capsys.readouterr().out
    assert "public.check_and_update_ai_usage" in said or "check_and_update_ai_usage(uuid,boolean)" in said
    reverse_everything()
    assert not [line for line in schema_of(server, committed_database, "--schema=public") if "waops" in line]


def test_a_record_that_exists_is_not_called_lost(owner, monkeypatch):
    told: list[str] = []
    monkeypatch.setattr("waops.schema.function.tell", lambda message, **facts: told.append(str(message)))
    owner.execute("GRANT EXECUTE ON FUNCTION public.turn_sent(uuid) TO anon")
    call_command("repair", "functions", apply=True, verbosity=0)
    assert told == []


def test_lost_history_of_migrations(owner):
    owner.execute("DROP TABLE waops.django_migrations")
    repair()
    call_command("migrate", check_unapplied=True, verbosity=0)


def test_a_renamed_schema_is_found(owner, server, committed_database):
    whole = schema_of(server, committed_database)
    owner.execute("ALTER SCHEMA waops RENAME TO old")
    assert [one.code for one in everything_damaged(connection)] == ["schema.renamed"]
    assert ready().status_code == 503
    with pytest.raises(CommandError, match="repair schema"):
        call_command("migrate", verbosity=0)
    repair()
    assert schema_of(server, committed_database) == whole


def test_without_apply_nothing_changes(owner, capsys):
    owner.execute("DROP TABLE waops.message_count")
    with pytest.raises(SystemExit):
        call_command("repair", "schema")
    assert "waops.message_count" in capsys.readouterr().out
    assert owner.execute("SELECT to_regclass('waops.message_count')").fetchone() == (None,)


def test_counts_are_exact_after_the_repair(owner):
    chat = factories.conversation()
    factories.message(chat)
    owner.execute("DROP TRIGGER waops_count_inserted ON public.whatsapp_conversation_messages")
    factories.message(chat)
    repair()
    stored = owner.execute("SELECT store_message_with_update(%s, 'user', 'x')", [chat.pk]).fetchone()
    assert stored[0]["message_count"] == 3
