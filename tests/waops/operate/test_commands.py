"""Every operators' command on every kind of database, for people in a pipe and for machines."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command, get_commands, load_command_class

from tests.databases import django_uses

READS = [
    ["doctor"],
    ["drift"],
    ["slow_queries"],
    ["slow_queries", "--ours", "--order=mean", "--limit=5"],
    ["index_stats"],
    ["index_stats", "--all"],
    ["table_stats"],
    ["table_stats", "--all"],
    ["connection_stats"],
    ["security_lint"],
]
OF_OUR_TABLES = [["snapshot", "--list"], ["explain", "list"], ["checklist"]]
REPAIRS = [
    ["repair_functions"],
    ["repair_invalid_indexes"],
    ["repair_ghosts"],
    ["repair_message_counts"],
    ["repair_duplicate_messages"],
    ["repair_duplicate_escalations"],
]
REFUSED = -1


def said(command: list[str], *options: str) -> tuple[str, int]:
    """What it prints, or why it refuses; and its exit code."""
    output = StringIO()
    try:
        call_command(*command, *options, stdout=output)
    except CommandError as error:
        return str(error), REFUSED
    except SystemExit as stopped:
        return output.getvalue(), int(stopped.code or 0)
    return output.getvalue(), 0


@pytest.mark.parametrize("variant", ["empty", "before", "after", "migrated"])
def test_it_answers_on_every_database(server, databases, django_db_blocker, variant) -> None:
    has_ours, has_service = variant == "migrated", variant != "empty"
    with django_db_blocker.unblock(), databases.clone(variant) as name, django_uses(server, name):
        for command in READS:
            text, code = said(command)
            assert text.strip(), command
            assert "\x1b" not in text, command
            answer, code_of_json = said([*command[:1], "--json", *command[1:]])
            assert json.loads(answer), command
            assert code == code_of_json, command
            findings = json.loads(answer).get("findings", [])
            assert all(one["what"] and one["why"] for one in findings), command
        for command in [*OF_OUR_TABLES, *REPAIRS]:
            text, code = said(command)
            assert text.strip(), command
            if code == REFUSED:  # what is missing, and the command that makes it
                assert not has_ours, text
                assert "migrate" in text or not has_service, text


@pytest.mark.parametrize("command", sorted({command[0] for command in [*READS, *OF_OUR_TABLES, *REPAIRS]}))
def test_it_explains_itself(command: str) -> None:
    found = load_command_class(get_commands()[command], command)
    parser = found.create_parser("manage.py", command)
    assert found.help.endswith(".")
    assert [action.dest for action in parser._actions if not action.help] in ([], ["action"])


def test_doctor_and_drift_exit_with_one_only_where_something_is_wrong(committed_database, owner) -> None:
    call_command("backup", record="elsewhere", verbosity=0)
    assert said(["doctor"])[1] == said(["drift"])[1] == 0
    owner.execute("ALTER TABLE public.profiles ADD COLUMN mood text")  # a note
    assert said(["drift"])[1] == 0
    owner.execute("ALTER TABLE public.profiles ADD COLUMN temper text NOT NULL DEFAULT ''")
    assert said(["drift"])[1] == 1
