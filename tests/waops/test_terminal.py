"""What names hold is printed and never obeyed, by every command."""

import ast
import io
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import timezone
from psycopg import sql

from tests import factories
from tests.commands import our_commands
from tests.usage.shops import shop
from usage import changes
from usage.models import AlertRule, Profile, TopUp
from waops.dev.embedded.server import SUPERUSER
from waops.serving.terminal import Terminal, line, plain, progress_bar

HOSTILE = [
    "Shop [/b] offers",
    "[link=https://evil.example]x[/link]",
    "[red]:skull:[/]",
    "a\x1b[31mb\x07\x9bc",
    "a\u202ebc",
    "[",
]
OBEYED = set("\x1b\x07\x9b\u202e")
ROOMS = ("waops", "usage", "conversations", "escalations", "benchmarks")
OTHERS = {
    *("runserver", "migrate", "bootstrap", "demo"),  # fill or serve
    *("benchmark", "backup"),  # take minutes, and print nothing of a row
    *("remove_second_factor", "rollout compare"),  # need arguments
}


def modules() -> Iterator[tuple[Path, ast.AST]]:
    for room in ROOMS:
        for path in (settings.BASE_DIR / room).rglob("*.py"):
            yield path, ast.parse(path.read_text())


def test_only_one_module_makes_consoles_and_none_reads_markup() -> None:
    allowed = {"rich.table", "rich.text", "rich.progress", "rich"}
    wrong = []
    for path, tree in modules():
        if path == settings.BASE_DIR / "waops/serving/terminal.py":
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                bad = [name.name for name in node.names if name.name.partition(".")[0] == "rich"]
            elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "rich":
                names = {name.name for name in node.names} & {"print", "Console", "track", "from_markup"}
                bad = sorted(names) or ([node.module] if node.module not in allowed else [])
            elif isinstance(node, ast.Attribute):
                bad = [node.attr] if node.attr == "from_markup" else []
            elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "TextColumn":
                bad = [] if any(key.arg == "markup" for key in node.keywords) else ["TextColumn with markup"]
            else:
                continue
            wrong += [f"{path.relative_to(settings.BASE_DIR)}:{node.lineno} {name}" for name in bad]
    assert wrong == []


@pytest.mark.parametrize("text", HOSTILE)
def test_a_terminal_prints_text_as_it_is(text: str) -> None:
    from rich.table import Table

    output = io.StringIO()
    table = Table("name", title=text)
    table.add_row(text)
    terminal = Terminal(output)
    terminal.print(table)
    terminal.print(text)
    terminal.print(line("x ", (text, "bold")))
    assert output.getvalue().count(plain(text)) == 4
    assert not OBEYED & set(output.getvalue())
    with progress_bar() as bar:
        bar.add_task(text)
    with Terminal(output).status(text):
        pass


def fill(dsn: str) -> None:
    """Rows and objects with hostile names wherever a command looks."""
    AlertRule.objects.create(emails="boss@example.com")
    manager = factories.staff("Managers")
    for number, name in enumerate(HOSTILE):
        due, differs = shop(name, used=100 + number), shop(name, per_day=2, used=90)
        Profile.objects.filter(pk=due.pk).update(last_responses_reset_date=factories.ago(days=60))
        changes.top_up({differs.pk: 100}, 50, timezone.now() + timedelta(minutes=1), manager, name)
        chat = factories.conversation()
        with psycopg.connect(dsn, user=SUPERUSER, autocommit=True) as session:
            session.execute("DROP INDEX IF EXISTS public.uniq_messages_conversation_message_id")
            session.execute(
                "INSERT INTO whatsapp_conversation_messages (conversation_id, role, content, message_id)"
                " SELECT %s, 'user', 'x', %s FROM generate_series(1, 2)",
                [chat.pk, name],
            )
            table, column = sql.Identifier(name), sql.Identifier(f"c{name}")
            session.execute(sql.SQL("CREATE TABLE public.{} ({} int)").format(table, column))
            for index in ("i1", "i2"):
                index_name = sql.Identifier(f"{index}{name}")
                session.execute(sql.SQL("CREATE INDEX {} ON public.{} ({})").format(index_name, table, column))
            function = sql.Identifier(f"f{name}")
            body = "LANGUAGE sql SECURITY DEFINER AS 'SELECT'"
            session.execute(sql.SQL("CREATE FUNCTION public.{}() RETURNS void {}").format(function, sql.SQL(body)))
    TopUp.objects.update(granted_at=factories.ago(hours=2), expires_at=factories.ago(hours=1))


def test_every_command_prints_hostile_names_as_they_are(committed_database: str, monkeypatch) -> None:
    fill(committed_database)
    ours = our_commands(but=OTHERS)
    assert all(one in ours for one in (["doctor"], ["reset_quotas"], ["repair", "duplicate_messages"], ["periodic"]))
    sessions = [psycopg.connect(committed_database, application_name=name) for name in ("[/b]", "[red]x")]
    shown, wrong = "", []
    for command in ours:
        for extra in ([], ["--apply"]):
            output = io.StringIO()
            monkeypatch.setattr(sys, "stderr", io.StringIO())
            try:
                with suppress(SystemExit):
                    call_command(*command, *extra, stdout=output, stderr=output)
            except CommandError as error:
                if extra and "unrecognized arguments" in str(error):
                    continue
                output.write(str(error))
            except Exception as error:
                wrong.append(f"{command} {extra}: {type(error).__name__}: {error}")
            if obeyed := OBEYED & set(output.getvalue()):
                wrong.append(f"{command} {extra} prints {obeyed}")
            shown += output.getvalue()
    for session in sessions:
        session.close()
    assert wrong == []
    assert "Shop [/b] offers" in shown
    assert plain(HOSTILE[3]) in shown
