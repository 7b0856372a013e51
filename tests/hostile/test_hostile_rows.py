"""Any value that a column's type allows, in every column of the service's tables: no page and no command breaks.

The extremes of all columns are in the tables at once, spread over the rows of many businesses. Where a page breaks, the
column is found by halving.
"""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from django.apps import apps
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models import Count, Sum
from django.test import Client
from django.urls import reverse

from escalations.models import Escalation
from tests.access.rules import RULES, Rule
from tests.access.test_matrix import single_rows
from tests.access.world import World, signed_in, world
from tests.commands import our_commands
from tests.databases import Databases, django_uses
from tests.hostile.values import EXTREMES, Column, columns
from usage import rollup
from usage.models import Delivery, UsageByDay, UsageByHour, UsageByPeriod, UsageDetail
from waops.database.live_schema import ForeignTable
from waops.dbops.periodic import parts
from waops.dev.embedded.server import EmbeddedServer
from waops.models import User

VARIANTS = range(max(map(len, EXTREMES.values())) + 1)

PARTS = 4
"""The columns of a table are spread over so many rows: one of them could hide what another breaks."""
SHOWN_AT = {
    "conversations.whatsappinstance": {"conversations.conversation", "escalations.escalation"},
    "conversations.conversation": {"escalations.escalation"},
    "conversations.message": {"conversations.conversation", "escalations.escalation"},
    "conversations.aiinteraction": {"escalations.escalation", "usage.profile"},
    "conversations.customerprofile": {"escalations.escalation"},
    "usage.profile": {"escalations.escalation"},
}
"""Whose pages show a row too."""

NOT_RUN = {
    *("backup", "benchmark", "bootstrap", "demo", "migrate", "remove_second_factor", "runserver", "rollout"),
    "periodic",  # catches what its parts raise: those are run one by one
}
"""Commands that make data or servers, or need arguments and show no rows."""
COMMANDS = our_commands(but=NOT_RUN)

HEAVIEST = 4_000_000
"""Bytes that a page may have."""

ACTIONS = {
    "claim": {},
    "note": {"note": "tried"},
    "snooze": {"until": "1h"},
    "wake": {},
    "release": {},
    "resolve": {"note": "tried"},
    "reopen": {"note": "tried"},
}
"""What is sent to an escalation, with its form."""


@dataclass(frozen=True)
class Place:
    """A page: its name and address."""

    name: str
    path: str
    query: dict[str, Any]

    def __str__(self) -> str:
        return self.path


@dataclass(frozen=True)
class Setting:
    """Some columns of a table, and the business whose row is to hold their extremes."""

    columns: tuple[Column, ...]
    label: str
    of: World

    @property
    def rows(self) -> list["Row"]:
        return [(column, self.of.rows[self.label].pk) for column in self.columns]

    def places(self) -> Iterator[Place]:
        """The row's own pages, and those of others that show it."""
        shown = {self.label, *SHOWN_AT.get(self.label, ())}
        for name, rule in RULES.items():
            if rule.row in shown and not rule.only_sends and rule.sees and not name.endswith(("_history", "_delete")):
                yield Place(name, reverse(name, args=[self.of.rows[rule.row].pk]), rule.query)


def settings() -> list[Setting]:
    found: list[Setting] = []
    for model in apps.get_models():
        if issubclass(model, ForeignTable) and model._meta.db_table:
            label = f"{model._meta.app_label}.{model._meta.model_name}"
            all_columns = columns(model._meta.db_table)
            for part in range(PARTS):
                number = len(found)
                of = world(f"w{number}x", f"2015{number:06}0")
                found.append(Setting(tuple(all_columns[part::PARTS]), label, of))
    return found


@dataclass
class Tables:
    """A database with businesses for all columns, and an administrator."""

    client: Client
    settings: list[Setting]
    lists: list[Place]
    before: dict[str, Any]


@pytest.fixture(scope="module")
def tables(server: EmbeddedServer, databases: Databases, django_db_blocker: Any) -> Iterator[Tables]:
    with django_db_blocker.unblock(), databases.clone("migrated") as name, django_uses(server, name):
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE escalated_conversations DROP CONSTRAINT escalated_conversations_reason_check")
        person = User.objects.create_superuser("admin")
        rows = single_rows(person)
        found = settings()
        rollup.refresh()
        lists = [place for name, rule in RULES.items() for place in _list(name, rule, rows)]
        Delivery.objects.all().delete()  # their alerts say nothing
        client = signed_in(person)
        client.raise_request_exception = True
        yield Tables(client, found, lists, figures())


def _list(name: str, rule: Rule, rows: dict[str, Any]) -> Iterator[Place]:
    """The page, unless it is one row's, needs another group, or is only sent to."""
    is_of_rows = not rule.everybodys or name == "admin:waops_operations_changelist"  # doctor's
    skipped = rule.row or rule.only_sends or rule.missing or "password" in name or name.endswith("_add")
    if is_of_rows and not skipped:
        yield Place(name, reverse(name, args=list(rule.arguments.values())), rule.query)


def figures() -> dict[str, Any]:
    """Sums of the counts of the service's rows, after everything pending has been counted."""
    rollup.refresh()
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(messages) FROM waops.message_count")
        counted = {"messages": cursor.fetchone()}
    for model in (UsageDetail, UsageByPeriod, UsageByDay, UsageByHour):
        rows = model.objects.filter(replies__gt=0).aggregate(rows=Count("*"), replies=Sum("replies"))
        counted[model.__name__] = tuple(rows.values())
    return counted


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


Row = tuple[Column, Any]
"""A column, and the key of the row that is to hold its extremes."""


def spoil(rows: Sequence[Row], variant: int) -> list[Row]:
    """Those that now hold the extreme of that number."""
    return [(column, pk) for column, pk in rows if column.set(pk, variant)]


def fault(tables: Tables, place: Place, data: dict[str, Any] | None = None) -> str:
    """What is wrong with the page now; empty if nothing."""
    cache.clear()
    client = tables.client
    try:
        with undone():
            answer = client.get(place.path, place.query) if data is None else client.post(place.path, data)
            weight = sum(map(len, answer))
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:200]}"
    if answer.status_code >= (400 if data is None else 500):
        return str(answer.status_code)
    is_page = answer.headers.get("Content-Type", "").startswith("text/html")
    return f"{weight} bytes" if is_page and weight > HEAVIEST else ""


def culprit(tables: Tables, place: Place, suspects: Sequence[Row], variant: int) -> str:
    """The column that breaks the page, found by halving. Called on ordinary rows."""
    while len(suspects) > 1:
        half = suspects[: len(suspects) // 2]
        with undone():
            spoil(half, variant)
            is_there = fault(tables, place)
        suspects = half if is_there else suspects[len(half) :]
    return str(suspects[0][0]) if suspects else "?"


@pytest.mark.parametrize("variant", VARIANTS)
def test_no_page_breaks_on_any_value(tables: Tables, variant: int) -> None:
    with undone():
        spoiled = [(setting, spoil(setting.rows, variant)) for setting in tables.settings]
        everything = [row for _, rows in spoiled for row in rows]
        shown = [(place, everything) for place in tables.lists]
        shown += [(place, rows) for setting, rows in spoiled if rows for place in setting.places()]
        broken = [(place, what, rows) for place, rows in shown if (what := fault(tables, place))]
    wrong = [f"{culprit(tables, place, rows, variant)} at {place}: {what}" for place, what, rows in broken]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("variant", VARIANTS)
def test_no_command_breaks_on_any_value(tables: Tables, variant: int) -> None:
    wrong = []
    with undone():
        for setting in tables.settings:
            spoil(setting.rows, variant)
        for command in COMMANDS:
            try:
                with undone():
                    call_command(*command, stdout=io.StringIO(), stderr=io.StringIO())
            except (CommandError, SystemExit):
                continue  # what it found is said
            except Exception as error:
                wrong.append(f"{command}: {type(error).__name__}: {str(error)[:200]}")
        for part in parts():
            try:
                with undone():
                    part.run()
            except Exception as error:
                wrong.append(f"periodic {part.name}: {type(error).__name__}: {str(error)[:200]}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_escalation_can_be_worked_on_and_resolved(tables: Tables, variant: int) -> None:
    wrong = []
    with undone():
        for setting in tables.settings:
            escalation = setting.of.rows["escalations.escalation"]
            if setting.label not in {"escalations.escalation", "conversations.whatsappinstance"}:
                continue
            spoiled = spoil(setting.rows, variant)
            open_escalations = Escalation.objects.filter(pk=escalation.pk, resolved_at=None)
            if not open_escalations.exists():
                continue
            for action, data in ACTIONS.items():
                address = reverse(f"admin:escalations_escalation_{action}", args=[escalation.pk])
                if what := fault(tables, Place(action, address, {}), data):
                    wrong.append(f"{action} with {[str(column) for column, _ in spoiled]}: {what}")
            with undone():
                tables.client.post(
                    reverse("admin:escalations_escalation_resolve", args=[escalation.pk]), {"note": "tried"}
                )
                if open_escalations.exists():
                    wrong.append(f"not resolved with {[str(column) for column, _ in spoiled]}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("variant", VARIANTS)
def test_figures_are_as_before_once_the_rows_are_as_before(tables: Tables, variant: int) -> None:
    with undone():
        rows = [row for setting in tables.settings for row in setting.rows]
        before = [(column, pk, column.text(pk)) for column, pk in rows]
        spoil(rows, variant)
        figures()
        for column, pk, text in before:
            column.write(pk, text)
        assert figures() == tables.before
