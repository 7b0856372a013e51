"""The businesses (tenants) and their quotas: table `profiles` of the existing database.

Mapped: every column but the prompt generations' quota and storage, which nobody steers here. `id` equals
`auth.users.id`; schema `auth` belongs to Supabase and is not mapped.
"""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from waops.live_schema import ForeignTable


class Profile(ForeignTable):
    """One business."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    created_at = models.DateTimeField(_("created at"), null=True)
    updated_at = models.DateTimeField(_("updated at"), null=True)
    full_name = models.TextField(_("full name"), null=True)
    business_name = models.TextField(_("business name"), null=True)
    is_active = models.BooleanField(_("is active"), null=True)
    monthly_ai_response_limit = models.IntegerField(_("monthly ai response limit"))
    monthly_ai_responses_used = models.IntegerField(_("monthly ai responses used"))
    last_responses_reset_date = models.DateTimeField(_("last responses reset date"), null=True)
    enable_smart_escalation_global = models.BooleanField(_("enable smart escalation global"), null=True)
    subscription_start_date = models.DateTimeField(_("subscription start date"), null=True)
    subscription_end_date = models.DateTimeField(_("subscription end date"), null=True)
    plan_type = models.TextField(_("plan type"), null=True)
    subscription_period = models.TextField(_("subscription period"), null=True)

    class Meta(ForeignTable.Meta):
        managed = False
        db_table = "profiles"
        ordering = ["business_name"]
        verbose_name = _("business")
        verbose_name_plural = _("businesses")

    def __str__(self) -> str:
        return self.business_name or self.full_name or str(self.pk)
