from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

from usage.changes import Outcome, end_top_ups


class Command(BaseCommand):
    help = "Takes back what top-ups that have ended added to limits (every few minutes, by cron). Repeatable."

    def handle(self, **options: Any) -> None:
        results = end_top_ups()
        for result in results:
            if result.outcome is Outcome.CHANGED:
                words = _("%(business)s: the limit is %(limit)s again.")
            else:
                words = _("%(business)s: left at %(limit)s, which was set after the top-up.")
            self.stdout.write(words % {"business": result.business, "limit": result.limit})
        self.stdout.write(_("Businesses whose top-ups ended: %(count)s.") % {"count": len(results)})
