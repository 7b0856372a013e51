"""Send alert messages by e-mail and webhook, whatever the receiving servers do.

Each message is leased in one transaction, sent outside any, and its result recorded in another. A lease sets the next
attempt to a minute later: two commands never send the same message at the same time, and a killed command leaves it to
the next. A message may then arrive twice, with the same id. Every failure is recorded, and the next message is sent.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from email.utils import parseaddr
from smtplib import SMTPException
from time import monotonic

import httpx
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from usage import alert_texts, webhook
from usage.models import Delivery

PAUSES = [timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 720)]
"""Before the second attempt, the third, and so on; after the last, a message is given up."""
DEADLINE = 10.0
"""Total seconds for one message, whatever its receiver does."""
LEASE = timedelta(minutes=1)
"""Longer than the deadline, so that no other command sends the message in the meantime."""
RUN = 240.0
"""Seconds after which a command starts no further message; the next command starts every five minutes."""
SLOW = 3
"""After this many slow messages, a channel's other messages wait for the next command."""


class TooSlowError(Exception):
    """The deadline has passed. The message says so."""


def deliver(now: datetime | None = None) -> Counter[str]:
    """Send every message that is due. Returns how many were sent, will be retried, and were given up."""
    outcomes: Counter[str] = Counter()
    slow: Counter[str] = Counter()
    end = monotonic() + RUN
    while monotonic() < end:
        left_out = [channel for channel, count in slow.items() if count >= SLOW]
        moment = now or timezone.now()
        delivery = _lease(moment, left_out)
        if delivery is None:
            break
        error: BaseException | None = None
        if delivery.attempts <= len(PAUSES) + 1:  # more only if every attempt ended the command
            begin = monotonic()
            error = _within(DEADLINE, lambda delivery=delivery: _send(delivery))  # type: ignore[misc]
            slow[delivery.channel] += monotonic() - begin > DEADLINE / 2
            _record(delivery, moment, _in_words(error) if error else "")
        else:
            _record(delivery, moment, delivery.error)
        outcomes[delivery.state] += 1
    return outcomes


def try_again(rows: QuerySet[Delivery], now: datetime | None = None) -> int:
    """Make unsent messages due now. Returns how many. Skips those due within a minute or being sent."""
    now = now or timezone.now()
    given_up = rows.filter(state=Delivery.State.GIVEN_UP)
    waiting = rows.filter(state=Delivery.State.WAITING, next_attempt_at__gt=now + LEASE)
    return waiting.update(next_attempt_at=now) + given_up.update(
        state=Delivery.State.WAITING, attempts=0, next_attempt_at=now
    )


def _lease(now: datetime, left_out: Iterable[str]) -> Delivery | None:
    """The message that has waited longest, reserved for this command; the attempt counts even if the command
    is killed.
    """
    with transaction.atomic():
        due = Delivery.objects.filter(state=Delivery.State.WAITING, next_attempt_at__lte=now)
        free = due.exclude(channel__in=left_out).select_for_update(skip_locked=True, of=("self",))
        delivery = free.select_related("alert").order_by("next_attempt_at", "pk").first()
        if delivery is None:
            return None
        delivery.attempts += 1
        delivery.next_attempt_at = now + LEASE
        if delivery.attempts <= len(PAUSES) + 1:
            delivery.error = _("The command ended while sending.")
        delivery.save(update_fields=["attempts", "next_attempt_at", "error"])
        return delivery


def _record(delivery: Delivery, now: datetime, error: str) -> None:
    """Record the result of an attempt, unless the lease has ended and another attempt has begun."""
    leased = Delivery.objects.filter(pk=delivery.pk, attempts=delivery.attempts, state=Delivery.State.WAITING)
    delivery.error = error
    if not error:
        delivery.state = Delivery.State.SENT
    elif delivery.attempts <= len(PAUSES):
        delivery.next_attempt_at = now + PAUSES[delivery.attempts - 1]
    else:
        delivery.state = Delivery.State.GIVEN_UP
    leased.update(state=delivery.state, next_attempt_at=delivery.next_attempt_at, error=error)


def _send(delivery: Delivery) -> None:
    if delivery.channel == Delivery.Channel.WEBHOOK:
        content = alert_texts.as_json(delivery.alert)
        webhook.post(settings.QUOTA_WEBHOOK_URL, delivery.message_id, content, timezone.now(), seconds=DEADLINE)
        return
    with translation.override(delivery.language):
        subject, body = alert_texts.as_text(delivery.alert)
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    headers = {"Message-ID": f"<{delivery.message_id}@{domain}>"}
    EmailMessage(subject, body, to=[delivery.target], headers=headers).send()


def _within(seconds: float, call: Callable[[], None]) -> BaseException | None:
    """Run `call`. Returns what it raised, if anything; TooSlowError if it has not ended in time.

    Socket timeouts restart with every byte, so a server that answers very slowly is left in a thread that ends with the
    command.
    """
    errors: list[BaseException | None] = []

    def run() -> None:
        try:
            call()
        except BaseException as error:  # an odd response may raise anything; the next message is sent anyway
            errors.append(error)
        else:
            errors.append(None)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        return errors[0]
    return TooSlowError(_("No complete response within %(seconds)g seconds.") % {"seconds": seconds})


def _in_words(error: BaseException) -> str:
    """One line, without anything a server may have put into it to be displayed."""
    if isinstance(error, TooSlowError | webhook.WebhookError):
        text = str(error)
    elif isinstance(error, TimeoutError | httpx.TimeoutException):
        text = _("The server did not respond in time.")
    elif isinstance(error, httpx.ProtocolError):
        text = _("The response is not HTTP: %(error)s") % {"error": error}
    elif isinstance(error, OSError | httpx.TransportError) and not isinstance(error, SMTPException):
        text = _("The server cannot be reached: %(error)s") % {"error": error}
    elif isinstance(error, SMTPException):
        text = _("The mail server refused it: %(error)s") % {"error": error}
    else:
        text = f"{type(error).__name__}: {error}"
    return "".join(character if character.isprintable() else " " for character in text)[:500]
