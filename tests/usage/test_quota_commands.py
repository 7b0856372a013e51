"""The commands for cron: what they print, and that looking changes nothing."""

import io
import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from tests import factories
from tests.usage.shops import shop
from usage import changes
from usage.models import AlertRule, Profile, QuotaChange, TopUp

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    output = io.StringIO()
    call_command(*arguments, stdout=output)
    return output.getvalue()


def test_reset_quotas_looks_first_and_is_repeatable() -> None:
    one = shop("Shop", used=40)
    Profile.objects.filter(pk=one.pk).update(last_responses_reset_date=factories.ago(days=60))
    assert "Counters due: 1. Nothing was changed" in run("reset_quotas")
    assert QuotaChange.objects.filter(kind="reset").count() == 0
    assert "Counters reset: 1." in run("reset_quotas", "--apply")
    assert "Counters reset: 0." in run("reset_quotas", "--apply")
    assert QuotaChange.objects.get(kind="reset").old_used == 40


def test_end_top_ups() -> None:
    one = shop("Shop")
    manager = factories.staff("Managers")
    changes.top_up({one.pk: 100}, 50, timezone.now() + timedelta(seconds=60), manager, "Feast")
    assert "ended: 0" in run("end_top_ups")
    TopUp.objects.update(granted_at=factories.ago(hours=2), expires_at=factories.ago(hours=1))
    assert "Shop: the limit is 100 again." in run("end_top_ups")


def test_rollup_usage_counts_and_proves() -> None:
    shop("Shop", per_day=2, days=3)
    assert "Changes counted: 6." in run("rollup_usage")
    assert "The counts equal all 6 answers." in run("rollup_usage", "--rebuild", "--verify")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE waops.usage_usagedetail SET replies = replies + 1")
    with pytest.raises(CommandError, match="--rebuild"):
        run("rollup_usage", "--verify")


def test_reconcile_quota_explains_differences() -> None:
    shop("Agrees", per_day=2)
    shop("Failed sends", per_day=2, used=90)
    shop("Uncounted", per_day=3, used=2)
    text = run("reconcile_quota")
    assert "differ: 2." in text
    assert "differ: 0." in run("reconcile_quota", "--ended")
    rows = {row["name"]: row for row in json.loads(run("reconcile_quota", "--json", "--all"))}
    assert {name: row["difference"] for name, row in rows.items()} == {"Failed sends": 70, "Uncounted": -28}
    assert "failed" in rows["Failed sends"]["explanation"]
    assert "without being counted" in rows["Uncounted"]["explanation"]


def test_quota_alerts() -> None:
    AlertRule.objects.create(emails="boss@example.com")
    shop("Shop", used=100)
    assert "New alerts: 3." in run("quota_alerts", "--record-only")
    assert "Messages sent: 1" in run("quota_alerts")
