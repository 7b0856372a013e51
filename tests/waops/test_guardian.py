"""A test run that is killed leaves no server, program or folder behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from tests.guardian import started
from tests.programs import wait_until

TINY = """
import os, subprocess, sys, time
from pathlib import Path

def test_it(server):
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    forked = os.fork() or time.sleep(600)
    postmaster = (server.data_dir / "postmaster.pid").read_text().split()[0]
    told = f"{os.getpid()} {postmaster} {sleeper.pid} {forked} {server.home.parent}"
    Path(TOLD + ".new").write_text(told)
    os.rename(TOLD + ".new", TOLD)
    time.sleep(600)
"""


@pytest.mark.parametrize("killed", ["run", "worker", "controller"])
def test_a_killed_run_leaves_nothing_behind(tmp_path: Path, killed: str) -> None:
    told, test = tmp_path / "told", tmp_path / "test_tiny.py"
    test.write_text(f"TOLD = {str(told)!r}\n{TINY}")
    parallel = ["-p", "no:xdist"] if killed == "run" else ["-n", "1"]
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-c", "pyproject.toml", *parallel, str(test)]
    # In the usual temporary folder: within this run's own the paths of sockets would be too long.
    environment = {name: value for name, value in os.environ.items() if name != "TMPDIR"}
    with (tmp_path / "output").open("w") as output:
        run = subprocess.Popen(
            command, cwd=settings.BASE_DIR, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        wait_until(lambda: told.exists() or run.poll() is not None)
        assert told.exists(), (tmp_path / "output").read_text()
        *pids, folder = told.read_text().split(" ")
        assert all(started(int(pid)) for pid in pids)
        os.kill(int(pids[0]) if killed == "worker" else run.pid, signal.SIGKILL)
        wait_until(lambda: not Path(folder).exists())
        wait_until(lambda: not any(is_alive(int(pid)) for pid in pids[1:]))
    finally:
        run.kill()
        run.wait(60)


def is_alive(pid: int) -> bool:
    """Killed processes may wait for their new parent to reap them."""
    command = ["ps", "-o", "stat=", "-p", str(pid)]
    state = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return bool(state) and not state.startswith("Z")


def test_programs_that_tests_start_heed_an_interrupt_though_the_run_ignores_it() -> None:
    code = """
import signal, subprocess, sys
from tests.guardian import handle_ignored_signals
signal.signal(signal.SIGINT, signal.SIG_IGN)
handle_ignored_signals()
child = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
print(subprocess.run([sys.executable, "-c", child], capture_output=True, text=True).stdout)
"""
    command = [sys.executable, "-c", code]
    output = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=60, check=True)
    assert output.stdout.strip() == "True"
