from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from waops.management.repair_command import RepairCommand
from waops.operate.repairs.ghosts import Ghosts
from waops.repair import Report


class Command(RepairCommand):
    help = (
        "Finds customers of the last 30 days who were told of a transfer that is not in the queue. With --apply each "
        "gets an open escalation, as of that moment."
    )
    repair = Ghosts()

    def outcome(self) -> str:
        return _("told by message")

    def _summary(self, report: Report) -> str:
        found = ngettext(
            "%(count)s customer was told of a transfer that is not in the queue.",
            "%(count)s customers were told of a transfer that is not in the queue.",
            report.groups,
        ) % {"count": report.groups}
        if report.changed is None:
            return f"{found} " + _("Nothing was changed; add --apply to do it.")
        return f"{found} " + ngettext(
            "%(count)s escalation was opened.", "%(count)s escalations were opened.", report.changed
        ) % {"count": report.changed}
