"""Ends and removes whatever a test run started, however the run ends, SIGKILL included.

The run holds one end of a pipe and a small process, in a separate session, the other. The kernel closes the pipe when
the run dies. The process then ends what the run started, which it was told of, and every Postgres server in the
run's temporary folder, and removes that folder.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

MEMORY = Path("/dev/shm")
"""A file system in memory, on which a database is cloned in a tenth of the time that a disk takes."""
ENOUGH = 4 << 30
"""Bytes that a run may need there; two of its processes take a quarter of that."""
SECONDS = 30
"""How long a Postgres server may take to stop before it is killed, and the run waits for its guardian at the end."""


def temporary_folder() -> str | None:
    """Where a run keeps what it makes: in memory if there is room, or where TMPDIR says. None: the system's default."""
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK) or shutil.disk_usage(MEMORY).free < ENOUGH:
        return None
    return str(MEMORY)


def handle_ignored_signals() -> None:
    """Let the programs that tests start have the default: a script's background job inherits an ignored SIGINT.

    A handler is reset to the default in another program; an ignored signal stays ignored there.
    """
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


class Guardian:
    """Starts the process, tells it of each child, and puts temporary files into a folder that it removes."""

    def __init__(self) -> None:
        self.before = tempfile.gettempdir()
        self.folder = Path(tempfile.mkdtemp(prefix="waops-run-", dir=temporary_folder()))
        self.folder.chmod(0o711)  # as root, the server's account passes through
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )
        assert self.process.stdin is not None
        self.pipe = self.process.stdin.fileno()
        self.pid = os.getpid()
        self._use(str(self.folder))
        self.popen = subprocess.Popen.__init__
        popen, tell = self.popen, self.tell

        def start(process: Any, *arguments: Any, **options: Any) -> None:
            popen(process, *arguments, **options)
            tell(process.pid)

        subprocess.Popen.__init__ = start  # type: ignore[method-assign]
        os.register_at_fork(after_in_child=self._leave)

    def tell(self, pid: int) -> None:
        if os.getpid() == self.pid:
            with suppress(OSError):
                os.write(self.pipe, f"{pid}\n".encode())

    def finish(self) -> None:
        subprocess.Popen.__init__ = self.popen  # type: ignore[method-assign]
        self._use(self.before)
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(2 * SECONDS)

    def _use(self, folder: str) -> None:
        tempfile.tempdir = os.environ["TMPDIR"] = folder

    def _leave(self) -> None:
        """A forked child must not hold the pipe open."""
        with suppress(OSError):
            os.write(self.pipe, f"{os.getpid()}\n".encode())
            os.close(self.pipe)


def started(pid: int) -> str:
    """When a process began, to tell it from a later one of the same number; empty if there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        if sys.platform == "linux":
            return ""
    command = ["ps", "-o", "lstart=", "-p", str(pid)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def send(pid: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def stop_server(pid_file: Path) -> None:
    """Postgres's immediate shutdown ends its children too; killed, they would notice a moment later."""
    with suppress(OSError, ValueError, IndexError):
        pid = int(pid_file.read_text().split()[0])
        begin, end = started(pid), time.monotonic() + SECONDS
        send(pid, signal.SIGQUIT)
        while begin and started(pid) == begin and time.monotonic() < end:
            time.sleep(0.05)
        if begin and started(pid) == begin:
            send(pid, signal.SIGKILL)


def guard(folder: Path) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    children = {}
    for line in sys.stdin:
        pid = int(line)
        children[pid] = started(pid)
    for pid, begin in children.items():
        if begin and started(pid) == begin:
            with suppress(OSError):
                if os.getpgid(pid) == pid:
                    os.killpg(pid, signal.SIGKILL)
            send(pid, signal.SIGKILL)
    for _attempt in range(SECONDS):  # a program killed a moment ago may have begun a server since
        with suppress(OSError):  # the guardian of a worker removes its own folder at the same time
            for pid_file in folder.rglob("postmaster.pid"):
                stop_server(pid_file)
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.2)


if __name__ == "__main__":
    guard(Path(sys.argv[1]))
