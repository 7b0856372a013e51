"""Example prices, an alert rule and a top-up for the demo data."""

from datetime import date, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from usage import changes, quota, rollup
from usage.forecast import Verdict
from usage.models import AlertRule, Price, TopUp
from usage.quota import View
from waops.access.people import User
from waops.dbops.terminal import OperationsCommand, Subcommand

PRICES = {"gpt-4.1": ("2.00", "8.00"), "gpt-4.1-mini": ("0.40", "1.60"), "gpt-4o-mini": ("0.15", "0.60")}
"""Invented, per million input and output tokens. One demo model has none, so that "no price" appears."""
SINCE = date(2025, 1, 1)


class Quota(Subcommand):
    name = "quota"
    help = "Adds example prices, an alert rule and a top-up to the demo data. Safe to repeat."

    def run(self, command: OperationsCommand, **options: Any) -> bool:
        for model, (prompt, completion) in PRICES.items():
            values = {"input_per_million": prompt, "output_per_million": completion}
            Price.objects.get_or_create(model=model, valid_from=SINCE, defaults=values)
        AlertRule.objects.get_or_create(business=None)
        rollup.refresh(patience=None)
        manager = User.objects.filter(username="manager").first()
        lasting = [one for one in quota.load() if one.forecast.verdict is Verdict.LASTS]
        if manager and lasting and not TopUp.objects.exists():
            one, until = lasting[0], timezone.now() + timedelta(days=10)
            changes.top_up({one.id: one.limit}, 100, until, manager, _("Seasonal sale, agreed by phone"))
        counts = quota.choose().counts
        command.stdout.write(_("Businesses that are out of AI replies: %(count)s.") % {"count": counts[View.OUT]})
        return False


PART = Quota()
