"""Warnings about quotas: which are due, and their messages by e-mail and webhook.

Recording comes first and alone decides what is sent: an alert of a business, period and threshold exists once, however
often and by however many commands this runs. Sending is a command's work, never a page's: each message is tried again
with growing pauses, and one that fails holds up no other. A message may arrive twice if the command is killed while it
sends; the webhook's `id` tells.
"""

import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from smtplib import SMTPException
from typing import Any
from urllib.error import URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import connection, transaction
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from usage import overview
from usage.business import EPOCH
from usage.models import Alert, AlertRule, Delivery
from usage.overview import Business, View

PAUSES = [timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 720)]
"""Before the second attempt, the third, and so on; after the last one a message is given up."""
TIMEOUT = 10
"""Seconds that the webhook's receiver has for its answer."""

RECORD = """
    INSERT INTO waops.usage_alert (business_id, period, threshold, at, facts)
    SELECT item.business_id, item.period, item.threshold, %(at)s, item.facts::jsonb
    FROM unnest(%(businesses)s::uuid[], %(periods)s::timestamptz[], %(thresholds)s::smallint[], %(facts)s::text[])
        AS item (business_id, period, threshold, facts)
    ON CONFLICT (business_id, period, threshold) DO NOTHING
    RETURNING id, business_id, threshold
"""


def raise_alerts(now: datetime | None = None) -> list[Alert]:
    """Record what has become due, with its messages; the alerts that are new.

    Of several thresholds that a business passed since the last time, only the highest is told; beside it the forecast.
    """
    now = now or timezone.now()
    rules = {rule.business_id: rule for rule in AlertRule.objects.all()}
    due = [
        (one, threshold)
        for one in overview.load(now)
        for threshold in _reached(one, rules.get(one.id, rules.get(None)))
    ]
    with transaction.atomic():
        alerts = _record(due, now)
        ascending = sorted(alerts, key=lambda alert: alert.threshold)
        told = {(alert.business_id, alert.threshold == Alert.FORECAST): alert for alert in ascending}
        Delivery.objects.bulk_create(
            delivery
            for alert in told.values()
            for delivery in _deliveries(alert, rules.get(alert.business_id, rules.get(None)), now)
        )
    return alerts


def deliver(now: datetime | None = None) -> Counter[str]:
    """Send every message whose time has come; how many were sent, wait for another attempt, and were given up."""
    outcomes: Counter[str] = Counter()
    while (state := _deliver_one(now or timezone.now())) is not None:
        outcomes[state] += 1
    return outcomes


def signature(body: bytes, timestamp: int) -> str:
    """Header `X-Waops-Signature`: `t=<seconds since 1970>,v1=<hex HMAC-SHA256 of "<t>.<body>" with the secret>`."""
    signed = f"{timestamp}.".encode() + body
    digest = hmac.new(settings.QUOTA_WEBHOOK_SECRET.encode(), signed, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


def _reached(one: Business, rule: AlertRule | None) -> list[int]:
    if rule is None or one.share is None or not one.is_enabled:
        return []
    reached = [threshold for threshold in rule.thresholds if one.used * 100 >= threshold * one.limit]
    return reached + ([Alert.FORECAST] if rule.forecast and one.is_in(View.BEFORE_RESET) else [])


def _record(due: Iterable[tuple[Business, int]], now: datetime) -> list[Alert]:
    rows = list(due)
    facts = {one.id: _facts(one) for one, _threshold in rows}
    with connection.cursor() as cursor:
        cursor.execute(
            RECORD,
            {
                "at": now,
                "businesses": [one.id for one, _threshold in rows],
                "periods": [one.last_reset or EPOCH for one, _threshold in rows],
                "thresholds": [threshold for _one, threshold in rows],
                "facts": [json.dumps(facts[one.id]) for one, _threshold in rows],
            },
        )
        return [
            Alert(pk=pk, business_id=business_id, threshold=threshold, at=now, facts=facts[business_id])
            for pk, business_id, threshold in cursor.fetchall()
        ]


def _facts(one: Business) -> dict[str, Any]:
    """What a message says, in JSON's types."""
    exhausted_at = one.forecast.exhausted_at
    return {
        "name": one.name,
        "used": one.used,
        "limit": one.limit,
        "exhausted_at": exhausted_at.isoformat() if exhausted_at else None,
        "resets_on": one.resets_on.isoformat(),
    }


def _deliveries(alert: Alert, rule: AlertRule | None, now: datetime) -> list[Delivery]:
    if rule is None:
        return []
    targets = [(Delivery.Channel.EMAIL, address) for address in rule.addresses]
    if rule.webhook and settings.QUOTA_WEBHOOK_URL:
        targets.append((Delivery.Channel.WEBHOOK, settings.QUOTA_WEBHOOK_URL))
    return [
        Delivery(alert=alert, channel=channel, target=target, language=rule.language, next_attempt_at=now)
        for channel, target in targets
    ]


def _deliver_one(now: datetime) -> str | None:
    """Locks a message that nobody else is sending, tries it, and keeps what came of it."""
    with transaction.atomic():
        waiting = Delivery.objects.filter(state=Delivery.State.WAITING, next_attempt_at__lte=now)
        locked = waiting.select_for_update(skip_locked=True, of=("self",)).select_related("alert")
        delivery = locked.order_by("next_attempt_at", "pk").first()
        if delivery is None:
            return None
        try:
            if delivery.channel == Delivery.Channel.EMAIL:
                _send_email(delivery)
            else:
                _call_webhook(delivery)
        except (OSError, SMTPException, ValueError) as error:
            delivery.error = f"{type(error).__name__}: {error}"[:500]
            if delivery.attempts < len(PAUSES):
                delivery.next_attempt_at = now + PAUSES[delivery.attempts]
            else:
                delivery.state = Delivery.State.GIVEN_UP
        else:
            delivery.state, delivery.error = Delivery.State.SENT, ""
        delivery.attempts += 1
        delivery.save(update_fields=["state", "attempts", "next_attempt_at", "error"])
        return delivery.state


def _send_email(delivery: Delivery) -> None:
    with translation.override(delivery.language):
        subject, body = _text(delivery.alert)
    EmailMessage(subject, body, to=[delivery.target]).send()


def _text(alert: Alert) -> tuple[str, str]:
    """Subject and body, in the language that is active."""
    facts = alert.facts
    values = {
        "name": " ".join(facts["name"].split()),
        "used": facts["used"],
        "limit": facts["limit"],
        "threshold": alert.threshold,
        "reset": _day(facts["resets_on"]),
        "day": _day(facts["exhausted_at"]) if facts["exhausted_at"] else "",
    }
    if alert.threshold == Alert.FORECAST:
        subject = _("%(name)s will be out of AI answers before the reset") % values
        lead = _("At this pace %(name)s runs out on %(day)s; the counter is reset on %(reset)s.") % values
    elif facts["used"] >= facts["limit"]:
        subject = _("%(name)s is out of AI answers") % values
        lead = _("The AI of %(name)s is silent: its customers hear nothing until the reset on %(reset)s.") % values
    else:
        subject = _("%(name)s has used %(threshold)s%% of its AI answers") % values
        lead = _("The counter of %(name)s is reset on %(reset)s.") % values
    return subject, lead + "\n\n" + _("Used: %(used)s of %(limit)s.") % values + "\n"


def _day(moment: str) -> str:
    return date_format(timezone.localtime(datetime.fromisoformat(moment)), "j F Y")


class _NoRedirects(HTTPRedirectHandler):
    """A signed message goes to the address that was configured and nowhere else."""

    def redirect_request(self, *args: Any) -> None:
        return None


def _call_webhook(delivery: Delivery) -> None:
    """Raises URLError unless the receiver answers 2xx in time."""
    alert = delivery.alert
    is_forecast = alert.threshold == Alert.FORECAST
    body = json.dumps(
        {
            "id": delivery.pk,
            "event": "quota.forecast" if is_forecast else "quota.threshold",
            "at": alert.at.isoformat(),
            "business": str(alert.business_id),
            "threshold": None if is_forecast else alert.threshold,
            **alert.facts,
        },
        ensure_ascii=False,
    ).encode()
    headers = {
        "Content-Type": "application/json",
        "X-Waops-Signature": signature(body, int(timezone.now().timestamp())),
    }
    request = Request(delivery.target, body, headers, method="POST")  # noqa: S310 a check wants https
    with build_opener(_NoRedirects).open(request, timeout=TIMEOUT) as answer:
        if not 200 <= answer.status < 300:
            raise URLError(f"answered {answer.status}")
