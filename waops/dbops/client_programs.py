"""Find a pg_dump and pg_restore that fit the server."""

import re
import shutil
import subprocess
from pathlib import Path

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext as _

from waops.database.programs import FOLDERS, server_account, wheel_binaries
from waops.dbops.reading import server_version


class ProgramMissing(Exception):  # noqa: N818
    """No program of that name can read this server's version."""


def client_program(connection: BaseDatabaseWrapper, name: str) -> Path:
    """The program of the server's major version if it is on the path; otherwise the embedded server's.

    A newer pg_dump can read an older server but writes settings that the older one does not know, so the oldest
    sufficient version is used. Raises ProgramMissing.
    """
    if (programs := getattr(connection, "programs", None)) is not None:
        return Path(programs) / name
    wanted = server_version(connection) // 10_000
    found = shutil.which(name)
    if found is not None and _major(found) == wanted:
        return Path(found)
    for major in sorted(FOLDERS):
        if major >= wanted:
            return wheel_binaries(major, server_account(settings.BASE_DIR)) / name
    raise ProgramMissing(
        _("There is no %(program)s of version %(version)s or newer: install that version's client programs.")
        % {"program": name, "version": wanted}
    )


def _major(program: str) -> int | None:
    output = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    match = re.search(r"\b(\d+)\.", output)
    return int(match[1]) if match else None
