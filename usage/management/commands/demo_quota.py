from datetime import date, timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone
from django.utils.translation import gettext as _

from usage import changes, overview, rollup
from usage.models import AlertRule, Price, TopUp
from usage.overview import View
from waops.models import User

PRICES = {"gpt-4.1": ("2.00", "8.00"), "gpt-4.1-mini": ("0.40", "1.60"), "gpt-4o-mini": ("0.15", "0.60")}
"""Made up, per million input and output tokens. One model of the demo data has none, so that "no price" is seen."""
SINCE = date(2025, 1, 1)


class Command(BaseCommand):
    help = "Adds example prices, an alert rule and a top-up to the demo data. Safe to repeat."

    def handle(self, **options: Any) -> None:
        for model, (prompt, completion) in PRICES.items():
            values = {"input_per_million": prompt, "output_per_million": completion}
            Price.objects.get_or_create(model=model, valid_from=SINCE, defaults=values)
        AlertRule.objects.get_or_create(business=None)
        rollup.refresh(patience=None)
        manager = User.objects.filter(username="manager").first()
        lasting = [one for one in overview.choose(overview.load()) if one.forecast.verdict == "lasts"]
        if manager and lasting and not TopUp.objects.exists():
            one, until = lasting[0], timezone.now() + timedelta(days=10)
            changes.top_up({one.id: one.limit}, 100, until, manager, _("Sale of the season, agreed by phone"))
        counts = overview.count_views(overview.load())
        self.stdout.write(_("Businesses that are out of answers: %(count)s.") % {"count": counts[View.OUT]})
