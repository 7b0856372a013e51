"""A client and a server that die in the middle: what was acknowledged is there, and nothing is there in half."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psycopg
from django.conf import settings

from tests import image
from tests.conversations.message_path.rows import Rows
from tests.databases import Databases
from waops.dev.embedded.server import EmbeddedServer

WRITER = """
import sys, psycopg
dsn, conversation, writer = sys.argv[1:]
with psycopg.connect(dsn, autocommit=True) as connection:
    for number in range(100000):
        reply = connection.execute(
            "SELECT public.reply_ready(%s, 'hi', %s, %s)",
            [conversation, f"{writer}/{number}", '{"user_message": "hello"}'],
        ).fetchone()[0]
        print(reply["message_id"], flush=True)
"""


def start_writers(dsn: str, conversation: object, number: int) -> list[subprocess.Popen]:
    return [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, dsn, str(conversation), str(writer)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for writer in range(number)
    ]


def processes(server: EmbeddedServer) -> list[int]:
    """The server's process ids, the postmaster's first: it must not see its children die."""
    with psycopg.connect(server.dsn()) as connection:
        children = connection.execute("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()").fetchall()
    return [int((server.data_dir / "postmaster.pid").read_text().split()[0]), *(child for (child,) in children)]


def in_full_swing(writers: list[subprocess.Popen]) -> list[str]:
    """Each writer's first twenty lines, when all have them; each is in the middle of a further call then."""
    return [writer.stdout.readline() for writer in writers for _ in range(20)]


def acknowledged(writers: list[subprocess.Popen], first: list[str]) -> set[str]:
    """Ids that the writers were told of. A line cut short by a kill is none."""
    lines = [*first, *(line for writer in writers for line in writer.communicate()[0].splitlines(keepends=True))]
    return {line.strip() for line in lines if line.endswith("\n")}


def wait_for_the_last_calls(connection: psycopg.Connection) -> None:
    """The server finishes the call of a client that is gone, and only then finds that it is gone."""
    others = """SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"""
    give_up = time.monotonic() + 120
    while connection.execute(others).fetchone() != (0,):
        assert time.monotonic() < give_up, "the server still holds sessions of clients that were killed"
        time.sleep(0.05)


def assert_whole(rows: Rows, conversation: object, acknowledged_ids: set[str]) -> None:
    """Messages, count, interactions and quota tell of the same replies, the acknowledged ones among them."""
    stored = rows.connection.execute(
        "SELECT id::text FROM public.whatsapp_conversation_messages WHERE conversation_id = %s", [conversation]
    ).fetchall()
    assert acknowledged_ids
    assert acknowledged_ids <= {message_id for (message_id,) in stored}
    assert rows.value("SELECT messages FROM waops.message_count WHERE conversation_id = %s", conversation) == len(
        stored
    )
    assert rows.data(conversation)["context"]["message_count"] == len(stored)
    assert rows.value("SELECT count(*) FROM public.whatsapp_ai_interactions") == len(stored)
    assert rows.value("SELECT sum(monthly_ai_responses_used) FROM public.profiles") == len(stored)


def test_a_client_killed_in_mid_call(ours: Rows):
    conversation = ours.conversation(ours.instance(ours.business(monthly_ai_response_limit=10**6)))
    writers = start_writers(ours.connection.info.dsn, conversation, 4)
    first = in_full_swing(writers)
    for writer in writers:
        writer.send_signal(signal.SIGKILL)
    ids = acknowledged(writers, first)
    wait_for_the_last_calls(ours.connection)
    assert_whole(ours, conversation, ids)


def test_the_server_killed_in_mid_load(django_db_blocker):
    home = Path(tempfile.mkdtemp(prefix="waops-kill-"))
    server = EmbeddedServer(home, major=settings.EMBEDDED_POSTGRES_VERSION, binaries=settings.EMBEDDED_POSTGRES_BIN)
    with django_db_blocker.unblock():
        image.fill(server)
    server.start()
    try:
        with django_db_blocker.unblock():
            name = Databases(server).create("migrated")
        dsn = server.dsn(dbname=name)
        with psycopg.connect(dsn, autocommit=True) as connection:
            rows = Rows(connection)
            conversation = rows.conversation(rows.instance(rows.business(monthly_ai_response_limit=10**6)))
        writers = start_writers(dsn, conversation, 4)
        first = in_full_swing(writers)
        for process in processes(server):
            with suppress(ProcessLookupError):  # it has ended by itself, as all do that see the first one gone
                os.kill(process, signal.SIGKILL)
        ids = acknowledged(writers, first)
        server.release()
        server.start()
        with psycopg.connect(dsn, autocommit=True) as connection:
            assert_whole(Rows(connection), conversation, ids)
    finally:
        server.release()
        shutil.rmtree(home, ignore_errors=True)
