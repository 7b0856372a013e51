"""The Edge Functions' callers in TypeScript, in Deno, on a real Postgres.

PostgREST, which stands between them and the database, cannot be installed where the tests run: `postgrest.ts` takes its
requests and sends its statements.
"""

import re

import pytest

from tests.conversations.edge.deno import HERE, deno, edge_databases
from tests.databases import Databases


@pytest.mark.parametrize("file", sorted(path.name for path in HERE.glob("*_test.ts")))
def test_callers(file: str, databases: Databases, django_db_blocker) -> None:
    with django_db_blocker.unblock(), edge_databases(databases) as environment:
        ran = deno("test", file, **environment)
    assert ran.returncode == 0, ran.stdout[-10_000:]
    assert re.search(r"[1-9]\d* passed \| 0 failed", ran.stdout)


def test_the_callers_import_nothing_from_elsewhere() -> None:
    folder = HERE.parents[2] / "conversations" / "edge"
    source = "".join(file.read_text() for file in folder.glob("*.ts"))
    imports = set(re.findall(r"""(?<!\.)\b(?:from|import)\b[\s(]*["'](.+?)["']""", source))
    assert imports == {"./settings.ts", "./switches.ts"}
