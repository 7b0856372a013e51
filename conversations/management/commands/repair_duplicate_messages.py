from django.utils.translation import gettext as _

from conversations.repair import DuplicateMessages
from waops.management.repair_command import RepairCommand


class Command(RepairCommand):
    help = (
        "Finds messages of one conversation with one message id (a webhook delivered twice). With --apply the first "
        "stays and the others go to the archive, so that migrate can make the pair unique."
    )
    repair = DuplicateMessages()

    def outcome(self) -> str:
        return _("removed")
