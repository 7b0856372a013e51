"""Take a backup and prove it by restoring it, or enter one that was taken elsewhere."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _
from rich.console import Console

from waops.operate.backup import BackupError, take_backup
from waops.operate.models import Backup
from waops.operate.people import shell_user
from waops.operate.terminal import OperationsCommand


class Command(OperationsCommand):
    help = (
        "Dumps the schema, and the rows of the tables that the plan touches, into a file, and restores it into a "
        "scratch database as proof. With --record, enters a backup that was taken elsewhere."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--file", type=Path, help="Where to write the dump (pg_dump's custom format).")
        parser.add_argument("--record", metavar="NOTE", help="Enter a backup taken elsewhere: where it lies.")

    def run(self, *, file: Path | None, record: str | None, **options: Any) -> bool:
        if (file is None) == (record is None):
            raise CommandError(_("Give either --file, to take a backup, or --record, to enter one."))
        if file is None:
            note, kind, tables = str(record), Backup.Kind.ENTERED, {}
        else:
            try:
                with Console(stderr=True).status("") as status:
                    tables = take_backup(connection, file, status.update)
            except BackupError as error:
                raise CommandError(str(error)) from error
            note, kind = str(file.resolve()), Backup.Kind.DUMP
        backup = Backup.objects.create(taken_at=timezone.now(), kind=kind, note=note, recorded_by=shell_user())
        if self.as_json:
            self.show(data={"backup": backup.pk, "kind": kind, "note": note, "rows": tables})
        else:
            for table, rows in tables.items():
                self.stdout.write(_("%(table)s: %(rows)s rows, restored.") % {"table": table, "rows": rows})
            self.stdout.write(_("Backup entered: %(note)s") % {"note": note})
        return False
