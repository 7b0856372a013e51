"""Cached per-business figures that are expensive to compute."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _


class Outlook(models.Model):
    """Replies per day, their rate, and the cost of the current period, as of `day` and for the period since
    `last_reset`.

    `waops.count_answers` and `waops.reprice_usage` delete stale rows. A WhatsApp number that moves to another business
    is counted there from the next day, or from its next reply.

    `trend`: replies per day, oldest first, ending with `day`. `mean`, `deviation`, `error`: a `forecast.Rate` of the
    recorded replies; NULL if there is too little data.
    """

    business_id = models.UUIDField(primary_key=True)
    day = models.DateField()
    last_reset = models.DateTimeField(null=True)
    trend = ArrayField(models.BigIntegerField())
    replies = models.BigIntegerField()
    tokens = models.BigIntegerField()
    untracked = models.BigIntegerField()
    unpriced = models.BigIntegerField()
    currencies = ArrayField(models.TextField())
    costs = ArrayField(models.DecimalField(max_digits=30, decimal_places=12))
    mean = models.FloatField(null=True)
    deviation = models.FloatField(null=True)
    error = models.FloatField(null=True)

    class Meta:
        verbose_name = _("outlook")

    def __str__(self) -> str:
        return str(self.business_id)
