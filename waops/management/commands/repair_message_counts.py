from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from waops.management.repair_command import RepairCommand
from waops.operate.repairs.message_counts import MessageCounts
from waops.repair import Report


class Command(RepairCommand):
    help = (
        "Finds conversations whose kept message count is wrong; reads every message once. With --apply they are "
        "counted anew at their next message."
    )
    repair = MessageCounts()

    def outcome(self) -> str:
        return _("kept count")

    def _summary(self, report: Report) -> str:
        found = ngettext(
            "%(count)s conversation has a wrong message count.",
            "%(count)s conversations have a wrong message count.",
            report.groups,
        ) % {"count": report.groups}
        if report.changed is None:
            return f"{found} " + _("Nothing was changed; add --apply to do it.")
        return f"{found} " + ngettext(
            "%(count)s count was forgotten.", "%(count)s counts were forgotten.", report.changed
        ) % {"count": report.changed}
