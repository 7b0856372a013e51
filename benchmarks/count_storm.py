"""The storm of writers of the tests, for minutes: does a message count ever turn out wrong?

    python -m benchmarks.count_storm [--minutes 5] [--seed 1] [--postgres-bin FOLDER]

Starts its own Postgres server in a temporary folder. Fails at the first wrong count, and says which.
"""

import argparse
import os
import time
from pathlib import Path

import django
import psycopg

from benchmarks.database import benchmark_database
from benchmarks.message_path import temporary_server
from waops.serving.terminal import Terminal

PHASES = 20
"""Looks at every count in one round."""

console = Terminal()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=1, help="of the first round; each further one adds 1")
    parser.add_argument("--postgres-bin", type=Path, help="another server's programs, such as Debian's")
    options = parser.parse_args()

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "waops.settings")
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    django.setup()
    from tests.conversations.message_path.rows import Rows
    from tests.conversations.message_path.test_count_storm import SECONDS, TRIM, storm

    until = time.monotonic() + 60 * options.minutes
    with temporary_server(options.postgres_bin, fsync=False) as (server, _folder):
        name = benchmark_database(server, "migrated")
        with psycopg.connect(server.dsn(dbname=name), autocommit=True) as connection:
            connection.execute(TRIM)
            seed = options.seed
            while time.monotonic() < until:
                storm(Rows(connection), seed, phases=PHASES, seconds=SECONDS)
                console.print(f"seed {seed}: {PHASES} quiet points, every count exact or unknown")
                seed += 1


if __name__ == "__main__":
    main()
