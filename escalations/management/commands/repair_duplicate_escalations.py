from django.utils.translation import gettext as _

from escalations.repair import DuplicateEscalations
from waops.management.repair_command import RepairCommand


class Command(RepairCommand):
    help = (
        "Finds customers with several open escalations of one WhatsApp number. With --apply the longest-waiting one "
        "stays open and the others are closed, so that migrate can allow only one."
    )
    repair = DuplicateEscalations()

    def outcome(self) -> str:
        return _("closed")
