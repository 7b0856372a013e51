"""The printed roles: the app works as its own and it may nothing else; the other one migrates."""

from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from django.contrib import admin
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from psycopg import sql

from escalations.attention import page as attention
from escalations.attention.findings import Kind
from escalations.models import ClosingOutcome
from escalations.procedures import claim, reopen, resolve
from tests import factories
from tests.databases import django_uses
from tests.roles import django_is, least_role, migrator_role
from tests.usage.shops import log_in, post, shop
from tests.waops.dbops.test_killed_migrate import schema_of
from usage.models import QuotaChange

NAME, MIGRATOR = "waops_app_test", "waops_migrator_test"


@pytest.fixture
def role(committed_database: str) -> Iterator[str]:
    """DSN as the app's new role."""
    with least_role(committed_database, NAME) as dsn:
        yield dsn


def test_it_signs_in_with_the_right_search_path_and_reads(role):
    with psycopg.connect(role) as session:
        assert session.execute("SHOW search_path").fetchone() == ("waops, public, extensions",)
        for table in ("profiles", "whatsapp_conversation_messages", "support_team_numbers", "waops_installedobject"):
            session.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table)))
        # Row-level security hides nothing from it.
        assert session.execute("SELECT row_security_active('public.profiles')").fetchone() == (False,)


def test_it_writes_what_pages_write(role):
    with psycopg.connect(role) as session:
        session.execute("UPDATE profiles SET monthly_ai_response_limit = 1 WHERE false")
        session.execute("UPDATE escalated_conversations SET resolved_at = now() WHERE false")
        session.execute("INSERT INTO escalated_conversations (whatsapp_number) VALUES ('201012345678')")
        session.execute("INSERT INTO auth_group (name) VALUES ('Testers')")
        session.execute("SELECT waops.resolve_escalations('{}'::uuid[], 1, 'Amal')")


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE public.mine (id int)",
        "CREATE TABLE waops.mine (id int)",
        "CREATE SCHEMA mine",
        "DROP TABLE profiles",
        "ALTER TABLE profiles ADD COLUMN mine int",
        "DROP INDEX idx_messages_conversation",
        "TRUNCATE whatsapp_conversation_messages",
        "DELETE FROM escalated_conversations",
        "DELETE FROM profiles",
        "INSERT INTO profiles (id) VALUES (gen_random_uuid())",
        "UPDATE whatsapp_conversation_messages SET content = ''",
        "DELETE FROM whatsapp_conversations",
        "SELECT * FROM auth.users",
        "CREATE ROLE mine",
    ],
)
def test_it_may_nothing_else(role, statement):
    with psycopg.connect(role) as session, pytest.raises(psycopg.errors.InsufficientPrivilege):
        session.execute(statement)


def test_tables_of_later_migrations_are_open_to_it(role, committed_database):
    with psycopg.connect(committed_database) as owner:
        owner.execute("CREATE TABLE waops.later (id serial)")
    with psycopg.connect(role) as session:
        session.execute("INSERT INTO waops.later DEFAULT VALUES")


def test_every_list_and_page_of_the_app_opens(role) -> None:
    """An administrator's, which has all of them."""
    escalation = factories.waiting(minutes=30)
    factories.interaction(factories.conversation(), user_message="question")
    client = Client()
    client.force_login(factories.staff(is_superuser=True))
    with django_is(NAME):
        desk = [f"/escalations/escalation/{page}/" for page in ("attention", "reports", "search")]
        addresses = [
            reverse("admin:index"),
            *desk,
            *_lists(),
            reverse("admin:escalations_escalation_change", args=[escalation.pk]),
        ]
        wrong = {address: status for address in addresses if (status := client.get(address).status_code) != 200}
    assert wrong == {}


def _lists() -> list[str]:
    site = admin.site
    return [reverse(f"admin:{m._meta.app_label}_{m._meta.model_name}_changelist") for m in site._registry]


def test_the_desk_works(role) -> None:
    escalation, told = factories.waiting(minutes=30), factories.conversation()
    factories.message(told, "transferred", "assistant", message_id="escalation_1", timestamp=factories.ago(hours=2))
    salma = factories.staff("Support", "Managers", username="salma")
    with django_is(NAME):
        for act in (claim, resolve, reopen):
            outcome = [ClosingOutcome.objects.get(code="answered")] if act is resolve else []
            assert [result.is_done for result in act([escalation.pk], salma, *outcome)] == [True], act
        assert attention.apply(Kind.MISSED, [str(told.pk)], salma) == 1


def test_duplicates_are_merged(role, committed_database) -> None:
    with psycopg.connect(committed_database, autocommit=True) as owner:
        owner.execute("DROP INDEX public.uniq_escalated_open")
    chat = factories.conversation()
    either = [str(factories.escalation(chat).pk) for _copy in range(2)]
    manager = factories.staff("Support", "Managers")
    with django_is(NAME):
        assert attention.apply(Kind.DUPLICATE, either, manager) == 1


def test_quotas_are_changed(role) -> None:
    one = shop("Short", per_day=9, monthly_ai_response_limit=95)
    manager = log_in("Managers")
    until = timezone.localdate() + timedelta(days=3)
    with django_is(NAME):
        post(manager, one, "top_up", expected=95, amount=500, until=until, reason="Feast days")
        post(manager, one, "limit", expected=595, limit=700, reason="Upgrade")
    assert {change.kind for change in QuotaChange.objects.all()} >= {"top_up", "limit"}


def test_the_other_role_migrates_and_leaves_what_the_owner_would(server, databases, django_db_blocker) -> None:
    with django_db_blocker.unblock(), databases.clone("before") as name, django_uses(server, name):
        dsn = server.dsn(dbname=name)
        with migrator_role(dsn, MIGRATOR), django_is(MIGRATOR):
            call_command("migrate", verbosity=0)
            with databases.clone("migrated") as undisturbed:
                assert schema_of(server, dsn) == schema_of(server, server.dsn(dbname=undisturbed))


@pytest.mark.parametrize("statement", ["SELECT * FROM pg_catalog.pg_authid", "ALTER SYSTEM SET work_mem = '1GB'"])
def test_the_other_role_is_no_superuser(committed_database, statement) -> None:
    with (
        migrator_role(committed_database, MIGRATOR) as dsn,
        psycopg.connect(dsn, autocommit=True) as session,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        session.execute(statement)
