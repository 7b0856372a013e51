"""Every operators' command on every kind of database, for people in a pipe and for machines."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.commands import our_commands, parser_of, words_of
from tests.databases import django_uses
from waops.dbops.repairs.command import REPAIRS as REPAIRS_OF_APPS

READS = [
    ["doctor"],
    ["doctor", "drift"],
    ["doctor", "queries"],
    ["doctor", "queries", "--ours", "--order=mean", "--limit=5"],
    ["doctor", "indexes"],
    ["doctor", "indexes", "--all"],
    ["doctor", "tables"],
    ["doctor", "tables", "--all"],
    ["doctor", "connections"],
    ["doctor", "security"],
    ["repair"],
]
OF_OUR_TABLES = [
    ["rollout", "snapshot", "--list"],
    ["rollout", "explain"],
    ["rollout", "checklist"],
    ["rollout", "report"],
]
REPAIRS = [["repair", one.name] for one in REPAIRS_OF_APPS]
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
            answer, code_of_json = said([*command, "--json"])
            assert json.loads(answer), command
            assert code == code_of_json, command
            assert json.loads(said([command[0], "--json", *command[1:]])[0]).keys() == json.loads(answer).keys()
            findings = json.loads(answer).get("findings", [])
            assert all(one["what"] and one["why"] for one in findings), command
        for command in [*OF_OUR_TABLES, *REPAIRS]:
            text, code = said(command)
            assert text.strip(), command
            if code == REFUSED:  # what is missing, and the command that makes it
                assert not has_ours, text
                assert "migrate" in text or not has_service, text


@pytest.mark.parametrize("command", our_commands(but={"runserver", "migrate"}), ids=" ".join)
def test_it_explains_itself(command: list[str]) -> None:
    parser = parser_of(command[0])
    for word in command[1:]:
        parser = words_of(parser)[word]
    assert parser.description.endswith(".")
    assert [action.dest for action in parser._actions if not action.help] == []


def test_repair_lists_the_repairs_of_every_app() -> None:
    text, code = said(["repair"])
    assert code == 0
    for name in ("schema", "functions", "usage", "message_counts", "duplicate_escalations", "missed_escalations"):
        assert f" {name} " in text


def test_doctor_and_drift_exit_with_one_only_where_something_is_wrong(committed_database, owner) -> None:
    call_command("backup", record="elsewhere", verbosity=0)
    call_command("periodic", verbosity=0)
    assert said(["doctor"])[1] == said(["doctor", "drift"])[1] == 0
    owner.execute("ALTER TABLE public.profiles ADD COLUMN mood text")  # a note
    assert said(["doctor", "drift"])[1] == 0
    owner.execute("ALTER TABLE public.profiles ADD COLUMN temper text NOT NULL DEFAULT ''")
    assert said(["doctor", "drift"])[1] == 1
