"""Our schema is gone, but what we put into `public` is there: dropped, or a copy restored without it.

Our objects are never mistaken for the originals, so that reversing removes them.
"""

import json
import subprocess
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import connection

from tests import wording
from tests.databases import django_uses
from tests.waops.dbops.conftest import doctor_findings, the
from tests.waops.dbops.test_killed_migrate import schema_of
from tests.waops.dbops.test_repair_schema import reverse_everything
from waops.dbops.plan import plan
from waops.dbops.probes import ready
from waops.dbops.repairs.damaged import everything_damaged
from waops.dev.embedded.server import SUPERUSER

OURS_IN_PUBLIC = [function for function in plan().functions if function.name.startswith("public.")]
SIGNATURES = """
    SELECT oid::regprocedure::text FROM pg_proc WHERE proname = %s AND pronamespace = 'public'::regnamespace
"""
LATER = """
    CREATE OR REPLACE FUNCTION public.check_and_update_ai_usage(p_user_id uuid, p_increment boolean DEFAULT false)
    RETURNS json LANGUAGE sql AS 'SELECT NULL::json'
"""
DEPLOYED_INDEX = """
    CREATE INDEX idx_messages_conversation ON public.whatsapp_conversation_messages (conversation_id, "timestamp" DESC)
"""


@contextmanager
def restored_without_our_schema(server, databases, source: str, folder: Path):
    """A copy as `pg_dump --exclude-schema=waops` and `pg_restore` make it; our triggers have lost their functions."""
    dump = folder / "copy.dump"
    folder.chmod(0o777)
    pg_dump, pg_restore = (str(server.binaries / name) for name in ("pg_dump", "pg_restore"))
    admin = {"user": SUPERUSER}
    dsn = psycopg.conninfo.make_conninfo(source, **admin)
    subprocess.run([pg_dump, "--format=custom", "--exclude-schema=waops", f"--file={dump}", dsn], check=True)
    with databases.clone("empty") as name:
        target = f"--dbname={server.dsn(SUPERUSER, name)}"
        result = subprocess.run([pg_restore, target, str(dump)], capture_output=True, text=True, check=False)
        assert "waops" in result.stderr  # the triggers
        with django_uses(server, name):
            yield server.dsn(dbname=name)


def without_originals(dsn: str) -> None:
    """Drop, from a database before the plan, the service's functions that ours replace."""
    with psycopg.connect(dsn, autocommit=True) as session:
        for function in OURS_IN_PUBLIC:
            for (signature,) in session.execute(SIGNATURES, [function.name.partition(".")[2]]).fetchall():
                session.execute(f"DROP ROUTINE {signature}")  # type: ignore[arg-type]


def assert_named() -> None:
    finding = the("schema.lost", doctor_findings())
    assert finding.fix == ("manage.py repair schema --apply",)
    assert "check_and_update_ai_usage" in finding.what
    assert any(message.id == "waops.W105" for message in run_checks(databases=["default"]))
    answer = ready()
    assert answer.status_code == 503
    assert json.loads(answer.content)["damaged"] == ["waops"]


def test_a_copy_restored_without_it(server, databases, committed_database, owner_database, tmp_path, capsys):
    without_originals(owner_database)
    with restored_without_our_schema(server, databases, committed_database, tmp_path) as copy:
        assert_named()
        capsys.readouterr()
        call_command("repair", "schema", apply=True)
        said = capsys.readouterr().out
        assert wording.LOST_WITH_THE_SCHEMA in said
        assert all(function.name.partition(".")[2] in said for function in OURS_IN_PUBLIC)
        assert everything_damaged(connection) == []
        reverse_everything()
        assert schema_of(server, copy, "--schema=public") == schema_of(server, owner_database, "--schema=public")


@pytest.mark.parametrize("comments", ["kept", "lost"])
def test_dropped_and_migrated_again(server, committed_database, owner_database, owner, comments):
    without_originals(owner_database)
    if comments == "lost":
        for function in OURS_IN_PUBLIC:
            owner.execute(f"COMMENT ON FUNCTION {function.identity} IS NULL")
    owner.execute("DROP SCHEMA waops CASCADE")
    assert_named()
    call_command("migrate", verbosity=0)
    assert everything_damaged(connection) == []
    reverse_everything()
    before = schema_of(server, owner_database, "--schema=public")
    assert schema_of(server, committed_database, "--schema=public") == before


def test_what_the_service_deployed_over_ours_is_its_own(owner):
    """Replacing a function keeps its comment, our mark."""
    owner.execute(LATER)
    owner.execute("DROP SCHEMA waops CASCADE")
    call_command("migrate", verbosity=0)
    call_command("migrate", "conversations", "zero", verbosity=0)
    call_command("migrate", "usage", "zero", verbosity=0)
    query = "SELECT prosrc, obj_description(oid, 'pg_proc') FROM pg_proc WHERE proname = 'check_and_update_ai_usage'"
    assert owner.execute(query).fetchall() == [("SELECT NULL::json", None)]


def test_triggers_with_our_names_are_replaced(owner):
    owner.execute("DROP SCHEMA waops CASCADE")
    owner.execute("CREATE FUNCTION public.old() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
    owner.execute(
        "CREATE TRIGGER waops_count_inserted AFTER INSERT ON public.whatsapp_conversation_messages"
        " FOR EACH STATEMENT EXECUTE FUNCTION public.old()"
    )
    call_command("migrate", verbosity=0)
    assert everything_damaged(connection) == []


def test_an_index_of_the_service_stays(server, databases, django_db_blocker, owner_database):
    """One that this app has not built carries no mark."""
    name = str(psycopg.conninfo.conninfo_to_dict(owner_database)["dbname"])
    with (
        django_db_blocker.unblock(),
        django_uses(server, name),
        psycopg.connect(owner_database, autocommit=True) as session,
    ):
        session.execute(DEPLOYED_INDEX)
        call_command("migrate", verbosity=0)
        session.execute("DROP SCHEMA waops CASCADE")
        call_command("migrate", verbosity=0)
        reverse_everything()
        query = "SELECT indexname FROM pg_indexes WHERE schemaname = 'public'"
        names = {name for (name,) in session.execute(query).fetchall()}
    assert names & {index.statement.name for index in plan().indexes} == {"idx_messages_conversation"}
