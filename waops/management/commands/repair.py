"""Find and repair what the doctor reports."""

from waops.dbops.repairs.command import REPAIRS
from waops.dbops.terminal import CommandGroup, Subcommand


class Command(CommandGroup):
    help = (
        "Reports what is wrong and, with --apply, repairs it. Changed and removed rows are archived. "
        "Without a subcommand, lists the repairs."
    )

    def subcommands(self) -> list[Subcommand]:
        return REPAIRS
