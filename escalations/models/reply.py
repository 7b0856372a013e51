"""Replies that staff send to customers from the desk."""

import re
from datetime import timedelta
from typing import Any, ClassVar, Protocol

from django.conf import settings
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Now
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from conversations.legacy import whatsapp_forms

REACHABLE = re.compile(r"\d{5,17}|\d{5,20}@lid", re.ASCII)
"""Longest number of a single customer: longer ones are groups."""
LONGEST_REPLY = 4096
"""Most characters that WhatsApp accepts in one message."""
GRACE = timedelta(seconds=10)
"""Time after the gateway's deadline to record the result. After that, nothing is still sending the reply."""


def recipient(whatsapp_number: str) -> str | None:
    """The customer's number as the gateway takes it, in whatever form the service stored it.

    None for a group, a broadcast and anything else that cannot receive replies.
    """
    _, *forms = whatsapp_forms(whatsapp_number)
    return forms[0] if forms and REACHABLE.fullmatch(forms[0]) else None


class ToCustomer(Protocol):
    """Filter by an escalation's customer."""

    instance_id: Any
    whatsapp_number: str


class ReplyQuerySet(models.QuerySet["Reply"]):
    def with_outcome(self) -> "ReplyQuerySet":
        """Adds `outcome`: the state, or unknown if no process is still sending the reply."""
        over = timedelta(seconds=settings.EVOLUTION_API_TIMEOUT) + GRACE
        interrupted = When(state=Reply.State.SENDING, begun_at__lt=Now() - over, then=Value(Reply.State.UNKNOWN))
        return self.annotate(outcome=Case(interrupted, default=F("state"), output_field=models.TextField()))

    def to_customer_of(self, escalation: ToCustomer) -> "ReplyQuerySet":
        """Replies to the customer of an escalation, including those from the customer's other escalations."""
        number = recipient(escalation.whatsapp_number) or escalation.whatsapp_number
        return self.filter(instance_id=escalation.instance_id, whatsapp_number=number)


class Reply(models.Model):
    """A reply: one press of Send. The row is written before the gateway is asked, so that nothing is sent without a
    trace.
    """

    class State(models.TextChoices):
        SENDING = "sending", _("being sent")
        SENT = "sent", _("sent")
        FAILED = "failed", _("not sent")
        UNKNOWN = "unknown", _("unknown")
        ARRIVED = "arrived", _("confirmed as sent")  # by a person; it was unknown
        NOT_SENT = "not_sent", _("confirmed as not sent")  # by a person; it was unknown

    UNDECIDED = (State.SENDING, State.UNKNOWN)
    TEXT_NOT_NEEDED = Q(state__in=[State.FAILED, State.NOT_SENT]) | ~Q(state__in=UNDECIDED) & Q(
        message_id__isnull=False
    )
    """Not while it is undecided, nor where the conversation lacks what the customer was told."""

    class Why(models.TextChoices):
        """Why a reply failed, or why its result is unknown."""

        NOT_ON_WHATSAPP = "not_on_whatsapp", _("This customer is not on WhatsApp.")
        REFUSED = "refused", _("WhatsApp refused the message.")
        KEY = "key", _("The gateway rejected the key. Tell an operator.")
        NUMBER = "number", _("The gateway does not know this WhatsApp number. Tell an operator.")
        REQUEST = "request", _("The gateway rejected the request. Tell an operator.")
        BROKEN = "broken", _("The gateway is disconnected from WhatsApp. The business may need to reconnect.")
        UNREACHABLE = "unreachable", _("The gateway cannot be reached. Try again in a minute.")
        BUSY = "busy", _("The gateway is slow and too many replies are waiting. Try again in a minute.")
        NO_ANSWER = "no_answer", _("The gateway did not answer in time.")
        LOST = "lost", _("The connection to the gateway was lost.")
        ODD = "odd", _("The gateway sent an unexpected answer.")
        INTERRUPTED = "interrupted", _("Sending was interrupted.")

    class Delivery(models.TextChoices):
        """What WhatsApp says about a reply that was sent."""

        ERROR = "error", _("not delivered")
        SENT = "sent", _("sent")
        DELIVERED = "delivered", _("delivered")
        READ = "read", pgettext_lazy("delivery", "read")

    key = models.UUIDField(
        _("key of the form"), unique=True, help_text=_("Stays the same when a form is submitted twice.")
    )
    escalation_id = models.UUIDField(_("escalation"))
    instance_id = models.UUIDField(_("WhatsApp number"))
    instance_name = models.TextField(_("name"), help_text=_("As it was at that time."))
    whatsapp_number = models.TextField(_("customer"))  # as `recipient` returns it
    text = models.TextField(_("text"))  # emptied by retention once nothing can come of it
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("who"))
    author_name = models.TextField(_("name"), help_text=_("As it was at that time."))
    begun_at = models.DateTimeField(_("when"), db_default=Now())
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.SENDING)
    why = models.CharField(_("why"), max_length=20, blank=True, default="")
    ended_at = models.DateTimeField(_("ended at"), null=True)
    message_id = models.TextField(_("message"), null=True, help_text=_("As stored in the conversation."))
    delivery = models.CharField(_("delivery"), max_length=10, choices=Delivery, blank=True, default="")
    decided_by_name = models.TextField(_("decided by"), blank=True, default="")
    again_of = models.OneToOneField(
        "self", models.PROTECT, null=True, related_name="again", verbose_name=_("resent in place of")
    )

    objects: ClassVar[ReplyQuerySet] = ReplyQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("reply")
        verbose_name_plural = _("replies")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["instance_id", "whatsapp_number"],
                condition=Q(state__in=["sending", "unknown"]),
                name="one_undecided_reply_per_customer",
            )
        ]
        indexes = [
            # Read by an escalation's page.
            models.Index(fields=["instance_id", "whatsapp_number", "begun_at"], name="replies_to_customer"),
            # Finds who wrote a message of a conversation.
            models.Index(fields=["message_id"], condition=Q(message_id__isnull=False), name="replies_by_message"),
            # Retention.
            models.Index(fields=["begun_at"], condition=~Q(text=""), name="replies_with_text"),
            # Doctor.
            models.Index(fields=["begun_at"], condition=Q(state__in=["sending", "unknown"]), name="replies_undecided"),
        ]

    def __str__(self) -> str:
        return f"{self.author_name} {self.begun_at}"

    @cached_property
    def reason(self) -> str:
        """Why the reply failed or is unknown, in words."""
        return str(self.Why(self.why or self.Why.INTERRUPTED).label)

    @property
    def delivered(self) -> str:
        """What WhatsApp says about the reply, in words; empty if nothing."""
        return str(self.get_delivery_display()) if self.delivery else ""
