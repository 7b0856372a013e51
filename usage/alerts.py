"""Find quota alerts that are due and record them with their messages; deliveries.py sends those.

Recording comes first and alone decides what is sent: an alert for a business, period and threshold exists once, however
often and by however many commands this runs.
"""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from usage import quota
from usage.models import Alert, AlertRule, Delivery
from usage.quota import Business, View
from usage.rollup import period_of

RECORD = """
    INSERT INTO waops.usage_alert (business_id, period, threshold, at, facts)
    SELECT item.business_id, item.period, item.threshold, %(at)s, item.facts::jsonb
    FROM unnest(%(businesses)s::uuid[], %(periods)s::timestamptz[], %(thresholds)s::smallint[], %(facts)s::text[])
        AS item (business_id, period, threshold, facts)
    ON CONFLICT (business_id, period, threshold) DO NOTHING
    RETURNING id, business_id, threshold
"""


def raise_alerts(now: datetime | None = None) -> list[Alert]:
    """Record alerts that are due, with their messages. Returns the new alerts.

    Of several thresholds passed since the last run, only the highest is sent, along with the forecast.
    """
    now = now or timezone.now()
    rules = {rule.business_id: rule for rule in AlertRule.objects.all()}
    due = [
        (one, threshold) for one in quota.load(now) for threshold in _reached(one, rules.get(one.id, rules.get(None)))
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
                "periods": [period_of(one.last_reset) for one, _threshold in rows],
                "thresholds": [threshold for _one, threshold in rows],
                "facts": [json.dumps(facts[one.id]) for one, _threshold in rows],
            },
        )
        return [
            Alert(pk=pk, business_id=business_id, threshold=threshold, at=now, facts=facts[business_id])
            for pk, business_id, threshold in cursor.fetchall()
        ]


def _facts(one: Business) -> dict[str, Any]:
    """What a message says, as JSON values."""
    exhausted_at = one.forecast.exhausted_at
    return {
        "name": one.name,
        "used": one.used,
        "limit": one.limit,
        "exhausted_at": exhausted_at.isoformat() if exhausted_at else None,
        "resets_on": one.resets_on.isoformat() if one.resets_on else None,
    }


def _deliveries(alert: Alert, rule: AlertRule | None, now: datetime) -> list[Delivery]:
    if rule is None:
        return []
    targets = [(Delivery.Channel.EMAIL, address) for address in rule.addresses]
    if rule.webhook and settings.QUOTA_WEBHOOK_URL:
        targets.append((Delivery.Channel.WEBHOOK, ""))  # to the address on the day it is sent, in case it is corrected
    return [
        Delivery(alert=alert, channel=channel, target=target, language=rule.language, next_attempt_at=now)
        for channel, target in targets
    ]
