"""AI replies, counted ahead of the pages that show the counts.

Triggers on the replies' table (`whatsapp_ai_interactions`) put each change into `PendingAnswer` in the same
transaction; `waops.refresh_usage` takes them from there and adds them to the other tables. So at any moment, in any
snapshot, counts plus pending changes equal the replies. A change that a trigger could not put there is in `Missed`:
until all replies have been counted again, the counts are not built.

Days and hours are in `RollupState.time_zone`. A period lasts from one reset of the counter to the next; replies before
the first known reset belong to the period that starts in 1970. Missing texts are "".
"""

from django.db import models
from django.utils.translation import gettext_lazy as _

from usage.models.profile import Profile


class RollupState(models.Model):
    """The state of the counts, in a single row.

    `built_at` is NULL until all replies have been counted once. `basis` was `waops.usage_basis()` at that time. If it
    has changed, the replies must be counted again.
    """

    built_at = models.DateTimeField(_("counted from the start"), null=True)
    refreshed_at = models.DateTimeField(_("as of"), null=True)
    time_zone = models.TextField(_("time zone"), default="")
    basis = models.TextField(default="")

    class Meta:
        verbose_name = _("state of the counts")
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="one_rollup_state")]

    def __str__(self) -> str:
        return self.time_zone


class PendingAnswer(models.Model):
    """A reply that was added (`sign` 1) or deleted (-1) and is not counted yet."""

    sign = models.SmallIntegerField()
    answered_at = models.DateTimeField()
    instance_id = models.UUIDField()
    model = models.TextField()
    personality = models.TextField()
    intent = models.TextField()
    prompt_tokens = models.IntegerField(null=True)
    completion_tokens = models.IntegerField(null=True)
    total_tokens = models.IntegerField(null=True)

    def __str__(self) -> str:
        return f"{self.sign:+} {self.instance_id}"


class Missed(models.Model):
    """A change that one of our triggers could not record properly. Written by the triggers.

    For `ANSWERS`: one row per transaction, until all replies are counted again. For `QUOTA_CHANGE`: one row per change
    missing in the history, permanently.
    """

    ANSWERS = "answers"
    QUOTA_CHANGE = "quota_change"

    at = models.DateTimeField()
    what = models.TextField()
    business_id = models.UUIDField(null=True)
    problem = models.TextField()

    def __str__(self) -> str:
        return f"{self.what} {self.at}"


class Period(models.Model):
    """A reset of a business's counter. `counted`: the counts are split at that time."""

    pk = models.CompositePrimaryKey("business_id", "starts_at")
    business = models.ForeignKey(Profile, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    starts_at = models.DateTimeField()
    counted = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["business"], condition=models.Q(counted=False), name="uncounted_periods")]

    def __str__(self) -> str:
        return f"{self.business_id} {self.starts_at}"


class Measures(models.Model):
    """`untracked`: replies without recorded tokens; the token sums leave them out."""

    replies = models.BigIntegerField()
    untracked = models.BigIntegerField()
    prompt_tokens = models.BigIntegerField()
    completion_tokens = models.BigIntegerField()
    total_tokens = models.BigIntegerField()

    class Meta:
        abstract = True


class UsageDetail(Measures):
    """Replies of a WhatsApp number by all attributes that a business page shows."""

    pk = models.CompositePrimaryKey("instance_id", "period", "day", "model", "personality", "intent")
    instance_id = models.UUIDField()
    period = models.DateTimeField()
    day = models.DateField()
    model = models.TextField()
    personality = models.TextField()
    intent = models.TextField()

    def __str__(self) -> str:
        return f"{self.instance_id} {self.day}"


class UsageByPeriod(Measures):
    """Replies of a WhatsApp number by what their cost depends on. `price_id` 0: no price."""

    pk = models.CompositePrimaryKey("instance_id", "period", "model", "price_id")
    instance_id = models.UUIDField()
    period = models.DateTimeField()
    model = models.TextField()
    price_id = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.instance_id} {self.period}"


class UsageByDay(models.Model):
    """Replies of a WhatsApp number per day: trend and forecast of all businesses, and the time of the last AI reply."""

    pk = models.CompositePrimaryKey("day", "instance_id")
    day = models.DateField()
    instance_id = models.UUIDField()
    replies = models.BigIntegerField()
    last_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["instance_id", "-day"], name="last_day_of_number")]

    def __str__(self) -> str:
        return f"{self.instance_id} {self.day}"


class UsageByHour(models.Model):
    """Replies of a WhatsApp number in a period by hour of the day, 0–23."""

    pk = models.CompositePrimaryKey("instance_id", "period", "hour")
    instance_id = models.UUIDField()
    period = models.DateTimeField()
    hour = models.SmallIntegerField()
    replies = models.BigIntegerField()
    total_tokens = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.instance_id} {self.hour}"
