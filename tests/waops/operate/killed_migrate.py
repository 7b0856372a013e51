"""Run by test_killed_migrate.py: starts `migrate` again and again and kills it, Django being loaded once.

Arguments: how often, and the seed of the moments. Prints a line per attempt: killed, or done.
"""

import os
import random
import signal
import sys
import time

import django
from django.core.management import call_command
from django.db import connections

SHORTEST, LONGEST = 0.1, 0.5
"""Seconds that an attempt has."""


def attempt(seconds: float) -> str:
    child = os.fork()
    if child == 0:
        call_command("migrate", verbosity=0)
        os._exit(0)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    _pid, status = os.waitpid(child, 0)
    return "killed" if os.WIFSIGNALED(status) else f"done {os.waitstatus_to_exitcode(status)}"


if __name__ == "__main__":
    django.setup()
    moments = random.Random(int(sys.argv[2]))
    for _number in range(int(sys.argv[1])):
        sys.stdout.write(attempt(moments.uniform(SHORTEST, LONGEST)) + "\n")
        connections.close_all()
