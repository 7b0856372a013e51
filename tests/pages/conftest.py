"""One database of demo data, and an administrator who visits every page of it."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.test import Client
from django.utils import timezone

from tests import factories
from tests.access.test_matrix import single_rows
from tests.access.world import own_and_other
from tests.databases import Databases, django_uses
from tests.pages.sending import World, found_forms, other_states
from usage import outlook, rollup
from waops.dev import demo
from waops.dev.embedded.server import SUPERUSER, EmbeddedServer
from waops.models import User

MOST_ROWS = 600
"""Rows that one statement of a page may read: every large table holds more."""

MANY_BUSINESSES = """
    WITH account AS (
        INSERT INTO auth.users (id, email)
        SELECT gen_random_uuid(), 'many' || number || '@example.com' FROM generate_series(1, %(number)s) AS number
        RETURNING id
    )
    INSERT INTO public.profiles (id, full_name, business_name, plan_type)
    SELECT id, 'Owner', 'Business ' || id, 'Launch' FROM account
"""


@pytest.fixture(scope="module")
def client(server: EmbeddedServer, databases: Databases, django_db_blocker: Any) -> Iterator[Client]:
    """An administrator in a database of demo data."""
    with django_db_blocker.unblock(), databases.clone("migrated") as name, django_uses(server, name):
        with psycopg.connect(server.dsn(dbname=name)) as rows:
            demo.load(rows)
            rows.execute(MANY_BUSINESSES, {"number": MOST_ROWS + 100})
        rollup.refresh()
        outlook.refresh(timezone.now())
        client = Client(raise_request_exception=True)
        client.force_login(User.objects.create_superuser("admin"), "django.contrib.auth.backends.ModelBackend")
        yield client


@pytest.fixture(scope="module")
def world(server: EmbeddedServer, databases: Databases, django_db_blocker: Any) -> Iterator[World]:
    """An administrator, all that the pages offer to send, and rows of every kind to send it about."""
    with django_db_blocker.unblock(), databases.clone("migrated") as name, django_uses(server, name):
        own, other = own_and_other()
        person = factories.staff(is_superuser=True, username="person")
        states = single_rows(person) | own.rows, *other_states(person, own.rows, other.rows)
        client = Client(raise_request_exception=False)
        client.force_login(person, "django.contrib.auth.backends.ModelBackend")
        forms = found_forms(client, states)
        with psycopg.connect(server.dsn(SUPERUSER, name), autocommit=True) as session:
            yield World(session, client, forms)
