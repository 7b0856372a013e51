"""`manage.py periodic`: every part when it is due, one instance, failures named, and doctor when it stops."""

import json
import re
from datetime import timedelta
from io import StringIO

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from tests import wording
from tests.waops.dbops.conftest import assert_named_then_fixed, doctor_findings, the
from waops.dbops import periodic
from waops.dbops.models import PeriodicRun, Snapshot
from waops.dbops.periodic import Done, Part, parts

NAMES = ["usage", "top_ups", "alerts", "alert_messages", "turns", "snapshots", "retention"]


def run(*arguments: str) -> tuple[str, str, int]:
    output, errors, code = StringIO(), StringIO(), 0
    try:
        call_command("periodic", *arguments, stdout=output, stderr=errors)
    except SystemExit as stopped:
        code = int(stopped.code or 0)
    return output.getvalue(), errors.getvalue(), code


def ran() -> list[str]:
    output, _errors, code = run("--json")
    assert code == 0
    return [part["name"] for part in json.loads(output)["parts"] if part["ran"]]


def ago(**span: float) -> None:
    """All parts ran that long ago."""
    then = timezone.now() - timedelta(**span)
    PeriodicRun.objects.update(started_at=then, ended_at=then, succeeded_at=then)


@pytest.fixture
def broken(monkeypatch):
    """A part between the others that fails in the database."""

    def fail() -> Done:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1/0")
        return Done("never")

    part = Part("broken", "Fails", timedelta(minutes=5), fail)
    monkeypatch.setattr(periodic, "PARTS", [part, *periodic.PARTS])


def test_each_part_runs_as_often_as_it_asks_for(committed_database):
    assert sorted(ran()) == sorted(NAMES)
    assert ran() == []
    ago(seconds=55)  # cron is not exact
    assert ran() == ["usage"]
    ago(minutes=5)
    assert ran() == ["usage", "top_ups", "alerts", "alert_messages", "turns"]
    ago(hours=1)
    assert "snapshots" in ran()
    ago(days=1)
    assert ran() == NAMES
    assert Snapshot.objects.count() == 3


def test_only_runs_a_part_now_and_says_when_each_last_ran(committed_database):
    for _twice in range(2):
        output, _errors, code = run("--only=turns")
        assert code == 0
        assert "turns: 0 turns ended." in output
    assert re.search(r"turns +\S.* 5 minutes +\d{4}-", output)
    assert re.search(r"usage +\S.* 1 minute +— +—", output)
    assert list(PeriodicRun.objects.values_list("name", flat=True)) == ["turns"]


def test_dry_run_changes_nothing(committed_database):
    output, _errors, code = run("--dry-run")
    assert f"retention: {wording.NOTHING_CHANGED}" in output
    assert code == 0
    assert not PeriodicRun.objects.exists()


def test_a_part_that_fails_does_not_stop_the_others(committed_database, broken):
    _output, errors, code = run()
    assert code == 1
    assert "broken failed: division by zero" in errors
    assert {run.name for run in PeriodicRun.objects.exclude(succeeded_at=None)} == set(NAMES)
    failed = PeriodicRun.objects.get(name="broken")
    assert "division by zero" in failed.problem
    assert failed.ended_at
    finding = the("periodic.late", doctor_findings())
    assert "division by zero" in finding.what
    assert finding.fix == ("manage.py periodic --only broken",)


def test_a_failed_part_is_tried_again_soon(committed_database):
    run("--only=retention")
    PeriodicRun.objects.update(problem="no")
    ago(minutes=3)
    assert "retention" not in ran()
    ago(minutes=6)
    assert "retention" in ran()
    PeriodicRun.objects.filter(name="retention").update(ended_at=None)  # killed
    assert the("periodic.late", doctor_findings()).subject == "periodic retention"


def test_one_instance_at_a_time(committed_database):
    with psycopg.connect(committed_database) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [periodic.LOCK])
        _output, errors, code = run()
        assert wording.PERIODIC_IS_RUNNING in errors
        assert code == 0
        assert not PeriodicRun.objects.exists()
        with pytest.raises(CommandError, match="Another"):
            call_command("periodic", "--only=usage")
    assert len(ran()) == len(parts())


def test_doctor_says_that_it_does_not_run(committed_database):
    never = the("periodic.stopped", doctor_findings())
    assert never.fix == ("* * * * *  manage.py periodic",)
    run()
    assert not [one for one in doctor_findings() if one.code.startswith("periodic.")]
    ago(minutes=30)
    assert wording.NOT_RUN_SINCE in the("periodic.stopped", doctor_findings()).what


def test_doctor_names_a_part_that_is_late(owner):
    run()
    PeriodicRun.objects.filter(name="alerts").update(succeeded_at=timezone.now() - timedelta(minutes=21))
    assert_named_then_fixed("periodic.late", owner, subject="periodic alerts")
