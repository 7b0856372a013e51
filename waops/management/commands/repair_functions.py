from django.db import connection

from waops.operate.plan import PlannedFunction
from waops.operate.repairs.command import Damage, RepairObjectsCommand
from waops.operate.repairs.functions import damaged_functions, reinstall


class Command(RepairObjectsCommand[PlannedFunction]):
    help = "Lists functions of ours that were dropped or replaced. With --apply they are installed again."

    def find(self) -> list[Damage[PlannedFunction]]:
        return [Damage(function.name, what, function) for function, what in damaged_functions(connection)]

    def repair(self, thing: PlannedFunction) -> None:
        reinstall(connection, thing)
