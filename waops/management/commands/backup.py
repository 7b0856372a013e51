"""Take a backup and prove it by restoring it, or record one that was taken elsewhere."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from waops.dbops.backup import BackupError, take_backup
from waops.dbops.models import Backup
from waops.dbops.people import shell_user
from waops.dbops.terminal import OperationsCommand
from waops.serving.terminal import Terminal, line, plain


class Command(OperationsCommand):
    help = (
        "Dumps the schema and the rows of the tables that the plan touches, and proves the dump by restoring it into a "
        "scratch database. With --record, records a backup that was taken elsewhere."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--file", type=Path, help="Where to write the dump (pg_dump's custom format).")
        parser.add_argument("--record", metavar="NOTE", help="Record a backup taken elsewhere: say where it is.")

    def run(self, *, file: Path | None, record: str | None, **options: Any) -> bool:
        if (file is None) == (record is None):
            raise CommandError(_("Use either --file to take a backup, or --record to record one."))
        if file is None:
            note, kind, tables = str(record), Backup.Kind.ENTERED, {}
        else:
            try:
                with Terminal(stderr=True).status("") as status:
                    tables = take_backup(connection, file, lambda doing: status.update(line(doing)))
            except BackupError as error:
                raise CommandError(str(error)) from error
            note, kind = str(file.resolve()), Backup.Kind.DUMP
        backup = Backup.objects.create(taken_at=timezone.now(), kind=kind, note=note, recorded_by=shell_user())
        if self.as_json:
            self.show(data={"backup": backup.pk, "kind": kind, "note": note, "rows": tables})
        else:
            for table, rows in tables.items():
                self.stdout.write(_("%(table)s: %(rows)s rows restored.") % {"table": table, "rows": rows})
            self.stdout.write(_("Backup recorded: %(note)s") % {"note": plain(note)})
        return False
