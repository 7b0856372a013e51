"""The commands for cron: what they print, and that looking changes nothing."""

import io
import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from tests import factories, wording
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
    assert wording.COUNTERS_DUE.format(1) in run("reset_quotas")
    assert QuotaChange.objects.filter(kind="reset").count() == 0
    assert "Counters reset: 1." in run("reset_quotas", "--apply")
    assert "Counters reset: 0." in run("reset_quotas", "--apply")
    assert QuotaChange.objects.get(kind="reset").old_used == 40


def test_end_top_ups() -> None:
    one = shop("Shop")
    manager = factories.staff("Managers")
    changes.top_up({one.pk: 100}, 50, timezone.now() + timedelta(seconds=60), manager, "Feast")
    assert "ended: 0" in run("periodic", "--only=top_ups")
    TopUp.objects.update(granted_at=factories.ago(hours=2), expires_at=factories.ago(hours=1))
    assert "Shop: the limit is 100 again." in run("periodic", "--only=top_ups")


def test_usage_is_counted_proven_and_repaired() -> None:
    shop("Shop", per_day=2, days=3)
    assert "Changes counted: 6." in run("periodic", "--only=usage")
    assert wording.COUNTS_MATCH.format(6) in run("repair", "usage")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE waops.usage_usagedetail SET replies = replies + 1")
    output = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("repair", "usage", stdout=output)
    assert "manage.py repair usage --apply" in output.getvalue()
    run("repair", "usage", "--apply")
    assert wording.COUNTS_MATCH.format(6) in run("repair", "usage")


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
    assert wording.RECORDED_NOT_COUNTED in rows["Uncounted"]["explanation"]


def test_quota_alerts() -> None:
    AlertRule.objects.create(emails="boss@example.com")
    shop("Shop", used=100)
    assert "New alerts: 3." in run("periodic", "--only=alerts")
    assert "Messages sent: 1" in run("periodic", "--only=alert_messages")
