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

NAMES = ("business_name", "full_name")
"""A business is shown by the first of these that is not empty."""


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
        name = text(next(filter(None, (getattr(self, name) for name in NAMES)), ""))
        return cut(name or unnamed(str(self.pk)[:8]), LONGEST_NAME)


def unnamed(begin: str) -> str:
    """How a business without a name is shown, by the beginning of its id."""
    return gettext("No name (%(id)s)") % {"id": begin}


def name_at(path: str) -> Coalesce:
    """The name as lists read it, NULL if there is none; `path` leads from a row to its business."""
    return Coalesce(*(NullIf(f"{path}__{name}", models.Value("", models.TextField())) for name in NAMES))


def name_sql(alias: str) -> str:
    """As `name_at`, for SQL in which `alias` is the business."""
    names = ", ".join(f"nullif({alias}.{name}, '')" for name in NAMES)
    return f"coalesce({names})"


def one_default(name: str) -> models.UniqueConstraint:
    """At most one row is for all businesses without their own."""
    # nulls_distinct needs Postgres 15.
    is_default = models.Q(business=None)
    expression = models.ExpressionWrapper(is_default, output_field=models.BooleanField())
    return models.UniqueConstraint(expression, condition=is_default, name=name)
