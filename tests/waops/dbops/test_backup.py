"""manage.py backup: a dump that is proven by restoring it."""

import json
import os
from pathlib import Path

import psycopg
import pytest
from django.core.management import CommandError, call_command

from tests import factories
from waops.dbops.models import Backup


def rows_of(dsn: str, query: str) -> list[tuple]:
    with psycopg.connect(dsn) as session:
        return session.execute(query).fetchall()


def test_it_dumps_and_proves_it(committed_database: str, tmp_path: Path, capsys) -> None:
    chat = factories.conversation()
    for number in range(3):
        factories.message(chat, f"رسالة {number}")
    factories.escalation(chat)
    file = tmp_path / "before.dump"
    call_command("backup", file=file, json=True)
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert rows["whatsapp_conversation_messages"] == 3
    assert rows["escalated_conversations"] == 1
    assert file.stat().st_size > 0
    entered = Backup.objects.get()
    assert (entered.kind, entered.note) == (Backup.Kind.DUMP, str(file))
    # Nothing is left of the proof, and the database is as it was.
    assert rows_of(committed_database, "SELECT datname FROM pg_database WHERE datname LIKE 'waops_backup_test%'") == []
    assert rows_of(committed_database, "SELECT count(*) FROM whatsapp_conversation_messages") == [(3,)]


def test_only_its_owner_may_read_it_from_the_first_byte(committed_database: str, tmp_path: Path, monkeypatch) -> None:
    from waops.dbops import backup

    file, modes = tmp_path / "new" / "before.dump", []
    before = os.umask(0)
    run = backup._run

    def look(dsn: str, *command: str) -> None:
        if Path(command[0]).name == "pg_dump" and not modes:
            unproven = file.with_name("before.dump.unproven")
            modes.append((unproven.stat().st_mode & 0o777, unproven.stat().st_size, file.parent.stat().st_mode & 0o777))
        run(dsn, *command)

    monkeypatch.setattr(backup, "_run", look)
    tmp_path.joinpath("before.dump.unproven").symlink_to("/dev/null")
    try:
        call_command("backup", file=file)
        call_command("backup", file=tmp_path / "before.dump")
    finally:
        os.umask(before)
    assert modes == [(0o600, 0, 0o700)]
    assert file.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "before.dump").stat().st_mode & 0o777 == 0o600


def test_it_overwrites_nothing(committed_database: str, tmp_path: Path) -> None:
    file = tmp_path / "old.dump"
    file.write_text("precious")
    with pytest.raises(CommandError, match=r"old\.dump"):
        call_command("backup", file=file)
    assert file.read_text() == "precious"
    assert not Backup.objects.exists()


def test_what_does_not_restore_is_no_backup(committed_database: str, tmp_path: Path, monkeypatch) -> None:
    from waops.dbops import backup

    monkeypatch.setattr(backup, "STAND_INS", "CREATE SCHEMA extensions; CREATE SCHEMA auth;")  # public stays: a clash
    with pytest.raises(CommandError, match="pg_restore") as refused:
        call_command("backup", file=tmp_path / "bad.dump")
    assert not Backup.objects.exists()
    # It is kept under a name that says so.
    assert [file.name for file in tmp_path.iterdir()] == ["bad.dump.unproven"]
    assert "bad.dump.unproven" in str(refused.value)
    assert rows_of(committed_database, "SELECT datname FROM pg_database WHERE datname LIKE 'waops_backup_test%'") == []


def test_as_many_rows_with_another_content_are_no_proof(committed_database: str, tmp_path: Path, monkeypatch) -> None:
    from waops.dbops import backup

    factories.message(factories.conversation(), "as it was")
    restore = backup._restore

    def restore_and_damage(scratch: str, *arguments) -> None:
        restore(scratch, *arguments)
        with psycopg.connect(scratch) as session:
            session.execute("UPDATE public.whatsapp_conversation_messages SET content = 'damaged'")

    monkeypatch.setattr(backup, "_restore", restore_and_damage)
    with pytest.raises(CommandError, match="whatsapp_conversation_messages"):
        call_command("backup", file=tmp_path / "bad.dump")
    assert not Backup.objects.exists()


def test_a_backup_taken_elsewhere_is_entered(committed_database: str) -> None:
    call_command("backup", record="Supabase, point in time", verbosity=0)
    assert (Backup.objects.get().kind, Backup.objects.get().note) == ("entered", "Supabase, point in time")


def test_it_asks_for_one_of_the_two(committed_database: str) -> None:
    with pytest.raises(CommandError, match="--record"):
        call_command("backup")
