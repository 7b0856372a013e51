"""manage.py repair duplicate_escalations."""

import json
from io import StringIO

import psycopg
import pytest
from django.core.management import CommandError, call_command

from tests import wording

ROWS = """
    DROP INDEX IF EXISTS public.uniq_escalated_open;
    INSERT INTO auth.users (id) VALUES ('00000000-0000-0000-0000-000000000001');
    INSERT INTO profiles (id) VALUES ('00000000-0000-0000-0000-000000000001');
    INSERT INTO whatsapp_instances (id, user_id, instance_name)
    VALUES ('00000000-0000-0000-0000-000000000002', '00000000-0000-0000-0000-000000000001', 'shop');
    INSERT INTO escalated_conversations (id, whatsapp_number, instance_id, escalated_at, resolved_at)
    SELECT ('00000000-0000-0000-0000-0000000001' || n)::uuid, number, instance::uuid, escalated_at, resolved_at
    FROM (VALUES
        ('01', '201', '00000000-0000-0000-0000-000000000002', now() - interval '1 hour', NULL),
        ('02', '201', '00000000-0000-0000-0000-000000000002', now() - interval '3 hours', NULL),
        ('03', '201', '00000000-0000-0000-0000-000000000002', NULL, NULL),
        ('04', '201', '00000000-0000-0000-0000-000000000002', now() - interval '5 hours', now() + interval '1 hour'),
        ('05', '202', '00000000-0000-0000-0000-000000000002', now(), NULL),
        ('06', '203', NULL, now(), NULL),
        ('07', '203', NULL, now(), NULL)
    ) AS row (n, number, instance, escalated_at, resolved_at);
"""


@pytest.fixture
def session(committed_database):
    with psycopg.connect(committed_database, autocommit=True) as session:
        session.execute(ROWS)
        yield session


def run(**options) -> dict:
    output = StringIO()
    call_command("repair", "duplicate_escalations", json=True, stdout=output, **options)
    return json.loads(output.getvalue())


def still_open(session: psycopg.Connection) -> list[str]:
    query = "SELECT right(id::text, 2) FROM escalated_conversations WHERE resolved_at IS NULL ORDER BY 1"
    return [number for (number,) in session.execute(query)]


def test_without_apply_it_only_looks(session):
    report = run()
    assert (report["groups"], report["rows"], report["changed"]) == (1, 2, None)
    assert still_open(session) == ["01", "02", "03", "05", "06", "07"]


def test_apply_keeps_the_longest_waiting_and_rows_without_an_instance(session):
    assert run(apply=True)["changed"] == 2
    assert still_open(session) == ["02", "05", "06", "07"]
    assert run()["groups"] == 0
    session.execute("""
        CREATE UNIQUE INDEX uniq_escalated_open ON escalated_conversations (instance_id, whatsapp_number)
        WHERE resolved_at IS NULL
    """)


def test_times_differ_also_from_what_was_resolved_in_the_future(session):
    """unique_active_escalation allows one row of a customer per resolved_at."""
    run(apply=True)
    query = "SELECT resolved_at FROM escalated_conversations WHERE whatsapp_number = '201' AND resolved_at IS NOT NULL"
    times = [at for (at,) in session.execute(query)]
    assert len(set(times)) == 3


def test_history_and_archive_tell_what_was_done(session):
    run(apply=True)
    history = session.execute("""
        SELECT right(event.escalation_id::text, 2), event.kind, event.actor_name, event.actor_id,
               right(event.details ->> 'into', 2), event.at = escalation.resolved_at
        FROM waops.escalations_event AS event
        JOIN escalated_conversations AS escalation ON escalation.id = escalation_id
        ORDER BY 1
    """).fetchall()
    assert history == [("01", "merged", "repair", None, "02", True), ("03", "merged", "repair", None, "02", True)]
    archived = session.execute(
        "SELECT right(row_id, 2), \"row\" -> 'resolved_at', repair FROM waops.waops_archivedrow ORDER BY 1"
    ).fetchall()
    assert archived == [("01", None, "duplicate_escalations"), ("03", None, "duplicate_escalations")]


def test_it_says_what_it_would_do(session):
    output = StringIO()
    call_command("repair", "duplicate_escalations", stdout=output)
    assert wording.DUPLICATE_ROWS.format(2, 1) in output.getvalue()


def test_before_our_tables_are_there_it_says_what_to_do(session):
    session.execute("DROP TABLE waops.escalations_event")
    with pytest.raises(CommandError, match=r"Run manage\.py migrate first"):
        run(apply=True)
    assert still_open(session) == ["01", "02", "03", "05", "06", "07"]
