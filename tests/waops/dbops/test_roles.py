"""Every read of the operators works as the superuser, as the tables' owner, and as the role that role_sql prints."""

from collections.abc import Iterator

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection

from tests import factories, wording
from tests.roles import django_is, least_role
from waops.dbops import drift, security
from waops.dbops.checklist import checklist
from waops.dbops.connections import report_connections
from waops.dbops.doctor import diagnose
from waops.dbops.explain import record
from waops.dbops.indexes import report_indexes
from waops.dbops.reading import bounded
from waops.dbops.report import report
from waops.dbops.snapshots import take_snapshot
from waops.dbops.statements import read_statements
from waops.dbops.tables import report_tables
from waops.dev.embedded.server import OWNER, SUPERUSER

PRINTED = "waops_app_operations_test"


@pytest.fixture(params=[SUPERUSER, OWNER, PRINTED])
def role(request, committed_database: str) -> Iterator[str]:
    """Django's connection is that role's."""
    factories.message(factories.conversation())
    with least_role(committed_database, PRINTED), django_is(request.param):
        yield request.param


def test_everything_can_be_read(role: str) -> None:
    findings = diagnose().findings
    assert [finding.what for finding in findings if finding.code == "doctor.unreadable"] == []
    with bounded(connection):
        assert report_indexes(connection).figures.rows
        assert report_tables(connection).figures.rows
        assert report_connections(connection).figures
        assert drift.find_drift(connection) == []
        security.lint_security(connection)
        read_statements(connection)
    assert checklist()
    assert report()


def test_what_is_kept_can_be_written(role: str) -> None:
    assert take_snapshot("as " + role).figures["tables"]
    call_command("backup", record="elsewhere", verbosity=0)
    plans = record("as " + role, runs=1).plans["statements"]
    assert plans["newest messages"]["rows"] == 1


def test_a_statement_that_the_role_may_not_run_is_said_and_the_others_run(role: str, committed_database: str) -> None:
    if role == PRINTED:
        with psycopg.connect(committed_database, user=SUPERUSER) as superuser:
            superuser.execute(f"REVOKE INSERT ON public.whatsapp_conversation_messages FROM {PRINTED}")
    plans = record("as " + role, runs=1).plans["statements"]
    refused = {name for name, result in plans.items() if "error" in result}
    assert refused == ({wording.STORE_A_MESSAGE} if role == PRINTED else set())
