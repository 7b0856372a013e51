"""The plan's order: the app's own tables first, then what is recorded before, then the indexes and functions."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tests import wording
from tests.databases import django_uses
from waops.dbops.checklist import checklist


@pytest.fixture
def unmigrated(server, databases, django_db_blocker):
    with django_db_blocker.unblock(), databases.clone("before") as name, django_uses(server, name):
        yield


@pytest.mark.parametrize(
    "command",
    [
        *(["rollout", word] for word in ("snapshot", "explain", "checklist", "report")),
        ["backup", "--record", "x"],
        ["doctor", "drift", "--accept", "x"],
        ["periodic"],
    ],
)
def test_without_our_tables_the_command_says_how_to_make_them(unmigrated, command):
    with pytest.raises(CommandError) as refused:
        call_command(*command)
    assert "migrate waops" in str(refused.value) or wording.NO_LONGER_EXISTS in str(refused.value)


def test_our_tables_alone_leave_public_as_it_is_and_take_what_is_recorded_before(unmigrated):
    call_command("migrate", "waops", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_indexes WHERE indexname LIKE 'idx_messages_conversation'")
        assert cursor.fetchone() == (0,)
    call_command("rollout", "snapshot", note="before", verbosity=0)
    call_command("backup", record="elsewhere", verbosity=0)
    assert {state.item.key for state in checklist() if state.done} == {"backup", "metrics_before"}
    call_command("migrate", verbosity=0)
    done = {state.item.key for state in checklist() if state.done}
    assert {"backup", "metrics_before", "indexes_production", "functions_installed"} <= done
