"""One tenant's row holds whatever its column's type allows: every quota page and command works, for that tenant too.

Made from the columns of the live tables. Once the row is gone all figures are as before.
"""

from collections.abc import Iterable
from io import StringIO
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import Error, connection, transaction
from django.test import Client
from django.urls import reverse

from tests import factories
from tests.usage.shops import OVERVIEW, is_complete, log_in, shop
from usage import quota, rollup
from usage.legacy import check_and_update_ai_usage as legacy_check
from usage.models import AlertRule, Price
from usage.procedures import check_and_update_ai_usage
from usage.quota import ORDERS, View

TABLES = ("profiles", "whatsapp_ai_interactions", "whatsapp_instances")
REFUSED = ("22", "23", "54")
"""Classes of SQLSTATEs by which the table itself refuses a value: then there is no such row."""
EXTREMES = {
    "timestamp with time zone": [
        "'infinity'",
        "'-infinity'",
        "'0044-03-15 00:00+00 BC'",
        "'4714-11-24 00:00+00 BC'",
        "'0001-01-01 00:00+00'",
        "'1970-01-01 00:00+00'",
        "'2060-07-01 12:00+00'",
        "'9999-12-31 23:59:59+00'",
        "'294276-12-31 23:00+00'",
    ],
    "integer": ["2147483647", "-2147483648", "-1", "0"],
    "numeric": ["99999999.99", "-99999999.99", "'NaN'"],
    "text": ["repeat('م', 9000)", "md5('1') || repeat('x', 3000) || '\"<b>%s{{%'", "''"],
    "character varying": ["repeat('x', 9000)", "''"],
    "boolean": ["true", "false"],
    "jsonb": [
        "'7'",
        "'[]'",
        "'\"text\"'",
        "'null'",
        '\'{"personality_id": {"a": []}, "detected_intent": [1, {}]}\'',
        "jsonb_build_object('personality_id', repeat('p', 6000), 'detected_intent', repeat('م', 6000))",
    ],
    "ARRAY": ["'{}'", "array_fill('x'::text, ARRAY[5000])"],
}
MANY = {
    "whatsapp_ai_interactions": [
        "prompt_tokens = 2147483647, completion_tokens = 1, total_tokens = NULL",
        "prompt_tokens = 2147483647, completion_tokens = 2147483647, total_tokens = 2147483647",
        "prompt_tokens = -2147483648, completion_tokens = -2147483648, total_tokens = NULL",
        "created_at = 'infinity', updated_at = '-infinity'",
    ],
    "profiles": [
        "monthly_ai_response_limit = 2147483647, monthly_ai_responses_used = -2147483648",
        "monthly_ai_response_limit = -2147483648, monthly_ai_responses_used = 2147483647",
        "last_responses_reset_date = 'infinity', subscription_end_date = 'infinity', created_at = '-infinity'",
        "last_responses_reset_date = '-infinity', subscription_end_date = '-infinity'",
    ],
    "whatsapp_instances": [],
}


def changes_of(table: str) -> list[str]:
    """SET clauses: each column by each extreme of its type, and NULL where it may be."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name, data_type, is_nullable = 'YES' FROM information_schema.columns"
            " WHERE table_schema = 'public' AND table_name = %s ORDER BY ordinal_position",
            [table],
        )
        columns = cursor.fetchall()
    clauses = [
        f"{name} = {value}"
        for name, kind, is_nullable in columns
        for value in (*EXTREMES.get(kind, ()), *(("NULL",) if is_nullable else ()))
    ]
    return clauses + MANY[table]


def figures() -> list[tuple]:
    """What the pages show of all businesses."""
    rollup.refresh()
    return [
        (one.id, one.limit, one.used, one.replies, one.tokens, one.trend, one.costs)
        for one in sorted(quota.load(), key=lambda one: one.name)
    ]


class World:
    """A business that is watched, one that turns hostile, and a manager who opens every page."""

    def __init__(self) -> None:
        Price.objects.create(model="m", valid_from="2020-01-01", input_per_million=1, output_per_million="2.5")
        AlertRule.objects.get_or_create(business=None, defaults={"emails": "a@example.com"})
        self.watched = shop("Watched", per_day=2, days=5, monthly_ai_response_limit=12)
        self.hostile = shop("Hostile", monthly_ai_response_limit=100, used=99)
        self.number = factories.instance(self.hostile)
        self.client: Client = log_in("Managers")
        rollup.rebuild()
        self.before = figures()

    def add(self, table: str) -> UUID:
        """An ordinary row of that table, to be made hostile."""
        if table == "profiles":
            return factories.business().pk
        if table == "whatsapp_instances":
            return factories.instance(self.hostile).pk
        return factories.interaction(factories.conversation(self.number), response_model="m").pk

    def add_hostile(self, table: str, clause: str) -> UUID | None:
        """A row that holds it; None where the table itself refuses it."""
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                pk = self.add(table)
                cursor.execute(f"UPDATE public.{table} SET {clause} WHERE id = '{pk}'")
        except Error as error:
            if error.__cause__.sqlstate.startswith(REFUSED):
                return None
            raise
        return pk

    def open_everything(self, businesses: Iterable[UUID]) -> None:
        pages = [reverse("admin:usage_profile_change", args=[business]) for business in businesses]
        last, own = pages[-1], reverse("admin:usage_profile_export_one", args=[self.hostile.pk])
        for address in (
            "/",
            *(f"{OVERVIEW}?o={name}" for name in ORDERS),
            *(f"{OVERVIEW}?view={view}" for view in View),
            *pages,
            *(f"{last}?{query}" for query in ("hours=on", "day=2100-01-01", "day=2000-01-01", "personality=")),
            own,
            *(f"{OVERVIEW}export/?format={name}" for name in ("csv", "xlsx")),
            *(f"{OVERVIEW}reconcile/?all=on{more}" for more in ("", "&period=ended", "&format=csv", "&format=xlsx")),
            "/usage/quotachange/",
        ):
            response = self.client.get(address)
            body = response.getvalue() if response.streaming else response.content
            assert response.status_code == 200, (address, body[-1500:])
            assert len(body) < 600_000, (address, len(body))

    def run_everything(self) -> None:
        for command in (
            ("periodic", "--only=alerts", "--only=top_ups"),
            ("repair", "usage"),
            ("reconcile_quota", "--all", "--json"),
            ("reset_quotas",),
        ):
            call_command(*command, stdout=StringIO())


@pytest.fixture
def world(db) -> World:
    return World()


@pytest.mark.parametrize("table", TABLES)
def test_each_column_at_the_extremes_of_its_type(world: World, table: str) -> None:
    added = [pk for clause in changes_of(table) if (pk := world.add_hostile(table, clause))]
    assert len(added) > 20
    assert is_complete(rollup.refresh())
    world.open_everything(added if table == "profiles" else [world.hostile.pk])
    world.run_everything()
    if table == "profiles":
        for pk in added:
            function, legacy = check_and_update_ai_usage(pk), legacy_check(pk)
            assert function == legacy
            assert check_and_update_ai_usage(pk, True).error_message is None
    rebuilt = rollup.rebuild()
    assert rebuilt.is_built
    with connection.cursor() as cursor:
        where = "auth.users" if table == "profiles" else f"public.{table}"
        cursor.execute(f"DELETE FROM {where} WHERE id = ANY (%s)", [added])
    assert figures() == world.before
    assert rollup.verify().differences == 0
