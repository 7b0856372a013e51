"""What tracing costs while it is off: each function with and without its look for a trace, in turns, in one session.

    python -m benchmarks.switches [--postgres-bin FOLDER]

Starts its own Postgres server. The backend's own processor time (/proc/<pid>/schedstat), not the wall clock, so
that a busy machine does not blur it. The functions without a look are their own files, minus the look and the line.
"""

import argparse
import os
import re
from pathlib import Path
from statistics import median

import django
import psycopg

from waops.serving.terminal import Terminal

console = Terminal()

ROUNDS, CALLS = 150, 20
LOOK = re.compile(
    r"    BEGIN\n        v_setting := [^\n]*\n        v_is_traced := .*?\n    END;\n|            v_is_traced := .*?;\n",
    re.DOTALL,
)
LINE = re.compile(r"    IF v_is_traced THEN\n.*?\n    END IF;\n", re.DOTALL)
CALL = {
    "store_message_with_update": "public.{}(md5('usual7')::uuid, 'user', 'hello')",
    "get_conversation_with_context": "public.{}(md5('number')::uuid, 'usual7')",
    "check_and_update_ai_usage": "public.{}(md5('business')::uuid)",
}


def install(connection: psycopg.Connection, name: str) -> None:
    """The function without its look, as `<name>_plain`."""
    from waops.schema.sql_file import SQLFile

    sql, looks = LOOK.subn("", SQLFile.find(name).forward)
    sql, lines = LINE.subn("", sql)
    assert (looks, lines) == (1, 1), name
    connection.execute(sql.replace(f"FUNCTION public.{name}(", f"FUNCTION public.{name}_plain(").encode())


def processor(pid: int) -> int:
    """Nanoseconds on a processor so far."""
    return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[0])


def spent(connection: psycopg.Connection, function: str, call: str) -> float:
    """Microseconds of processor for one call."""
    pid = connection.info.backend_pid
    before = processor(pid)
    for _ in range(CALLS):
        connection.execute(f"SELECT {call.format(function)}".encode())
    return (processor(pid) - before) / CALLS / 1000


def main(options: argparse.Namespace) -> None:
    from benchmarks.database import benchmark_database
    from benchmarks.message_path import temporary_server

    with temporary_server(options.postgres_bin, fsync=False) as (server, _):
        with console.status("Preparing the database…"):
            name = benchmark_database(server, "migrated")
        with psycopg.connect(server.dsn(dbname=name), autocommit=True) as connection:
            for function, call in CALL.items():
                install(connection, function)
                with console.status(f"Measuring {function}…"):
                    pairs = [measure(connection, function, call, number) for number in range(ROUNDS + 1)]
                looks, plain = zip(*pairs[1:], strict=True)  # the first round warms up
                cost = median(one - other for one, other in pairs[1:])
                console.print(
                    f"{function}: {median(looks):.0f} µs, {median(plain):.0f} µs without, cost {cost:.1f} µs a call"
                )


def measure(connection: psycopg.Connection, function: str, call: str, number: int) -> tuple[float, float]:
    """With and without the look, by turns in either order."""
    order = [function, f"{function}_plain"][:: 1 if number % 2 else -1]
    found = {one: spent(connection, one, call) for one in order}
    return found[function], found[f"{function}_plain"]


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "waops.settings")
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    django.setup()
    from django.db import connections

    connections["default"].settings_dict["OPTIONS"].pop("pool", None)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--postgres-bin", type=Path, help="another server's programs, such as Debian's")
    main(parser.parse_args())
