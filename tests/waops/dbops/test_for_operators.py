"""What operators are told and given: by role_sql, the doctor, the figures, `migrate` and the checks."""

import json
from io import StringIO

import psycopg
import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from tests import wording
from tests.databases import django_uses
from tests.roles import django_is, least_role
from waops.database.checks.settings import session_pooler_has_room
from waops.database.engine.schema import prepare_schema
from waops.dbops import indexes, tables
from waops.dbops.doctor import diagnose
from waops.dbops.plan import plan
from waops.dbops.reading import bounded
from waops.dbops.repairs.damaged import everything_damaged
from waops.dbops.report import gains
from waops.dev.embedded.server import SUPERUSER
from waops.schema import CreateIndex

APP = "waops_app_cron_test"


@pytest.fixture
def unmigrated(server, databases, django_db_blocker):
    with django_db_blocker.unblock(), databases.clone("before") as name, django_uses(server, name):
        yield server.dsn(dbname=name)


def test_figures_beside_a_schema_that_the_role_may_not_enter(committed_database):
    """As pg_cron's is."""
    with psycopg.connect(committed_database, user=SUPERUSER, autocommit=True) as session:
        session.execute("CREATE SCHEMA cron")
        session.execute("CREATE TABLE cron.job AS SELECT n FROM generate_series(1, 1000) AS n")
        session.execute("CREATE INDEX ON cron.job (n)")
        session.execute("ANALYZE cron.job")
        with least_role(committed_database, APP), django_is(APP), bounded(connection):
            assert indexes.report_indexes(connection).figures.rows
            assert tables.report_tables(connection).figures.rows


def test_the_apps_role_sees_figures_of_all_roles(committed_database):
    with least_role(committed_database, APP), psycopg.connect(committed_database) as session:
        query = "SELECT pg_has_role(%s, 'pg_read_all_stats', 'USAGE')"
        assert session.execute(query, [APP]).fetchone() == (True,)


def test_the_migrators_role_comes_first_and_needs_nothing_of_ours(unmigrated):
    output = StringIO()
    call_command("role_sql", stdout=output)
    assert output.getvalue().index("waops_migrator") < output.getvalue().index('CREATE ROLE "waops_app"')
    options = connection.settings_dict["OPTIONS"]
    direct = options.pop("options")  # as behind a session pooler, where no start-up options arrive
    connection.close()
    try:
        alone = StringIO()
        call_command("role_sql", only="migrator", stdout=alone)
    finally:
        connection.close()
        options["options"] = direct
    with psycopg.connect(unmigrated, user=SUPERUSER) as session:
        session.execute(alone.getvalue())
        session.rollback()


def test_the_doctor_before_the_first_migrate_says_one_line(unmigrated):
    findings = [one for one in diagnose().findings if one.code != "extension.missing"]
    assert [(one.code, one.fix) for one in findings] == [("migrations.none", ("manage.py migrate",))]


def test_a_first_migrate_that_was_stopped_at_once_goes_on(unmigrated):
    """The empty record of migrations is all that it has made."""
    prepare_schema(connection)
    MigrationRecorder(connection).ensure_schema()
    assert everything_damaged(connection) == []
    call_command("migrate", "contenttypes", verbosity=0)
    assert everything_damaged(connection) == []


def test_the_doctor_without_a_server_says_so(committed_database, capsys):
    connection.close()
    config = connection.settings_dict
    host, config["HOST"] = config["HOST"], "/nonexistent"
    try:
        with pytest.raises(SystemExit):
            call_command("doctor", json=True)
    finally:
        connection.close()
        config["HOST"] = host
    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    assert finding["code"] == "connection.waops.E001"


def test_no_index_of_the_service_is_to_be_dropped_for_one_of_ours(committed_database):
    with psycopg.connect(committed_database, autocommit=True) as session:
        session.execute("CREATE INDEX narrow ON public.whatsapp_conversation_messages (conversation_id)")
        session.execute(
            'CREATE INDEX twin ON public.whatsapp_conversation_messages (conversation_id, "timestamp" DESC)'
        )
    with bounded(connection):
        findings = indexes.report_indexes(connection, tables.service_tables()).findings
    ours = {index.statement.name for index in plan().indexes}
    because_of_ours = [finding for finding in findings if ours.intersection(finding.what.replace(",", "").split())]
    assert [finding.subject for finding in because_of_ours if finding.subject.split(".")[1] not in ours] == []
    assert "public.twin" not in {finding.subject for finding in findings}


def test_what_was_not_measured_is_not_given_as_measured():
    (row,) = [row for row in gains().rows if row.what == wording.QUERIES_PER_MESSAGE]
    assert row.after == "not measured"


def test_log_lines_do_not_stick_to_lines_of_migrate(committed_database, monkeypatch):
    call_command("migrate", "escalations", "0001", verbosity=0)
    output = StringIO()
    build = CreateIndex.database_forwards

    def talking(self, *arguments):
        output.write("a log line\n")
        build(self, *arguments)

    monkeypatch.setattr(CreateIndex, "database_forwards", talking)
    call_command("migrate", "escalations", "0002", stdout=output, no_color=True)
    assert "a log line" in output.getvalue().splitlines()


@pytest.mark.parametrize(
    ("mode", "processes", "size", "warned"),
    [("session", 2, 10, True), ("session", 2, 7, False), ("direct", 9, 10, False), ("transaction", 9, 10, False)],
)
def test_more_connections_than_a_session_pooler_gives(settings, mode, processes, size, warned):
    settings.DATABASE_POOL_MODE, settings.WEB_CONCURRENCY, settings.DATABASE_POOL_SIZE = mode, processes, size
    assert [message.id for message in session_pooler_has_room()] == (["waops.W012"] if warned else [])
    assert ("waops.W012" in {m.id for m in run_checks(include_deployment_checks=True)}) == warned


@pytest.mark.parametrize("target", [[], ["escalations", "zero"]])
def test_postgrest_is_told_to_read_the_schema_again(committed_database, target):
    with psycopg.connect(committed_database, autocommit=True) as listener:
        listener.execute("LISTEN pgrst")
        call_command("migrate", *target, verbosity=0)
        assert [note.payload for note in listener.notifies(timeout=5, stop_after=1)] == ["reload schema"]


UNQUALIFIED = """
    CREATE SCHEMA crm;
    CREATE TABLE crm.seen (at timestamptz);
    CREATE FUNCTION crm.note() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN INSERT INTO seen VALUES (now()); RETURN NULL; END $$;
    CREATE TRIGGER noted AFTER {event} ON public.{table} FOR EACH ROW EXECUTE FUNCTION crm.note();
"""
ROWS = """
    INSERT INTO auth.users (id) VALUES ('00000000-0000-0000-0000-000000000001');
    INSERT INTO profiles (id) VALUES ('00000000-0000-0000-0000-000000000001');
    INSERT INTO whatsapp_instances (id, user_id, instance_name)
    VALUES ('00000000-0000-0000-0000-000000000002', '00000000-0000-0000-0000-000000000001', 'shop');
    INSERT INTO whatsapp_conversations (id, instance_id, user_phone)
    VALUES ('00000000-0000-0000-0000-000000000003', '00000000-0000-0000-0000-000000000002', '201012345678');
    INSERT INTO escalated_conversations (whatsapp_number, instance_id)
    VALUES ('201012345678', '00000000-0000-0000-0000-000000000002');
"""
WRITTEN = [
    ("profiles", "UPDATE"),
    ("whatsapp_conversations", "INSERT"),
    ("whatsapp_conversations", "UPDATE"),
    ("whatsapp_conversation_messages", "INSERT"),
    ("whatsapp_ai_interactions", "INSERT"),
    ("escalated_conversations", "INSERT"),
    ("escalated_conversations", "UPDATE"),
]


@pytest.mark.parametrize(("table", "event"), WRITTEN)
def test_a_write_that_would_fail_stops_migrate_before_its_first_change(unmigrated, table, event):
    with psycopg.connect(unmigrated, autocommit=True) as session:
        session.execute(ROWS)
        session.execute(UNQUALIFIED.format(event=event, table=table))  # type: ignore[arg-type]
        with pytest.raises(CommandError, match=rf"{event} public\.{table}.*seen"):
            call_command("migrate", verbosity=0)
        query = "SELECT to_regclass('waops.django_migrations'), (SELECT count(*) FROM public.whatsapp_conversations)"
        assert session.execute(query).fetchone() == (None, 1)


def test_the_doctor_tries_the_writes_too(committed_database):
    with psycopg.connect(committed_database, autocommit=True) as session:
        session.execute(ROWS)
        session.execute(UNQUALIFIED.format(event="UPDATE", table="profiles"))
        assert [one.subject for one in diagnose().findings if one.code == "writes.fail"] == ["public.profiles"]
        assert session.execute("SELECT count(*) FROM crm.seen").fetchone() == (0,)
