"""Drift: what differs in the live tables is named, never blocks, and is accepted by name."""

import json
from io import StringIO

import pytest
from django.core import checks
from django.core.management import CommandError, call_command
from django.db import connection

from conversations.models import Message
from tests.databases import django_uses
from tests.waops.baseline_facts import OPTIONAL_TABLES, TABLES
from tests.waops.dbops.conftest import assert_named_then_fixed
from waops.dbops.drift import deployed, find_drift
from waops.dbops.findings import Finding

MESSAGES = "public.whatsapp_conversation_messages"


def drift() -> list[Finding]:
    return find_drift(connection)


@pytest.mark.parametrize(
    ("damage", "code", "subject"),
    [
        (f"ALTER TABLE {MESSAGES} DROP COLUMN metadata", "column.missing", f"{MESSAGES}.metadata"),
        (f"ALTER TABLE {MESSAGES} ADD COLUMN mood text", "column.extra", f"{MESSAGES}.mood"),
        (f"ALTER TABLE {MESSAGES} ADD COLUMN mood text NOT NULL", "column.extra", f"{MESSAGES}.mood"),
        (f"ALTER TABLE {MESSAGES} ALTER message_id TYPE varchar(9)", "column.type", f"{MESSAGES}.message_id"),
        (f"ALTER TABLE {MESSAGES} ALTER content DROP NOT NULL", "column.nullability", f"{MESSAGES}.content"),
        ("ALTER TYPE public.plan_type ADD VALUE 'Titan'", "enum.values", "public.plan_type"),
        (
            f"ALTER TABLE {MESSAGES} DROP CONSTRAINT whatsapp_conversation_messages_role_check;"
            f"ALTER TABLE {MESSAGES} ADD CHECK (role IN ('user', 'assistant', 'agent'))",
            "check.values",
            f"{MESSAGES}.role",
        ),
        (
            f"ALTER TABLE {MESSAGES} DROP CONSTRAINT whatsapp_conversation_messages_role_check",
            "check.missing",
            f"{MESSAGES}.role",
        ),
        ("DROP TABLE public.whatsapp_ai_config CASCADE", "table.missing", "public.whatsapp_ai_config"),
    ],
)
def test_a_difference_is_named_and_can_be_accepted(owner, damage, code, subject):
    owner.execute(damage)
    assert_named_then_fixed(code, owner, subject=subject, findings=drift)


def test_another_difference_of_an_accepted_column_is_named_again(owner):
    owner.execute(f"ALTER TABLE {MESSAGES} ALTER message_id TYPE varchar(9)")
    assert_named_then_fixed("column.type", owner, findings=drift)
    owner.execute(f"ALTER TABLE {MESSAGES} ALTER message_id TYPE varchar(99)")
    assert [finding.code for finding in drift()] == ["column.type"]


def test_the_deployed_tables_are_as_expected(committed_database):
    assert drift() == []


@pytest.mark.parametrize("options", [{}, {"older": True}, {"without_optional_tables": True}, {"variant": "after"}])
def test_the_known_variants_are_no_drift(server, databases, django_db_blocker, options):
    import psycopg

    from tests.databases import django_uses
    from waops.dev.baseline import loader
    from waops.dev.embedded.server import SUPERUSER

    chosen = {"older": options.get("older", False), "optional_tables": "without_optional_tables" not in options}
    with django_db_blocker.unblock(), databases.clone("empty") as name:
        with psycopg.connect(server.dsn(SUPERUSER, name)) as session:
            loader.load(session, options.get("variant", "before"), **chosen)
        with django_uses(server, name):
            assert drift() == []


def test_a_key_that_is_no_difference_is_refused(committed_database):
    with pytest.raises(CommandError, match="nonsense"):
        call_command("doctor", "drift", accept="nonsense")


def test_the_command_names_functions_and_triggers_too(owner, capsys):
    owner.execute("DROP TRIGGER waops_count_inserted ON public.whatsapp_conversation_messages")
    owner.execute("ALTER FUNCTION public.get_instance_state RESET search_path")
    with pytest.raises(SystemExit):
        call_command("doctor", "drift", json=True)
    codes = [finding["code"] for finding in json.loads(capsys.readouterr().out)["findings"]]
    assert codes == ["function.changed", "trigger.missing"]


def test_a_system_check_warns_and_only_damage_to_our_objects_stops_migrate(owner):
    owner.execute(f"ALTER TABLE {MESSAGES} ALTER content DROP NOT NULL")
    owner.execute("ALTER FUNCTION public.get_instance_state RESET search_path")
    messages = [one for one in checks.run_checks(databases=["default"]) if one.id.startswith("waops.W1")]
    assert [message.id for message in messages] == ["waops.W101", "waops.W103"]
    assert all(message.level == checks.WARNING and message.hint for message in messages)
    with pytest.raises(CommandError, match=r"get_instance_state[\s\S]*repair schema"):
        call_command("migrate", verbosity=0, skip_checks=False)
    call_command("repair", "schema", apply=True, stdout=StringIO())
    call_command("migrate", verbosity=0, skip_checks=False)


def test_what_was_never_installed_has_not_drifted(server, databases, django_db_blocker):
    with django_db_blocker.unblock(), databases.clone("before") as name, django_uses(server, name):
        assert [one.id for one in checks.run_checks(databases=["default"]) if one.id.startswith("waops.W1")] == []


def test_what_is_expected_is_what_was_deployed():
    """The app's copy says the same as the facts read from the live database."""
    for table, facts in TABLES.items():
        expected = {c["name"]: c["type"] + ("" if c["nullable"] else " NOT NULL") for c in facts["columns"]}
        assert deployed()["tables"][table]["columns"] == expected
        assert deployed()["tables"][table]["optional"] == (table in OPTIONAL_TABLES)


def test_every_column_of_a_model_was_deployed():
    for field in Message._meta.concrete_fields:
        assert field.column in deployed()["tables"]["whatsapp_conversation_messages"]["columns"]
