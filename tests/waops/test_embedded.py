"""The embedded server: made, shared, left and stopped as its module says."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.conf import settings

from waops.database.programs import server_account, wheel_binaries
from waops.dev.embedded import EmbeddedServer, EmbeddedServerError
from waops.dev.embedded.server import MEMORY_IN_USE

USE_SERVER = """
import sys, pathlib
from waops.dev.embedded import EmbeddedServer
server = EmbeddedServer(pathlib.Path(sys.argv[1]))
server.start()
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def home() -> Iterator[Path]:
    home = Path(tempfile.mkdtemp(prefix="waops-embedded-"))
    yield home
    server = EmbeddedServer(home)
    if server.data_dir.exists() and server.is_running():
        server.stop("immediate")
    shutil.rmtree(home)


def use_in_another_process(home: Path) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", USE_SERVER, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=settings.BASE_DIR,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def leave(process: "subprocess.Popen[str]") -> None:
    process.communicate("")


def test_it_starts_keeps_its_data_and_stops_with_its_last_user(home: Path) -> None:
    server = EmbeddedServer(home)
    server.start()
    with psycopg.connect(server.dsn()) as connection:
        connection.execute("CREATE TABLE public.kept ()")
    other = use_in_another_process(home)
    server.release()
    assert server.is_running()
    leave(other)
    assert not server.is_running()

    server.start()
    with psycopg.connect(server.dsn()) as connection:
        assert connection.execute("SELECT to_regclass('public.kept') IS NOT NULL").fetchone() == (True,)
    server.release()
    assert not server.is_running()


def test_a_killed_user_does_not_keep_it_running(home: Path) -> None:
    killed = use_in_another_process(home)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert EmbeddedServer(home).is_running()
    leave(use_in_another_process(home))
    assert not EmbeddedServer(home).is_running()


def test_it_recovers_after_the_server_was_killed(home: Path) -> None:
    leave(use_in_another_process(home))
    server = EmbeddedServer(home)
    server.start()
    postmaster = int((server.data_dir / "postmaster.pid").read_text().split()[0])
    os.kill(postmaster, signal.SIGKILL)
    again = EmbeddedServer(home)
    again.start()
    with psycopg.connect(again.dsn()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    again.release()
    server.release()


def test_it_waits_for_what_a_killed_server_left_running(home: Path) -> None:
    """While one of its children is alive, no other process may use its memory."""
    server = EmbeddedServer(home)
    server.start()
    with psycopg.connect(server.dsn()) as connection:
        child = connection.info.backend_pid
        os.kill(child, signal.SIGSTOP)
        os.kill(int((server.data_dir / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        again = EmbeddedServer(home)
        starting = threading.Thread(target=again.start)
        starting.start()
        deadline = time.monotonic() + 120
        while MEMORY_IN_USE not in server.log.read_text(errors="replace"):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        os.kill(child, signal.SIGKILL)
        starting.join(120)
        connection.close()
    assert again.is_running()
    again.release()
    server.release()


def test_only_the_servers_account_may_enter_and_the_owner_is_no_superuser(home: Path) -> None:
    server = EmbeddedServer(home)
    server.start()
    for folder in (server.home, server.socket_dir, server.data_dir):
        assert folder.stat().st_mode & 0o077 == 0
    with psycopg.connect(server.dsn()) as connection:
        query = "SELECT rolsuper, rolbypassrls, current_setting('listen_addresses') FROM pg_roles WHERE rolname = user"
        assert connection.execute(query).fetchone() == (False, True, "")
    server.release()


def test_as_root_it_changes_no_folder_of_ours_and_no_system_user() -> None:
    if os.geteuid() != 0:
        pytest.skip("only for root")
    users = Path("/etc/passwd").read_text()
    modes = {path: path.stat().st_mode for path in settings.BASE_DIR.parents}
    account = server_account(Path("/nonexistent"))
    assert account is not None
    binaries = wheel_binaries(18, account)
    assert not binaries.is_relative_to(settings.BASE_DIR)
    assert Path("/etc/passwd").read_text() == users
    assert {path: path.stat().st_mode for path in settings.BASE_DIR.parents} == modes


def test_a_long_path_gets_a_short_socket(home: Path) -> None:
    deep = home / ("long" * 20) / ("path" * 5)
    server = EmbeddedServer(deep)
    home.chmod(0o711)
    deep.parent.mkdir(mode=0o711)
    server.start()
    assert not server.socket_dir.is_relative_to(deep)
    server.release()
    assert not server.socket_dir.exists()


def test_an_unknown_version_is_refused_with_a_reason(home: Path) -> None:
    with pytest.raises(LookupError, match="is available in version 16 and 18, not 12"):
        EmbeddedServer(home, major=12).start()


def test_a_broken_folder_is_named(home: Path) -> None:
    server = EmbeddedServer(home)
    server.start()
    server.release()
    (server.data_dir / "PG_VERSION").write_text("9\n")
    with pytest.raises(EmbeddedServerError, match="failed at pg_ctl"):
        server.start()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopping_the_development_server_stops_it_too(home: Path, number: signal.Signals) -> None:
    environment = {**os.environ, "EMBEDDED_POSTGRES_DIR": str(home), "PYTHONUNBUFFERED": "1", "PYTHONFAULTHANDLER": "1"}
    manage = [sys.executable, "manage.py"]
    subprocess.run(
        [*manage, "demo", "baseline"], cwd=settings.BASE_DIR, env=environment, check=True, capture_output=True
    )
    serving = subprocess.Popen(
        [*manage, "runserver", "0"],
        cwd=settings.BASE_DIR,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert serving.stdout is not None
    # Where it hangs, its end says where each thread was.
    too_long = threading.Timer(200, os.killpg, [serving.pid, signal.SIGABRT])
    too_long.start()
    printed = []
    try:
        for line in serving.stdout:
            printed.append(line)
            if "Starting development server" in line:
                break
        assert serving.poll() is None, "".join(printed)
        assert EmbeddedServer(home).is_running()
        if number == signal.SIGINT:  # a terminal sends it to every process of the group
            os.killpg(serving.pid, number)
        else:
            serving.send_signal(number)
        printed.append(serving.communicate(timeout=250)[0])
    finally:
        too_long.cancel()
    assert "Fatal Python error" not in "".join(printed), "".join(printed)
    assert not EmbeddedServer(home).is_running()
