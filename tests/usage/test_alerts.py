"""Alerts: which are due, once per period and threshold, and what their e-mails say."""

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from tests import factories, wording
from tests.usage.shops import shop
from usage import alerts, deliveries, rollup
from usage.models import Alert, AlertRule, Profile


@pytest.fixture
def rule(db) -> AlertRule:
    return AlertRule.objects.create(emails="boss@example.com\n\nowner@example.com")


def use(profile: Profile, used: int) -> None:
    Profile.objects.filter(pk=profile.pk).update(monthly_ai_responses_used=used)


def thresholds() -> list[int]:
    rollup.refresh()
    return sorted(alert.threshold for alert in alerts.raise_alerts())


def test_each_threshold_once_per_period(rule) -> None:
    one = shop("Shop", used=10)
    assert thresholds() == []
    use(one, 50)
    assert (thresholds(), thresholds()) == ([50], [])
    use(one, 79)
    assert thresholds() == []
    use(one, 100)
    assert (thresholds(), thresholds()) == ([80, 100], [])
    Profile.objects.filter(pk=one.pk).update(
        monthly_ai_responses_used=60, last_responses_reset_date=factories.ago(minutes=1)
    )
    assert thresholds() == [50]


def test_of_several_only_the_highest_is_told(rule) -> None:
    shop("Shop", used=100)
    assert thresholds() == [50, 80, 100]
    deliveries.deliver()
    assert sorted(message.to[0] for message in mail.outbox) == ["boss@example.com", "owner@example.com"]
    assert {message.subject for message in mail.outbox} == {f"Shop {wording.OUT_OF_REPLIES}"}
    assert "Used: 100 of 100." in mail.outbox[0].body


def test_the_forecast_is_told_too(rule) -> None:
    shop("Shop", per_day=9, monthly_ai_response_limit=91)
    assert Alert.FORECAST in thresholds()
    deliveries.deliver()
    assert f"Shop {wording.WILL_RUN_OUT}" in [message.subject for message in mail.outbox]


def test_a_business_has_its_own_rule_and_language(rule) -> None:
    one, other = shop("Shop", used=30), shop("Other", used=30)
    AlertRule.objects.create(business=one, thresholds=[25], emails="nour@example.com", language="ar")
    assert thresholds() == [25]
    deliveries.deliver()
    assert [message.to for message in mail.outbox] == [["nour@example.com"]]
    assert not Alert.objects.filter(business=other).exists()


def test_disabled_businesses_raise_none(rule) -> None:
    shop("Closed", monthly_ai_response_limit=0, used=5)
    shop("Lapsed", is_active=False, used=100)
    assert thresholds() == []


def test_without_a_rule_no_one_is_told(db) -> None:
    shop("Shop", used=100)
    assert thresholds() == []


def test_one_rule_for_all_others(rule) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        AlertRule.objects.create()


def test_a_wrong_address_is_refused(db) -> None:
    with pytest.raises(ValidationError, match=wording.NOT_AN_EMAIL_ADDRESS):
        AlertRule(emails="boss@example.com\nnobody").full_clean()
