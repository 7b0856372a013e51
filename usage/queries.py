"""Every read of businesses that a page needs."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from waops.live_schema import ForeignTableQuerySet

NEAR = 0.8
"""Share of its AI answers after which a business counts as running out."""


class QuotaState(models.TextChoices):
    """Where a business stands with its AI answers. Limit 0 means that its subscription ended: disabled, not over."""

    OVER = "over", _("out of answers")
    NEAR = "near", _("running out")
    ENOUGH = "enough", _("enough")
    DISABLED = "disabled", _("disabled")

    @classmethod
    def of(cls, used: int | None, limit: int | None) -> "QuotaState":
        """The state of one business; a column that is missing counts as 0."""
        used, limit = used or 0, limit or 0
        if limit <= 0:
            return cls.DISABLED
        if used >= limit:
            return cls.OVER
        return cls.NEAR if used >= limit * NEAR else cls.ENOUGH


class ProfileQuerySet(ForeignTableQuerySet):
    def in_quota_state(self, state: str) -> "ProfileQuerySet":
        """Businesses of that QuotaState. Raises ValueError for an unknown one."""
        used, limit = F("monthly_ai_responses_used"), F("monthly_ai_response_limit")
        match QuotaState(state):
            case QuotaState.DISABLED:
                condition = Q(monthly_ai_response_limit__lte=0)
            case QuotaState.OVER:
                condition = Q(monthly_ai_response_limit__gt=0, monthly_ai_responses_used__gte=limit)
            case QuotaState.NEAR:
                condition = Q(monthly_ai_responses_used__lt=limit, monthly_ai_responses_used__gte=limit * NEAR)
            case QuotaState.ENOUGH:
                condition = Q(monthly_ai_response_limit__gt=0) & Q(monthly_ai_response_limit__gt=used / NEAR)
        return self.filter(condition)

    def most_pressing_first(self) -> "ProfileQuerySet":
        """By the share of answers used; whoever is out first."""
        used, limit = F("monthly_ai_responses_used"), F("monthly_ai_response_limit")
        return self.filter(monthly_ai_response_limit__gt=0).order_by((used * 1.0 / limit).desc(), "business_name")

    def search(self, text: str) -> "ProfileQuerySet":
        """By the business's or its owner's name. One row per business: a table small enough to read through."""
        return self.filter(Q(business_name__icontains=text) | Q(full_name__icontains=text))
