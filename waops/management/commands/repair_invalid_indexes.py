from django.db import connection
from django.utils.translation import gettext as _

from waops.operate.repairs.command import Damage, RepairObjectsCommand
from waops.operate.repairs.indexes import InvalidIndex, invalid_indexes, repair_index


class Command(RepairObjectsCommand[InvalidIndex]):
    help = "Lists indexes that an interrupted build left invalid. With --apply they are built anew, or dropped."

    def find(self) -> list[Damage[InvalidIndex]]:
        return [Damage(index.name, _("invalid"), index) for index in invalid_indexes(connection)]

    def repair(self, thing: InvalidIndex) -> None:
        repair_index(connection, thing)
