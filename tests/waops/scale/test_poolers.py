"""The whole app as the role that `role_sql` prints: directly, and through a real PgBouncer of either kind."""

import re
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from django.contrib import admin
from django.core.checks import Tags, run_checks
from django.db import connection
from django.urls import reverse
from psycopg.conninfo import conninfo_to_dict

from escalations.models import Escalation, EscalationState
from tests import factories
from tests.http import Person, served
from tests.programs import POOLER_PORT, pgbouncer
from tests.roles import least_role
from usage.models import Profile
from waops.database.url import POOL_MODES, database_settings
from waops.dbops.doctor import diagnose
from waops.dbops.findings import Severity
from waops.dev.embedded.server import OWNER, EmbeddedServer
from waops.models import User

ROLE = "waops_app_pooled"
QUEUE, QUOTA = "/escalations/escalation/", "/usage/profile/"
LIMIT = {"limit-expected": "100", "limit-limit": "250", "limit-reason": "More"}


@pytest.fixture
def through(server: EmbeddedServer, committed_database: str, settings) -> Iterator[object]:
    """`through(mode)`: Django's connection is what DATABASE_URL and DATABASE_POOL_MODE make of it."""
    config = connection.settings_dict
    usual = {**config}
    with least_role(committed_database, ROLE), ExitStack() as poolers:

        def change(pooler: str, mode: str = "", role: str = ROLE, extra: str = "") -> None:
            connection.close()
            settings.DATABASE_POOL_MODE = mode or pooler
            host = server.socket_dir
            if pooler != "direct":
                host = poolers.enter_context(pgbouncer(server, pooler, ROLE, OWNER))
            database = conninfo_to_dict(committed_database)["dbname"]
            port = f"&port={POOLER_PORT}" if pooler != "direct" else ""
            url = f"postgresql://{role}@/{database}?host={host}{port}{extra}"
            made = database_settings(
                url, pool_mode=mode or pooler, pool_size=0, search_path=("waops", "public", "extensions")
            )
            config.update({**made, "HOST": "", "PORT": "", "USER": role, "NAME": database})

        yield change
        connection.close()
        config.clear()
        config.update(usual)


@pytest.mark.parametrize("mode", POOL_MODES)
def test_people_can_do_their_work(through, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    escalation = factories.waiting(minutes=30)
    business = factories.business("Nile Books")
    user = factories.staff(username="amal", is_superuser=True)
    user.set_password("a long secret")
    user.save()
    through(mode)
    with served(monkeypatch) as port:
        person = Person(port, user)
        del person.cookies["sessionid"]
        answer = person.post("/login/", username="amal", password="a long secret", next="/")
        assert answer.status == 302
        found = (re.match(r"sessionid=(\w+)", cookie) for cookie in answer.cookies)
        person.cookies["sessionid"] = next(match[1] for match in found if match)

        for model in admin.site._registry:
            page = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
            assert person.get(page).status == 200, page
        for page in ("", "live/", "search/?q=hello", "attention/", "reports/", "reports/escalations.csv"):
            assert person.get(QUEUE + page).status == 200, page
        for page in ("export/?format=csv", "export/?format=xlsx", f"{business.pk}/change/", f"{business.pk}/export/"):
            assert person.get(QUOTA + page).status == 200, page
        assert person.get(f"{QUEUE}{escalation.pk}/change/").status == 200
        for action in ("claim", "resolve"):
            assert person.post(f"{QUEUE}{escalation.pk}/{action}/").status == 302
        sent = person.post(f"{QUOTA}{business.pk}/limit/", **LIMIT)
        assert sent.status == 302
    assert EscalationState.objects.filter(pk=escalation.pk).exists()
    assert Escalation.objects.get(pk=escalation.pk).resolved_at
    assert Profile.objects.get(pk=business.pk).monthly_ai_response_limit == 250
    assert User.objects.get(pk=user.pk).last_login


@pytest.mark.parametrize("mode", POOL_MODES)
def test_where_the_setting_is_right_nothing_is_wrong(through, mode: str) -> None:
    through(mode)
    assert errors() == set()
    assert [finding for finding in diagnose().findings if finding.severity is Severity.ERROR] == []


def errors() -> set[str]:
    found = [*run_checks(), *run_checks(tags=[Tags.database], databases=["default"])]
    return {str(message.id) for message in found if message.is_serious()}


def hint(code: str) -> str:
    found = [*run_checks(), *run_checks(tags=[Tags.database], databases=["default"])]
    return next(str(message.hint) for message in found if message.id == code)


@pytest.mark.parametrize("pooler", ["session", "transaction"])
def test_a_pooler_that_is_taken_for_a_direct_connection_is_named(through, pooler: str) -> None:
    through(pooler, mode="direct")
    assert "waops.E001" in errors()
    assert "DATABASE_POOL_MODE" in hint("waops.E001")


def test_a_transaction_pooler_that_is_taken_for_a_session_pooler_is_named(through) -> None:
    through("transaction", mode="session")
    assert errors() == {"waops.E005"}
    assert "DATABASE_POOL_MODE=transaction" in hint("waops.E005")


@pytest.mark.parametrize("pooler", ["session", "transaction"])
def test_a_role_without_a_search_path_is_named(through, pooler: str) -> None:
    through(pooler, role=OWNER)
    assert "waops.E002" in errors()
    assert "role_sql" in hint("waops.E002")


def test_prepared_statements_are_named(through) -> None:
    through("transaction", extra="&prepare_threshold=0")
    assert "waops.E012" in errors()
    assert "prepare_threshold" in hint("waops.E012")
    through("session", extra="&prepare_threshold=0")
    assert errors() == set()
