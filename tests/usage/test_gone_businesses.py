"""A deleted business: its history is kept for ever and can be read; what was set for it can be removed."""

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from tests import factories
from tests.usage.shops import log_in, page
from usage import changes
from usage.models import Alert, AlertRule, Delivery, Profile, QuotaChange, TopUp


@pytest.fixture
def gone(db) -> Profile:
    """A business with a rule, an alert's delivery, a change and a top-up that has ended, deleted."""
    shop = factories.business("Bakery")
    AlertRule.objects.create(business=shop, emails="a@example.com")
    alert = Alert.objects.create(business=shop, period=timezone.now(), threshold=80, at=timezone.now(), facts={})
    Delivery.objects.create(alert=alert, channel="email", target="a@example.com", next_attempt_at=timezone.now())
    mona = factories.staff("Managers", username="mona")
    changes.set_limits({shop.pk: (100, 250)}, mona, "Upgrade")
    changes.top_up({shop.pk: 250}, 10, factories.ago(hours=-1), mona, "Feast")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM auth.users WHERE id = %s", [shop.pk])
    return shop


def test_its_history_is_readable(gone: Profile) -> None:
    client = log_in("Managers")
    words = f"Deleted business ({gone.pk})"
    for address in ("/usage/quotachange/", f"/usage/quotachange/?business__id__exact={gone.pk}", "/usage/delivery/"):
        assert words in page(client, address)
    for change in QuotaChange.objects.filter(business_id=gone.pk):
        assert words in page(client, f"/usage/quotachange/{change.pk}/change/")
    assert words in page(client, f"/usage/delivery/{Delivery.objects.get().pk}/change/")


def test_its_rule_is_shown_changed_and_removed(gone: Profile) -> None:
    client, rule = log_in("Managers"), AlertRule.objects.get()
    address = reverse("admin:usage_alertrule_change", args=[rule.pk])
    assert f"Deleted business ({gone.pk})" in page(client, "/usage/alertrule/")
    assert f"Deleted business ({gone.pk})" in page(client, address)
    page(client, reverse("admin:usage_alertrule_history", args=[rule.pk]))
    values = {"thresholds": "90", "emails": "", "language": "en", "forecast": "on"}
    assert client.post(address, values).status_code == 302
    rule.refresh_from_db()
    assert (rule.business_id, rule.thresholds) == (gone.pk, [90])
    delete = reverse("admin:usage_alertrule_delete", args=[rule.pk])
    page(client, delete)
    client.post(delete, {"post": "yes"})
    assert not AlertRule.objects.exists()


def test_its_top_ups_end_in_silence(gone: Profile) -> None:
    assert changes.end_top_ups(factories.ago(hours=-2)) == []
    assert TopUp.objects.get().outcome == TopUp.Outcome.SUPERSEDED
