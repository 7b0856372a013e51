"""Messages of alerts: signed, sent once, tried again, and never in each other's way, whatever the receivers answer."""

import json
import socket
import threading
from datetime import timedelta

import psycopg
import pytest
from django.core import mail
from django.core.checks import run_checks
from django.utils import timezone
from standardwebhooks import Webhook

from tests import factories, wording
from tests.usage import receivers
from tests.usage.receivers import answering, serving
from tests.usage.shops import log_in, shop
from tests.usage.test_changes import at_once
from usage import alerts, deliveries, rollup
from usage.models import Alert, AlertRule, Delivery

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SMTP = "django.core.mail.backends.smtp.EmailBackend"
LIST = "/usage/delivery/"


@pytest.fixture(autouse=True)
def _secret(settings, monkeypatch) -> None:
    settings.QUOTA_WEBHOOK_SECRET = SECRET
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture
def receiver(settings):
    with serving(answering()) as server:
        settings.QUOTA_WEBHOOK_URL = url_of(server)
        yield server


@pytest.fixture
def hurried(monkeypatch, settings) -> None:
    monkeypatch.setattr(deliveries, "DEADLINE", 2.0)
    settings.EMAIL_TIMEOUT = 2


@pytest.fixture
def rule(db) -> AlertRule:
    return AlertRule.objects.create(emails="boss@example.com\nowner@example.com")


def url_of(server: receivers.Server, scheme: str = "http") -> str:
    return f"{scheme}://127.0.0.1:{server.port}/"


def raise_alert(name: str = "Shop", used: int = 85) -> None:
    shop(name, used=used)
    rollup.refresh()
    alerts.raise_alerts()


def message(**values) -> Delivery:
    alert = Alert.objects.create(
        business=values.pop("business", None) or factories.business("Shop"),
        period=timezone.now(),
        threshold=80,
        at=timezone.now(),
        facts={
            "name": "Shop",
            "used": 85,
            "limit": 100,
            "exhausted_at": None,
            "resets_on": "2026-12-01T00:00:00+00:00",
        },
    )
    values = {"channel": "webhook", "language": "en", "next_attempt_at": timezone.now(), **values}
    return Delivery.objects.create(alert=alert, **values)


def test_a_library_of_standard_webhooks_verifies_it(rule, receiver) -> None:
    one = shop("متجر", used=85)
    rollup.refresh()
    alerts.raise_alerts()
    assert deliveries.deliver() == {"sent": 3}
    [(headers, body)] = receiver.posts
    content = Webhook(SECRET).verify(body, headers)
    assert headers["webhook-id"] == Delivery.objects.get(channel="webhook").message_id
    assert (content["type"], content["data"]["business"]) == ("quota.threshold", str(one.pk))
    assert (content["data"]["threshold"], content["data"]["name"]) == (80, "متجر")
    assert (content["data"]["used"], content["data"]["limit"]) == (85, 100)


def test_the_id_is_the_same_at_each_attempt(rule, settings) -> None:
    with serving(answering(500)) as server:
        settings.QUOTA_WEBHOOK_URL = url_of(server)
        raise_alert()
        deliveries.deliver()
        deliveries.deliver(timezone.now() + timedelta(minutes=2))
    first, second = ({**headers} for headers, _body in server.posts)
    assert first["webhook-id"] == second["webhook-id"]
    ids = {message.extra_headers["Message-ID"] for message in mail.outbox}
    assert len(ids) == 2
    assert {delivery.message_id in str(ids) for delivery in Delivery.objects.filter(channel="email")} == {True}


MISBEHAVING = {
    "garbage": (receivers.sending(b"\x00\xff\xfegarbage\r\n\x1b[31m\r\n\r\n"), "not HTTP"),
    "huge-header": (receivers.sending(b"HTTP/1.1 500 Sorry\r\nX: " + b"x" * 70_000 + b"\r\n\r\n"), "answered 500"),
    "endless-header": (receivers.sending(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 2_000_000), ""),
    "closes-early": (receivers.closing, ""),
    "closes-in-header": (receivers.sending(b"HTTP/1.1 200 OK\r\nContent-"), ""),
    "says-nothing": (receivers.hanging, ""),
    "drips-header": (receivers.dripping(b"HTTP/1.1 200 OK\r\nX: "), "within 2 seconds"),
    "redirect": (answering(302, "Location: /elsewhere"), wording.NO_REDIRECTS),
    "not-found": (answering(404), "answered 404"),
    "failure": (answering(500, body=b"x" * 3_000_000), "answered 500"),
    "status-out-of-range": (receivers.sending(b"HTTP/1.1 999 Odd\r\n\r\n"), "999"),
    "informational": (receivers.sending(b"HTTP/1.1 101 Switching Protocols\r\n\r\n"), ""),
}


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize(("behave", "error"), MISBEHAVING.values(), ids=MISBEHAVING)
def test_a_misbehaving_webhook_fails_alone(rule, settings, behave, error: str) -> None:
    with serving(behave) as server:
        settings.QUOTA_WEBHOOK_URL = url_of(server)
        Delivery.objects.all().delete()
        raise_alert()
        Delivery.objects.filter(channel="webhook").update(next_attempt_at=factories.ago(minutes=1))
        assert deliveries.deliver() == {"sent": 2, "waiting": 1}
        assert len(mail.outbox) == 2
        delivery = Delivery.objects.get(channel="webhook")
        assert (delivery.state, delivery.attempts) == ("waiting", 1)
        assert error in delivery.error
        assert delivery.error.isprintable()
        assert deliveries.deliver() == {}
        settings.QUOTA_WEBHOOK_URL = ""
        now = timezone.now()
        for pause in deliveries.PAUSES:
            now += pause + timedelta(seconds=1)
            deliveries.deliver(now)
        delivery.refresh_from_db()
        assert (delivery.state, delivery.attempts) == ("given_up", 6)


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize(
    "behave",
    [
        answering(200, body=b"x" * 5_000_000),
        answering(204),
        receivers.sending(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n"),
        receivers.sending(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nnot al"),
        receivers.sending(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nnot gzip"),
        receivers.dripping(b"HTTP/1.1 200 OK\r\n\r\n"),
    ],
    ids=["megabytes", "no-content", "large-header", "cut-body", "wrong-encoding", "drips-body"],
)
def test_the_body_of_an_answer_is_not_read(rule, settings, behave) -> None:
    with serving(behave) as server:
        settings.QUOTA_WEBHOOK_URL = url_of(server)
        raise_alert()
        assert deliveries.deliver() == {"sent": 3}


UNUSABLE = [
    "https://hooks.example.com:99999/",
    "https://hooks.example.com:0/",
    "https://hooks.example.com:port/",
    "https://hooks example.com/",
    "https://hooks.example.com/a b",
    "https://hooks.example.com/\n",
    "https://hooks.example.com/\x00",
    "https://user:password@hooks.example.com/",
    "https://user@hooks.example.com/",
    "https://",
    "https:///path",
    "https://[::1/",
    "http://hooks.example.com",
    "http://localhost.example.com",
    "file:///etc/passwd",
    "hooks.example.com",
]


@pytest.mark.parametrize("url", UNUSABLE)
def test_an_unusable_address_is_found_by_check_and_stops_no_other_message(rule, settings, url: str) -> None:
    settings.QUOTA_WEBHOOK_URL = url
    [found] = [one for one in run_checks() if one.id.startswith("usage.")]
    assert found.id == "usage.E001"
    assert "password@" not in found.msg
    raise_alert()
    assert deliveries.deliver() == {"sent": 2, "waiting": 1}
    assert f"QUOTA_WEBHOOK_URL {wording.CANNOT_BE_USED}" in Delivery.objects.get(channel="webhook").error


@pytest.mark.parametrize(
    ("url", "secret", "found"),
    [
        ("", "", set()),
        ("https://hooks.example.com", SECRET, set()),
        ("https://hooks.example.com:8443/x?y=z", SECRET, set()),
        ("http://localhost:8000/x", SECRET, set()),
        ("http://[::1]:8000/x", SECRET, set()),
        ("https://hooks.example.com", "", {"usage.E002"}),
        ("https://hooks.example.com", "a-long-secret", {"usage.E002"}),
        ("https://hooks.example.com", "whsec_", {"usage.E002"}),
        ("https://hooks.example.com", "whsec_c2hvcnQ=", {"usage.E002"}),
        ("https://hooks.example.com", "whsec_ناص", {"usage.E002"}),
        ("file:///etc/passwd", "", {"usage.E001", "usage.E002"}),
    ],
)
def test_check_wants_a_safe_webhook(settings, url, secret, found) -> None:
    settings.QUOTA_WEBHOOK_URL, settings.QUOTA_WEBHOOK_SECRET = url, secret
    assert {message.id for message in run_checks() if message.id.startswith("usage.")} == found


@pytest.mark.parametrize("port", ["closed", "not-tls"])
def test_an_unreachable_server_is_a_failure_too(rule, settings, port: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        closed = unused.getsockname()[1]
    with serving(receivers.closing) as server:
        settings.QUOTA_WEBHOOK_URL = f"http://127.0.0.1:{closed}/" if port == "closed" else url_of(server, "https")
        raise_alert()
        assert deliveries.deliver() == {"sent": 2, "waiting": 1}
    assert wording.UNREACHABLE in Delivery.objects.get(channel="webhook").error


def test_a_corrected_address_takes_messages_that_wait(rule, settings) -> None:
    settings.QUOTA_WEBHOOK_URL = "https://hooks example.com/"
    raise_alert()
    deliveries.deliver()
    with serving(answering()) as server:
        settings.QUOTA_WEBHOOK_URL = url_of(server)
        assert deliveries.deliver(timezone.now() + timedelta(minutes=2)) == {"sent": 1}
    assert len(server.posts) == 1


BAD_MAIL_SERVERS = {
    "silent": receivers.hanging,
    "closes": receivers.closing,
    "garbage": lambda server, connection: connection.sendall(b"\x00\xff\x1b[31m\r\n" * 100),
    "drips": receivers.dripping(b"220 "),
    "endless-greeting": receivers.dripping(b"220-hello\r\n" * 100_000),
    "refuses-everything": receivers.mail_server(hello=b"554 go away \x00\xff\r\n"),
    "refuses-recipient": receivers.mail_server(rcpt=b"550 \xff no such person\r\n"),
    "refuses-text": receivers.mail_server(data=b"552 too much\r\n"),
    "odd-code": receivers.mail_server(mail=b"abc\r\n"),
}


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("behave", BAD_MAIL_SERVERS.values(), ids=BAD_MAIL_SERVERS)
def test_a_misbehaving_mail_server_stops_no_webhook(db, settings, receiver, behave) -> None:
    message(channel="email", target="boss@example.com", next_attempt_at=factories.ago(minutes=1))
    message()
    with serving(behave) as server:
        settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = SMTP, "127.0.0.1", server.port
        assert deliveries.deliver() == {"sent": 1, "waiting": 1}
    error = Delivery.objects.get(channel="email").error
    assert error
    assert error.isprintable()
    assert len(receiver.posts) == 1


def test_a_mail_server_gets_the_message(rule, settings) -> None:
    raise_alert()
    with serving(receivers.mail_server()) as server:
        settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = SMTP, "127.0.0.1", server.port
        assert deliveries.deliver() == {"sent": 2}
    assert len(server.posts) == 2
    ids = [delivery.message_id for delivery in Delivery.objects.filter(channel="email").order_by("pk")]
    assert all(f"Message-ID: <{one}@" in post.decode() for one, post in zip(ids, server.posts, strict=True))


@pytest.mark.usefixtures("hurried")
def test_a_silent_channel_is_left_for_the_next_command(db, settings, receiver, monkeypatch) -> None:
    monkeypatch.setattr(deliveries, "SLOW", 1)
    with serving(receivers.hanging) as server:
        settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = SMTP, "127.0.0.1", server.port
        for number in range(3):
            message(channel="email", target=f"{number}@example.com", next_attempt_at=factories.ago(minutes=10))
        message()
        assert deliveries.deliver() == {"waiting": 1, "sent": 1}
    assert Delivery.objects.filter(channel="email", attempts=0).count() == 2


def test_a_run_ends_in_time(db, receiver, monkeypatch) -> None:
    message()
    monkeypatch.setattr(deliveries, "RUN", 0.0)
    assert deliveries.deliver() == {}
    assert not receiver.posts


def test_two_commands_at_once_send_once(committed_database, receiver) -> None:
    AlertRule.objects.create(emails="")
    for number in range(8):
        shop(f"Shop {number}", used=100)

    def run(_: int) -> None:
        alerts.raise_alerts()
        deliveries.deliver()

    at_once(run, 4)
    deliveries.deliver()
    assert Alert.objects.count() == 24
    assert len(receiver.posts) == 8


def test_nothing_is_open_or_locked_while_a_message_is_sent(committed_database, settings) -> None:
    seen = []

    def look(server: receivers.Server, connection: socket.socket) -> None:
        with psycopg.connect(committed_database, autocommit=True) as session:
            open_ones = session.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND xact_start IS NOT NULL"
                " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
            ).fetchall()
            row = session.execute("SELECT attempts, error FROM waops.usage_delivery FOR UPDATE NOWAIT").fetchone()
        seen.append((open_ones, row))
        answering()(server, connection)

    with serving(look) as server:
        settings.QUOTA_WEBHOOK_URL = url_of(server)
        message()
        assert deliveries.deliver() == {"sent": 1}
    assert seen == [([], (1, wording.COMMAND_ENDED))]


def test_what_a_killed_command_leased_is_sent_by_a_later_one(db, receiver) -> None:
    delivery = message()
    assert deliveries._lease(timezone.now(), []) == delivery
    assert deliveries.deliver() == {}
    assert deliveries.deliver(timezone.now() + deliveries.LEASE + timedelta(seconds=1)) == {"sent": 1}
    delivery.refresh_from_db()
    assert (delivery.attempts, delivery.error) == (2, "")


def test_a_message_that_kills_each_command_is_given_up(db, receiver) -> None:
    delivery, now = message(), timezone.now()
    for _attempt in range(len(deliveries.PAUSES) + 1):
        deliveries._lease(now, [])
        now += deliveries.LEASE
    assert deliveries.deliver(now) == {"given_up": 1}
    delivery.refresh_from_db()
    assert wording.COMMAND_ENDED in delivery.error
    assert not receiver.posts


def test_a_late_outcome_does_not_overwrite_a_later_attempt(db, receiver) -> None:
    delivery, now = message(), timezone.now()
    slow = deliveries._lease(now, [])
    assert deliveries.deliver(now + deliveries.LEASE) == {"sent": 1}
    deliveries._record(slow, now, "too late")
    delivery.refresh_from_db()
    assert (delivery.state, delivery.error) == ("sent", "")


def act(client, *rows: Delivery):
    data = {"action": "try_again", "_selected_action": [row.pk for row in rows]}
    return client.post(LIST, data, follow=True)


def test_try_again_makes_what_was_given_up_due(db, receiver) -> None:
    given_up = message(state="given_up", attempts=6, error=wording.RECEIVER_ANSWERED.format(500))
    waiting = message(attempts=3, next_attempt_at=factories.ago(hours=-2))
    leased = message(attempts=1, next_attempt_at=factories.ago(seconds=-30))
    sent = message(state="sent", attempts=1)
    client = log_in("Managers")
    assert wording.RECEIVER_ANSWERED.format(500) in client.get(LIST, {"state": "given_up"}).content.decode()
    assert f"2 {wording.MESSAGES_WILL_BE_RETRIED}" in act(client, given_up, waiting, leased, sent).content.decode()
    assert deliveries.deliver() == {"sent": 2}
    assert wording.NOTHING_TO_SEND in act(client, leased, sent).content.decode()
    given_up.refresh_from_db()
    assert (given_up.state, given_up.attempts) == ("sent", 1)


def test_who_may_not_change_rules_cannot_try_again(db) -> None:
    given_up = message(state="given_up", attempts=6)
    client = log_in("Operators")
    assert "Try again" not in client.get(LIST).content.decode()
    act(client, given_up)
    given_up.refresh_from_db()
    assert given_up.state == "given_up"


def test_every_thread_of_a_sent_message_ends(db, receiver) -> None:
    before = threading.active_count()
    message()
    deliveries.deliver()
    assert threading.active_count() <= before + 1  # the receiver's own
    assert json.loads(receiver.posts[0][1])["type"] == "quota.threshold"
