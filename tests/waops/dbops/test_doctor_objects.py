"""The doctor on indexes, functions, triggers and our schema."""

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection
from psycopg import errors

from tests.waops.dbops.conftest import assert_named_then_fixed, doctor_findings, the
from waops.dbops.findings import Severity
from waops.dbops.plan import plan
from waops.schema import routines

INDEX = "public.idx_messages_conversation"
FUNCTION = "public.check_and_update_ai_usage"
SIGNATURE = f"{FUNCTION}(uuid, boolean)"


def test_on_a_migrated_database_only_the_backup_is_missing(committed_database):
    assert [finding.code for finding in doctor_findings() if finding.severity is not Severity.NOTE] == [
        "backup.old",
        "periodic.stopped",
    ]


def test_a_dropped_index(owner):
    owner.execute(f"DROP INDEX {INDEX}")
    assert_named_then_fixed("index.missing", owner, subject=INDEX)


def test_an_index_whose_migration_has_not_run(owner):
    call_command("migrate", "escalations", "zero", verbosity=0)
    found = assert_named_then_fixed("index.missing", owner, subject="public.idx_escalated_active")
    assert found.fix == ("manage.py migrate escalations",)


def test_an_interrupted_build(owner):
    owner.execute(f"DROP INDEX {INDEX}")
    with psycopg.connect(owner.info.dsn) as other:
        other.execute("LOCK TABLE public.whatsapp_conversation_messages IN ROW EXCLUSIVE MODE")
        owner.execute("SET lock_timeout = '100ms'")
        with pytest.raises(errors.LockNotAvailable):
            owner.execute(
                "CREATE INDEX CONCURRENTLY idx_messages_conversation"
                ' ON public.whatsapp_conversation_messages (conversation_id, "timestamp" DESC)'
            )
    assert_named_then_fixed("index.invalid", owner, subject=INDEX)


def test_an_index_of_that_name_with_another_definition(owner):
    owner.execute(f"DROP INDEX {INDEX}")
    owner.execute("CREATE INDEX idx_messages_conversation ON public.whatsapp_conversation_messages (role)")
    assert_named_then_fixed("index.differs", owner, subject=INDEX)


@pytest.mark.parametrize("taken_by", ["INDEX {name} ON public.profiles (id)", "TABLE {name} ()"])
def test_an_index_name_that_something_else_has(owner, taken_by):
    owner.execute(f"DROP INDEX {INDEX}")
    with owner.transaction():
        owner.execute("SET LOCAL search_path = public")
        owner.execute(f"CREATE {taken_by.format(name='idx_messages_conversation')}")
    assert_named_then_fixed("index.name_taken", owner, subject=INDEX)


def test_a_dropped_function(owner):
    owner.execute(f"DROP FUNCTION {SIGNATURE}")
    assert_named_then_fixed("function.missing", owner, subject=FUNCTION)


def test_a_replaced_function(owner):
    owner.execute(f"ALTER FUNCTION {SIGNATURE} RESET search_path")
    assert_named_then_fixed("function.changed", owner, subject=FUNCTION)


def test_a_function_of_another_release(owner):
    """Its comment is right, as if a backup of it had been restored."""
    (definition,) = owner.execute("SELECT pg_get_functiondef(%s::regprocedure)", [SIGNATURE]).fetchone()
    owner.execute(definition.replace("BEGIN", "-- an older one\nBEGIN", 1))
    routines.mark(connection, SIGNATURE)
    found = assert_named_then_fixed("function.changed", owner, subject=FUNCTION)
    assert "release" in found.what


def test_every_body_that_a_migration_installs_is_known():
    assert [function.name for function in plan().functions if not function.body] == []


def test_a_second_function_of_the_same_name(owner):
    owner.execute(f"CREATE FUNCTION {FUNCTION}(p_user_id uuid) RETURNS json LANGUAGE sql AS 'SELECT NULL::json'")
    assert_named_then_fixed("function.overloaded", owner, subject=FUNCTION)


@pytest.mark.parametrize("role", ["PUBLIC", "anon", "authenticated"])
def test_a_function_open_to_everybody(owner, role):
    owner.execute(f"GRANT EXECUTE ON FUNCTION {SIGNATURE} TO {role}")
    found = assert_named_then_fixed("function.open", owner, subject=FUNCTION)
    assert role in found.what


def test_a_function_closed_to_the_service(owner):
    owner.execute(f"REVOKE EXECUTE ON FUNCTION {SIGNATURE} FROM service_role")
    assert_named_then_fixed("function.closed", owner, subject=FUNCTION)


def test_a_function_whose_migration_has_not_run(owner):
    call_command("migrate", "escalations", "zero", verbosity=0)
    found = assert_named_then_fixed("function.missing", owner, subject="waops.resolve_escalations")
    assert found.severity is Severity.WARNING


def test_migrations_that_have_not_run(owner):
    call_command("migrate", "escalations", "zero", verbosity=0)
    assert_named_then_fixed("migrations.pending", owner)


@pytest.mark.parametrize("damage", ["DROP TRIGGER {name} ON {table}", "ALTER TABLE {table} DISABLE TRIGGER {name}"])
def test_a_trigger_that_no_longer_works(owner, damage):
    table = "public.whatsapp_conversation_messages"
    owner.execute(damage.format(name="waops_count_inserted", table=table))
    code = "trigger.missing" if damage.startswith("DROP") else "trigger.disabled"
    assert_named_then_fixed(code, owner, subject=table)


def test_a_table_of_ours_in_public(owner):
    owner.execute("ALTER TABLE waops.waops_backup SET SCHEMA public")
    assert_named_then_fixed("schema.stray_table", owner, subject="public.waops_backup")


@pytest.mark.parametrize("role", ["PUBLIC", "anon", "authenticated"])
def test_our_schema_open_to_others(owner, role):
    owner.execute(f"GRANT USAGE ON SCHEMA waops TO {role}")
    assert_named_then_fixed("schema.open", owner)


def test_another_projects_migrations(owner):
    owner.execute("CREATE TABLE public.django_migrations ()")
    assert_named_then_fixed("connection.waops.E003", owner)


def test_a_search_path_that_does_not_find_us(owner, superuser, settings):
    connection.close()
    options = connection.settings_dict["OPTIONS"]
    direct = options.pop("options")
    try:
        found = the("connection.waops.E002", doctor_findings())
        for line in found.fix:
            owner.execute(line)
        connection.close()
        assert "connection.waops.E002" not in [one.code for one in doctor_findings()]
    finally:
        connection.close()
        options["options"] = direct


def test_every_finding_says_what_why_and_how(owner):
    call_command("migrate", "conversations", "zero", verbosity=0)
    call_command("migrate", "usage", "zero", verbosity=0)
    for finding in doctor_findings():
        assert finding.subject
        assert finding.what
        assert finding.why
        assert finding.fix


def test_one_section_that_cannot_be_read_does_not_hide_the_others(owner):
    owner.execute("ALTER TABLE public.escalated_conversations RENAME COLUMN instance_id TO number_id")
    findings = doctor_findings()
    assert the("doctor.unreadable", findings).subject == "escalations"
    assert the("backup.old", findings)
