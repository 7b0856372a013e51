"""The businesses (tenants) and their quotas: table `profiles` of the existing database.

Mapped: every column except the quota of prompt generations and storage, which no page uses. `id` equals
`auth.users.id`; schema `auth` belongs to Supabase and is not mapped.
"""

import uuid
from typing import Any

from django.db import models
from django.db.models.functions import Coalesce, NullIf
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from waops.access.personal import text
from waops.database.live_schema import ForeignTable
from waops.database.long_text import LONGEST_NAME, cut


class Profile(ForeignTable):
    """One business."""

    business_path = "pk"

    id = models.UUIDField(_("id"), primary_key=True, default=uuid.uuid4)
    created_at = models.DateTimeField(_("joined"), null=True)
    updated_at = models.DateTimeField(_("last changed"), null=True)
    full_name = models.TextField(_("owner"), null=True)
    business_name = models.TextField(_("business name"), null=True)
    is_active = models.BooleanField(_("active"), null=True)
    monthly_ai_response_limit = models.IntegerField(_("AI replies per month"))
    monthly_ai_responses_used = models.IntegerField(_("AI replies used this month"))
    last_responses_reset_date = models.DateTimeField(_("counter last reset"), null=True)
    enable_smart_escalation_global = models.BooleanField(_("smart escalation for all numbers"), null=True)
    subscription_start_date = models.DateTimeField(_("subscription started"), null=True)
    subscription_end_date = models.DateTimeField(_("subscription ends"), null=True)
    plan_type = models.TextField(_("plan"), null=True)
    subscription_period = models.TextField(_("billing cycle"), null=True)

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

    @classmethod
    def name_of(cls, row: Any) -> str:
        """The name of the business that `row.business` points at, which may be deleted."""
        try:
            business = row.business
        except cls.DoesNotExist:
            business = None
        return str(business) if business else gettext("Deleted business (%(id)s)") % {"id": row.business_id}

    def __str__(self) -> str:
        name = text(self.business_name or self.full_name or "") or gettext("No name (%(id)s)") % {
            "id": str(self.pk)[:8]
        }
        return cut(name, LONGEST_NAME)


def name_at(path: str) -> Coalesce:
    """The business's name, or its owner's, as lists read it; `path` leads from a row to its business."""
    return Coalesce(NullIf(f"{path}__business_name", models.Value("", models.TextField())), f"{path}__full_name")
