"""Run by test_killed_migrate.py: starts `migrate` again and again and kills it, Django being loaded once.

Arguments: how often, and the seed of the moments. A moment is a statement, not a time, so that a slow machine kills as
far into the work as a fast one: the child says when it sends that one, and is killed within some milliseconds, before,
while or after the server runs it. Prints a line per attempt: killed, or done.
"""

import os
import random
import select
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

import django
from django.core.management import call_command
from django.db import connection

FEWEST, MOST = 15, 400
"""Statements that an attempt has; finding out where the last one stopped takes about ten of them, and a migration of
functions that was killed begins with its first one again."""
LONGEST_DELAY = 0.03
"""Seconds from the statement to the kill."""
PATIENCE = 120
"""Seconds for an attempt, in which it may have to wait until the server has noticed that the one before is gone."""


def attempt(statements: int, delay: float) -> str:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        sent = 0

        def count(execute: Callable[..., Any], *arguments: Any) -> Any:
            nonlocal sent
            sent += 1
            if sent == statements:
                os.write(writing, b".")
            return execute(*arguments)

        with connection.execute_wrapper(count):
            call_command("migrate", verbosity=0)
        os._exit(0)
    os.close(writing)
    ready, _, _ = select.select([reading], [], [], PATIENCE)
    if ready and os.read(reading, 1):
        time.sleep(delay)
    os.close(reading)
    os.kill(child, signal.SIGKILL)
    _pid, status = os.waitpid(child, 0)
    return "killed" if os.WIFSIGNALED(status) else f"done {os.waitstatus_to_exitcode(status)}"


if __name__ == "__main__":
    django.setup()
    moments = random.Random(int(sys.argv[2]))
    for _number in range(int(sys.argv[1])):
        sys.stdout.write(attempt(moments.randint(FEWEST, MOST), moments.uniform(0, LONGEST_DELAY)) + "\n")
