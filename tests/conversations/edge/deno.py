"""Run the TypeScript in this folder against a test database."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.databases import Databases
from waops.dev.embedded.server import SUPERUSER

HERE = Path(__file__).parent
DENO = Path(sys.executable).with_name("deno")
# All is allowed, because Deno has no narrower word for a socket below /dev/shm.
OPTIONS = ("--frozen", "--lock=deno.lock", "--allow-all")
ENVIRONMENT = {
    "DENO_DIR": str(Path(sys.prefix) / "deno"),
    "DENO_NO_UPDATE_CHECK": "1",
    "DENO_TLS_CA_STORE": "mozilla,system",
    "NO_COLOR": "1",
}
# The role that PostgREST signs in as; it becomes the role that a request's key names.
AUTHENTICATOR = "CREATE ROLE authenticator LOGIN NOINHERIT; GRANT service_role TO authenticator"


@contextmanager
def edge_databases(databases: Databases) -> Iterator[dict[str, str]]:
    """Environment of a program: where two migrated databases are, the same."""
    server = databases.server
    with databases.clone("migrated") as first, databases.clone("migrated") as second:
        with psycopg.connect(server.dsn(SUPERUSER, first)) as connection:
            connection.execute(AUTHENTICATOR)
        try:
            yield {"EDGE_HOST": str(server.socket_dir), "EDGE_DATABASE": first, "EDGE_OTHER_DATABASE": second}
        finally:
            with psycopg.connect(server.dsn(SUPERUSER, first)) as connection:
                connection.execute("DROP ROLE authenticator")


def deno(command: str, *arguments: str, seconds: float = 300, **environment: str) -> subprocess.CompletedProcess[str]:
    """`deno test …` or `deno run …` in this folder, with what it printed."""
    return subprocess.run(
        [DENO, command, *OPTIONS, *arguments],
        env=os.environ | ENVIRONMENT | environment,
        cwd=HERE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
        check=False,
    )
