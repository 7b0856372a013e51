"""The businesses (tenants) and their quotas: table `profiles` of the existing database.

Mapped: every column but the prompt generations' quota and storage, which nobody steers here. `id` equals
`auth.users.id`; schema `auth` belongs to Supabase and is not mapped.
"""

import uuid

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from waops.live_schema import ForeignTable


class Profile(ForeignTable):
    """One business."""

    business_path = "pk"

    id = models.UUIDField(_("id"), primary_key=True, default=uuid.uuid4)
    created_at = models.DateTimeField(_("joined"), null=True)
    updated_at = models.DateTimeField(_("last changed"), null=True)
    full_name = models.TextField(_("owner"), null=True)
    business_name = models.TextField(_("business name"), null=True)
    is_active = models.BooleanField(_("active"), null=True)
    monthly_ai_response_limit = models.IntegerField(_("AI answers per month"))
    monthly_ai_responses_used = models.IntegerField(_("AI answers used this month"))
    last_responses_reset_date = models.DateTimeField(_("counter last reset"), null=True)
    enable_smart_escalation_global = models.BooleanField(_("smart escalation for all numbers"), null=True)
    subscription_start_date = models.DateTimeField(_("subscription began"), null=True)
    subscription_end_date = models.DateTimeField(_("subscription ends"), null=True)
    plan_type = models.TextField(_("plan"), null=True)
    subscription_period = models.TextField(_("paid"), null=True)

    class Meta(ForeignTable.Meta):
        managed = False
        db_table = "profiles"
        ordering = ["business_name"]
        verbose_name = _("business")
        verbose_name_plural = _("businesses")
        permissions = [
            ("change_quota", _("Can change limits and grant top-ups")),
            ("reset_quota", _("Can reset counters")),
            ("export_usage", _("Can export usage")),
        ]

    def __str__(self) -> str:
        return self.business_name or self.full_name or gettext("No name (%(id)s)") % {"id": str(self.pk)[:8]}
