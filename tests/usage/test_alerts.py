"""Alerts: once per period and threshold, by e-mail and signed webhook, tried again, never in each other's way."""

import hashlib
import hmac
import json
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.core import mail
from django.core.checks import run_checks
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from tests import factories
from tests.usage.shops import shop
from tests.usage.test_changes import at_once
from usage import alerts, rollup
from usage.models import Alert, AlertRule, Delivery, Profile

SECRET = "a-long-secret"


class Receiver(HTTPServer):
    """Keeps what is posted; answers `status`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status, self.posts = 200, []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posts.append((self.headers["X-Waops-Signature"], body))
        self.send_response(self.server.status)
        if self.server.status == 302:
            self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *args) -> None:
        """Nothing."""


@pytest.fixture
def receiver(settings):
    server = Receiver()
    settings.QUOTA_WEBHOOK_URL = f"http://127.0.0.1:{server.server_port}/"
    settings.QUOTA_WEBHOOK_SECRET = SECRET
    yield server
    server.shutdown()
    server.server_close()


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
    alerts.deliver()
    assert sorted(message.to[0] for message in mail.outbox) == ["boss@example.com", "owner@example.com"]
    assert {message.subject for message in mail.outbox} == {"Shop is out of AI answers"}
    assert "Used: 100 of 100." in mail.outbox[0].body


def test_the_forecast_is_told_too(rule) -> None:
    shop("Shop", per_day=9, monthly_ai_response_limit=91)
    assert Alert.FORECAST in thresholds()
    alerts.deliver()
    assert "Shop will be out of AI answers before the reset" in [message.subject for message in mail.outbox]


def test_a_business_has_its_own_rule_and_language(rule) -> None:
    one, other = shop("Shop", used=30), shop("Other", used=30)
    AlertRule.objects.create(business=one, thresholds=[25], emails="nour@example.com", language="ar")
    assert thresholds() == [25]
    alerts.deliver()
    assert [message.to for message in mail.outbox] == [["nour@example.com"]]
    assert not Alert.objects.filter(business=other).exists()


def test_disabled_businesses_raise_none(rule) -> None:
    shop("Closed", monthly_ai_response_limit=0, used=5)
    shop("Lapsed", is_active=False, used=100)
    assert thresholds() == []


def test_without_a_rule_nobody_is_told(db) -> None:
    shop("Shop", used=100)
    assert thresholds() == []


def test_the_webhook_is_signed_json(rule, receiver) -> None:
    one = shop("متجر", used=85)
    thresholds()
    assert alerts.deliver() == {"sent": 3}
    [(header, body)] = receiver.posts
    moment, digest = (part.partition("=")[2] for part in header.split(","))
    assert digest == hmac.new(SECRET.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    content = json.loads(body)
    assert (content["business"], content["threshold"], content["event"]) == (str(one.pk), 80, "quota.threshold")
    assert (content["name"], content["used"], content["limit"]) == ("متجر", 85, 100)


@pytest.mark.parametrize("status", [500, 404, 302])
def test_a_failure_is_tried_again_later_and_given_up_in_the_end(rule, receiver, status) -> None:
    receiver.status = status
    shop("Shop", used=85)
    thresholds()
    assert alerts.deliver() == {"sent": 2, "waiting": 1}
    assert len(mail.outbox) == 2
    delivery = Delivery.objects.get(channel="webhook")
    assert (delivery.state, delivery.attempts) == ("waiting", 1)
    assert delivery.error
    assert alerts.deliver() == {}
    now = timezone.now()
    for pause in alerts.PAUSES:
        now += pause + timedelta(seconds=1)
        alerts.deliver(now)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts, len(receiver.posts)) == ("given_up", 6, 6)


def test_nobody_listening_is_a_failure_too(rule, settings) -> None:
    settings.QUOTA_WEBHOOK_URL = "http://127.0.0.1:9/"
    shop("Shop", used=85)
    thresholds()
    assert alerts.deliver()["waiting"] == 1


def test_two_commands_at_once_tell_once(committed_database, receiver) -> None:
    AlertRule.objects.create(emails="")
    for number in range(8):
        shop(f"Shop {number}", used=100)

    def run(_: int) -> None:
        alerts.raise_alerts()
        alerts.deliver()

    at_once(run, 4)
    alerts.deliver()
    assert Alert.objects.count() == 24
    assert len(receiver.posts) == 8


def test_one_rule_for_all_others(rule) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        AlertRule.objects.create()


def test_a_wrong_address_is_refused(db) -> None:
    with pytest.raises(ValidationError, match="not an e-mail address"):
        AlertRule(emails="boss@example.com\nnobody").full_clean()


@pytest.mark.parametrize(
    ("url", "secret", "found"),
    [
        ("", "", set()),
        ("https://hooks.example.com", "s", set()),
        ("http://localhost:8000/x", "s", set()),
        ("http://hooks.example.com", "s", {"usage.E001"}),
        ("file:///etc/passwd", "", {"usage.E001", "usage.E002"}),
    ],
)
def test_an_unsafe_webhook_is_an_error(settings, url, secret, found) -> None:
    settings.QUOTA_WEBHOOK_URL, settings.QUOTA_WEBHOOK_SECRET = url, secret
    assert {message.id for message in run_checks() if message.id.startswith("usage.")} == found
