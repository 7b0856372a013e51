"""squawk finds nothing in what our migrations send to the server."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from django.db.migrations import RunSQL
from django.db.migrations.loader import MigrationLoader

from tests.conftest import absent

OUR_APPS = ("waops", "usage", "conversations", "escalations")

JUSTIFIED = {
    "require-timeout-settings": "the operations set lock_timeout and statement_timeout, and put them back",
    "prefer-robust-stmts": "the operations look up what is there: IF NOT EXISTS takes any index of that name for ours",
}
JUSTIFIED_IN_REVERSE = {
    "ban-drop-function": "a function of ours goes, or makes room for the one it replaced",
    "ban-drop-sequence": "a sequence of ours goes",
    "ban-drop-table": "a table of ours goes",
    "ban-drop-type": "a type of ours goes, which only functions of ours use, and those went before",
}


def sql_of_migrations(folder: Path) -> list[Path]:
    """The forward and reverse SQL of every operation, each in a separate file."""
    files = []
    for (app, name), migration in MigrationLoader(None).disk_migrations.items():
        operations = migration.operations if app in OUR_APPS else []
        for number, operation in enumerate(operations):
            if isinstance(operation, RunSQL):
                path = folder / f"{app}.{name}.{number}.{operation.migration_name_fragment or ''}.sql"
                path.write_text(f"{operation.sql};\n")
                path.with_suffix(".reverse.sql").write_text(f"{operation.reverse_sql};\n")
                files += [path, path.with_suffix(".reverse.sql")]
    return files


def findings(files: list[Path], justified: Iterable[str]) -> list[str]:
    program = shutil.which("squawk", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if program is None:
        absent("squawk is not installed")
    options = ["--reporter=json", "--pg-version=13.0", *(f"--exclude={rule}" for rule in justified)]
    result = subprocess.run([program, *options, *files], capture_output=True, text=True)
    return [
        f"{Path(finding['file']).name}:{finding['line'] + 1}: {finding['rule_name']}: {finding['message']}"
        for finding in json.loads(result.stdout)
    ]


def test_it_finds_nothing_on_the_way_forward(tmp_path):
    files = [path for path in sql_of_migrations(tmp_path) if not path.name.endswith(".reverse.sql")]
    assert len(files) > 90
    assert findings(files, JUSTIFIED) == []


def test_it_finds_nothing_on_the_way_back(tmp_path):
    files = [path for path in sql_of_migrations(tmp_path) if path.name.endswith(".reverse.sql")]
    assert files
    assert findings(files, {**JUSTIFIED, **JUSTIFIED_IN_REVERSE}) == []
