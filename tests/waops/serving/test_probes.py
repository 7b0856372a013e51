"""Probes: one that needs nothing, and one that says why pages cannot be served, without saying too much."""

import psycopg
import pytest
from django.db import connection
from django.test import Client

from waops.dbops.probes import all_migrations

PROBE = Client(headers={"host": "10.0.0.7"})
"""As an orchestrator asks: by address, and without TLS."""


@pytest.fixture(autouse=True)
def _production(settings) -> None:
    settings.SECURE_SSL_REDIRECT = True


def test_health_needs_no_database() -> None:
    """Tests without a database fixture have none."""
    response = PROBE.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert PROBE.post("/healthz").status_code == 405


@pytest.mark.django_db
def test_ready(django_assert_max_num_queries) -> None:
    with django_assert_max_num_queries(13):
        response = PROBE.get("/readyz")
    assert (response.status_code, response.json()) == (200, {"status": "ready"})


def reasons() -> list[str]:
    response = PROBE.get("/readyz")
    assert response.status_code == 503
    text = response.content.decode()
    assert not any(secret in text for secret in ("invalid", "postgres", "whatsapp", "0002", "/tmp"))
    return response.json()["reasons"]


def test_an_unreachable_database(committed_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "HOST", "unreachable.invalid")
    assert reasons() == ["database_unreachable"]


def test_a_wrong_search_path(committed_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connection.close()
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "options", "-c search_path=public")
    assert reasons() == ["wrong_search_path"]
    connection.close()


def test_a_missing_table_and_a_stranger_in_public(committed_database: str) -> None:
    with psycopg.connect(committed_database, autocommit=True) as owner:
        owner.execute("ALTER TABLE public.escalated_conversations RENAME TO elsewhere")
        owner.execute("CREATE TABLE public.django_migrations ()")
    assert reasons() == ["foreign_migrations_in_public", "tables_missing"]


def test_a_migration_that_has_not_run(committed_database: str) -> None:
    assert ("usage", "0002_indexes") in all_migrations()
    with psycopg.connect(committed_database, autocommit=True) as owner:
        owner.execute("DELETE FROM waops.django_migrations WHERE app = 'usage' AND name = '0002_indexes'")
    assert reasons() == ["migrations_pending"]
    with psycopg.connect(committed_database, autocommit=True) as owner:
        owner.execute("DROP TABLE waops.django_migrations")
    assert reasons() == ["schema_damaged"]
