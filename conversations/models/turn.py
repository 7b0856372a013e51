"""Turns: who answers a customer's message, until when, and how it ended."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Turn(models.Model):
    """The right to answer one message of a customer. Written only by the database functions.

    Held by the caller that knows `token`, until `leased_until` or until another takes over. `replied_at`: the reply is
    stored and only needs to be sent. `reserved_for`: the business whose quota already counts the reply.
    """

    class Outcome(models.TextChoices):
        ANSWERED = "answered", _("answered")
        SUPERSEDED = "superseded", _("answered by a later reply")
        ESCALATED = "escalated", _("escalated")
        REFUSED = "refused", _("no reply intended")
        FAILED = "failed", _("failed")
        RUN_OUT = "run_out", _("not answered in time")
        UNCONFIRMED = "unconfirmed", _("sending not confirmed")

    UNANSWERED = (Outcome.FAILED, Outcome.RUN_OUT, Outcome.UNCONFIRMED)
    """Outcomes after which a person should look at the conversation."""

    message_id = models.UUIDField(_("message"), primary_key=True)
    conversation_id = models.UUIDField(_("conversation"))
    token = models.UUIDField(_("token"), unique=True, default=uuid.uuid4)
    attempt = models.IntegerField(_("attempt"), default=1)
    arrived_at = models.DateTimeField(_("arrived"))
    lease_seconds = models.IntegerField(_("lease in seconds"))
    leased_until = models.DateTimeField(_("held until"))
    replied_at = models.DateTimeField(_("reply stored"), null=True)
    ended_at = models.DateTimeField(_("ended at"), null=True)
    outcome = models.TextField(_("outcome"), choices=Outcome, default="")
    superseded_by = models.UUIDField(_("answered by"), null=True)
    reserved_for = models.UUIDField(_("quota reserved for"), null=True)
    reserved_reset = models.DateTimeField(_("last reset when reserved"), null=True)

    class Meta:
        verbose_name = _("turn")
        verbose_name_plural = _("turns")
        default_permissions = ()
        indexes = (
            # Read by every incoming message, by the periodic cleanup and by the desk.
            models.Index(fields=["conversation_id"], condition=Q(ended_at=None), name="turn_open"),
            # Read by the desk and the doctor.
            models.Index(
                fields=["ended_at"],
                condition=Q(outcome__in=["failed", "run_out", "unconfirmed"]),
                name="turn_unanswered",
            ),
        )

    def __str__(self) -> str:
        return str(self.pk)
