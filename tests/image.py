"""A server's data with the templates in it, made once and copied for each server of each run.

It is kept in the checkout, in `.postgres-tests`, under the version of the server and a hash of everything that the
templates are made from. A run that finds it pays for no initdb, no baseline tables and no migrations.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import django
from django.conf import settings
from filelock import FileLock

from tests.databases import Databases
from waops.dev.embedded.server import EmbeddedServer

KEPT = settings.BASE_DIR / ".postgres-tests"
MADE_FROM = (
    "*/migrations/*.py",
    "*/models.py",
    "*/models/*.py",
    "*/sql/*.sql",
    "waops/access/permissions.py",
    "waops/database/engine/*.py",
    "waops/dev/baseline/**/*",
    "waops/dev/embedded/*.py",
    "waops/schema/*.py",
    "waops/settings.py",
    "tests/databases.py",
)
"""Files that decide what is in a template."""


def fill(server: EmbeddedServer) -> None:
    """Give a new server its data, before it starts."""
    # At another time everything in the templates would be of the future.
    folder = Path(tempfile.gettempdir()) if "FAKETIME" in os.environ else KEPT
    folder.mkdir(exist_ok=True)
    version = _version(server)
    image = folder / f"{version}-{_hash()}"
    with FileLock(folder / f"{version}.lock"):
        if not image.exists():
            for old in folder.glob(f"{version}-*"):
                shutil.rmtree(old)
            _make(image, server)
        server._make_home()
        _copy(image, server.data_dir)


def _version(server: EmbeddedServer) -> str:
    """As "18.1-3f2a"; two builds of one version are distinguished by their folder."""
    words = subprocess.run([server.binaries / "postgres", "--version"], capture_output=True, text=True, check=True)
    place = hashlib.sha256(os.fsencode(server.binaries)).hexdigest()[:4]
    return f"{words.stdout.split()[2]}-{place}"


def _hash() -> str:
    found = hashlib.sha256(django.__version__.encode())
    for pattern in MADE_FROM:
        for path in sorted(settings.BASE_DIR.glob(pattern)):
            if path.is_file() and path.suffix != ".pyc":
                found.update(f"{path.relative_to(settings.BASE_DIR)}\0".encode() + path.read_bytes())
    return found.hexdigest()[:12]


def _make(image: Path, server: EmbeddedServer) -> None:
    home = Path(tempfile.mkdtemp(prefix="waops-image-"))
    maker = EmbeddedServer(home, binaries=server.binaries, options=server.options)
    maker.start()
    try:
        databases = Databases(maker)
        for template in ("before", "after", "migrated"):
            databases.make_template(template)
    finally:
        maker.release()
    partial = image.with_name(f"{image.name}.new")
    shutil.rmtree(partial, ignore_errors=True)
    _copy(maker.data_dir, partial)
    partial.rename(image)
    shutil.rmtree(home)


def _copy(source: Path, target: Path) -> None:
    """With owners, which the server insists on."""
    subprocess.run(["cp", "-a", source, target], check=True)
