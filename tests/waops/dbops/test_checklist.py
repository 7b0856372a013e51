"""The plan's checklist: proof ticks by itself, people tick the rest, and the report says both."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from tests import factories
from waops.dbops.checklist import ITEMS, Phase, checklist, tick
from waops.dbops.models import Backup, ExplainBaseline, Snapshot
from waops.dbops.report import as_markdown, report
from waops.dbops.snapshots import take_snapshot


def done() -> set[str]:
    return {state.item.key for state in checklist() if state.done}


def migrated(**ago: float) -> None:
    """As if everything had been migrated that long ago."""
    MigrationRecorder.Migration.objects.update(applied=timezone.now() - timedelta(**ago))


def snapshot(**ago: float) -> Snapshot:
    taken = take_snapshot()
    Snapshot.objects.filter(pk=taken.pk).update(taken_at=timezone.now() - timedelta(**ago))
    return taken


def baseline(name: str, **ago: float) -> None:
    made = ExplainBaseline.objects.create(name=name, server_version=1, plans={"parameters": {}, "statements": {}})
    ExplainBaseline.objects.filter(pk=made.pk).update(recorded_at=timezone.now() - timedelta(**ago))


def test_a_migrated_database_proves_its_indexes_and_functions(committed_database):
    assert done() == {"indexes_production", "functions_installed"}


def test_what_was_done_before_the_step_counts_and_what_came_later_does_not(committed_database):
    migrated(days=2)
    for days, expected in ((1, False), (3, True)):
        Backup.objects.create(taken_at=timezone.now() - timedelta(days=days), kind="entered", recorded_by="Amal")
        baseline(f"{days} days ago", days=days)
        snapshot(days=days)
        assert ({"backup", "explain_before", "metrics_before"} <= done()) == expected
    assert {"explain_after", "metrics_after"} <= done()


def test_before_the_step_anything_recorded_counts(committed_database):
    for app in ("escalations", "conversations", "usage"):
        call_command("migrate", app, "zero", verbosity=0)
    take_snapshot()
    call_command("backup", record="elsewhere", verbosity=0)
    assert done() == {"backup", "metrics_before"}


def test_a_day_is_watched_when_snapshots_cover_it(committed_database):
    migrated(hours=30)
    for hours in range(28, 10, -2):
        snapshot(hours=hours)
    assert "indexes_watched" not in done()
    for hours in (10, 8, 6, 5):
        snapshot(hours=hours)
    assert "indexes_watched" in done()


def test_a_week_is_watched_by_a_snapshot_on_each_of_seven_days_in_a_row(committed_database):
    migrated(days=20)
    for days in (25, 24, 23, 22, 21, 15, 14, 13, 11, 10, 9, 8, 7, 6):
        snapshot(days=days)
    assert "week_watched" not in done()
    snapshot(days=5)
    assert "week_watched" in done()


def test_the_checklist_has_the_plans_22_boxes_in_its_order():
    assert len({item.key for item in ITEMS}) == len(ITEMS) == 22
    assert [item.phase for item in ITEMS] == sorted((item.phase for item in ITEMS), key=list(Phase).index)


def test_damage_takes_the_proof_back(owner):
    owner.execute("DROP INDEX public.idx_messages_conversation")
    owner.execute("ALTER FUNCTION public.get_instance_state RESET search_path")
    assert done() == set()


def test_a_person_ticks_with_a_note_and_the_last_word_counts(committed_database):
    amal = factories.staff("Operators", username="amal", first_name="Amal", last_name="Sabry")
    tick("off_peak", done=True, note="Friday 03:00", by=amal)
    (state,) = [state for state in checklist() if state.item.key == "off_peak"]
    assert (state.done, state.by, state.note) == (True, "Amal Sabry", "Friday 03:00")
    tick("off_peak", done=False, note="", by=amal)
    assert "off_peak" not in done()


def test_a_tick_without_a_note_is_refused(committed_database):
    with pytest.raises(CommandError, match="--note"):
        call_command("rollout", "checklist", tick="off_peak", note="  ")
    assert "off_peak" not in done()


@pytest.mark.parametrize("key", [item.key for item in ITEMS if item.is_measured])
def test_what_is_measured_cannot_be_ticked(committed_database, key):
    with pytest.raises(LookupError):
        tick(key, done=True, note="", by=None)


def test_the_report_holds_checklist_gain_plans_and_figures(committed_database, tmp_path: Path):
    for name in ("before", "after"):
        take_snapshot(name)
        baseline(name)
    tick("off_peak", done=True, note="a | b\nc", by=None, by_name="Amal")
    file = tmp_path / "report.md"
    call_command("rollout", "report", str(file))
    text = file.read_text()
    for words in ("## Checklist", "## The gain", "## before → after", "## The database", "20 (−80 %)"):
        assert words in text
    assert "a \\| b c" in text
    assert as_markdown(report()).count("\n## ") == text.count("\n## ")


def test_the_command_ticks_by_name_and_exits_with_one_until_all_is_done(committed_database):
    with pytest.raises(SystemExit):
        call_command("rollout", "checklist", tick="off_peak", note="done", by="Amal", verbosity=0)
    assert "off_peak" in done()
