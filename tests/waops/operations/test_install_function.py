"""InstallFunction and RunSQLFile: over deployed versions, their grants, and back again, byte for byte."""

import subprocess
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from tests.waops.operations.conftest import backwards, forwards, in_background
from waops.operations import InstallFunction, RunSQLFile, errors
from waops.operations.routines import FINGERPRINT, MARK

OURS = """
CREATE OR REPLACE FUNCTION public.greet(p_name text, p_times integer DEFAULT 1) RETURNS json
    LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $$ SELECT json_build_object('hello', p_name, 'times', p_times) $$;
"""
NEXT = OURS.replace("'hello'", "'good day'")
DROP = "DROP FUNCTION public.greet(text, integer);"
GREET = InstallFunction("public.greet(text, integer)", "0001_greet")
GREET_NEXT = InstallFunction("public.greet(text, integer)", "0002_greet")

DEPLOYED = {
    "nothing": "",
    "same arguments, no search path": """
        CREATE FUNCTION public.greet(p_name text, p_times integer DEFAULT 1) RETURNS json LANGUAGE sql SECURITY DEFINER
            AS 'SELECT null::json';
    """,
    "other argument name": """
        CREATE FUNCTION public.greet(p_who text, p_times integer DEFAULT 1) RETURNS json LANGUAGE sql
            AS 'SELECT null::json';
    """,
    "other result": """
        CREATE FUNCTION public.greet(p_name text, p_times integer DEFAULT 1) RETURNS text LANGUAGE sql
            AS 'SELECT p_name';
    """,
    "two overloads": """
        CREATE FUNCTION public.greet(p_name text) RETURNS void LANGUAGE sql AS 'SELECT';
        CREATE FUNCTION public.greet(p_name text, p_times bigint DEFAULT 2) RETURNS SETOF text
            LANGUAGE sql AS 'SELECT p_name';
        COMMENT ON FUNCTION public.greet(text) IS 'It''s the first';
    """,
    "a procedure": "CREATE PROCEDURE public.greet(p_name text, p_times integer) LANGUAGE sql AS 'SELECT';",
    "grants in an order of their own": """
        CREATE FUNCTION public.greet(p_who text, p_times integer) RETURNS json LANGUAGE sql AS 'SELECT null::json';
        REVOKE ALL ON FUNCTION public.greet FROM PUBLIC, postgres, anon, authenticated, service_role;
        GRANT EXECUTE ON FUNCTION public.greet TO service_role WITH GRANT OPTION;
        GRANT EXECUTE ON FUNCTION public.greet TO anon;
        GRANT EXECUTE ON FUNCTION public.greet TO postgres;
        SET ROLE service_role;
        GRANT EXECUTE ON FUNCTION public.greet TO authenticated;
        RESET ROLE;
        COMMENT ON FUNCTION public.greet IS E'Says \\\\ "hello"\\n100%';
    """,
    "no grants at all": """
        CREATE FUNCTION public.greet(p_who text, p_times integer) RETURNS json LANGUAGE sql AS 'SELECT null::json';
        REVOKE ALL ON FUNCTION public.greet FROM PUBLIC, postgres, anon, authenticated, service_role;
    """,
    "made before the default privileges": """
        ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON FUNCTIONS FROM anon, authenticated, service_role;
        CREATE FUNCTION public.greet(p_who text, p_times integer) RETURNS json LANGUAGE sql AS 'SELECT null::json';
        ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON FUNCTIONS TO anon, authenticated, service_role;
    """,
    "a body that names what has gone": """
        SET check_function_bodies = off;
        CREATE FUNCTION public.greet(p_who text) RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM gone';
    """,
}


@pytest.fixture(autouse=True)
def files(committed_database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The app's folder `sql`, with two versions of a function."""
    from waops.operations.sql_file import SQLFile

    monkeypatch.setattr(SQLFile, "_folder", tmp_path)
    for name, forward in {"0001_greet": OURS, "0002_greet": NEXT}.items():
        (tmp_path / f"{name}.sql").write_text(forward)
        (tmp_path / f"{name}.reverse.sql").write_text(DROP)
    return tmp_path


@pytest.fixture
def dump(server, committed_database):
    """pg_dump of schema public, as text without the random key that newer versions print."""

    def run() -> str:
        command = [server.binaries / "pg_dump", "--schema-only", "--schema=public", committed_database]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        return "\n".join(line for line in output.splitlines() if not line.startswith(("\\restrict", "\\unrestrict")))

    return run


def greetings(session: psycopg.Connection) -> list[tuple]:
    return session.execute(
        "SELECT oid::regprocedure::text, pg_get_function_result(oid) FROM pg_proc WHERE proname = 'greet'"
    ).fetchall()


@pytest.mark.parametrize("deployed", DEPLOYED.values(), ids=DEPLOYED)
def test_it_replaces_what_is_deployed_and_puts_it_back(session, dump, deployed):
    if deployed:
        session.execute(deployed)
    before = dump()
    forwards(GREET)
    assert greetings(session) == [("greet(text,integer)", "json")]
    assert session.execute("SELECT public.greet('Amal') ->> 'hello'").fetchone() == ("Amal",)
    backwards(GREET)
    assert dump() == before
    forwards(GREET)
    backwards(GREET)
    assert dump() == before


def test_a_later_version_is_reversed_to_the_earlier_one(session, dump):
    before = dump()
    forwards(GREET)
    first = dump()
    forwards(GREET_NEXT)
    assert session.execute("SELECT public.greet('Amal') ->> 'good day'").fetchone() == ("Amal",)
    backwards(GREET_NEXT)
    assert dump() == first
    backwards(GREET)
    assert dump() == before


def test_it_runs_twice_to_the_same_end(session, dump):
    session.execute(DEPLOYED["other argument name"])
    before = dump()
    forwards(GREET)
    forwards(GREET)
    backwards(GREET)
    backwards(GREET)
    assert dump() == before


@pytest.mark.parametrize("deployed", ["nothing", "same arguments, no search path", "other result"])
def test_rest_callers_without_the_key_are_shut_out(session, deployed):
    """Also when Supabase's default privileges open every new function to them."""
    if DEPLOYED[deployed]:
        session.execute(DEPLOYED[deployed])
    forwards(GREET)
    query = "SELECT has_function_privilege(%s, 'public.greet(text,integer)', 'EXECUTE')"
    allowed = {role: session.execute(query, [role]).fetchone()[0] for role in ("anon", "authenticated", "service_role")}
    assert allowed == {"anon": False, "authenticated": False, "service_role": True}


def test_without_grant_only_the_owner_and_named_roles_may(session):
    session.execute("ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON FUNCTIONS FROM service_role")
    forwards(InstallFunction("public.greet(text, integer)", "0001_greet", grant=False))
    query = "SELECT has_function_privilege('service_role', 'public.greet(text,integer)', 'EXECUTE')"
    assert session.execute(query).fetchone() == (False,)


def test_the_deployments_own_roles_keep_their_right(session):
    session.execute(DEPLOYED["other argument name"] + "GRANT EXECUTE ON FUNCTION public.greet TO pg_monitor")
    forwards(GREET)
    query = "SELECT has_function_privilege('pg_monitor', 'public.greet(text,integer)', 'EXECUTE')"
    assert session.execute(query).fetchone() == (True,)


@pytest.mark.parametrize(
    "change",
    [
        NEXT,
        OURS.replace("DEFAULT 1", "DEFAULT 2"),
        OURS.replace("SET search_path = pg_catalog, pg_temp", ""),
        "ALTER FUNCTION public.greet SECURITY DEFINER",
    ],
)
def test_a_change_behind_our_back_shows_in_the_fingerprint(session, change):
    query = f"""
        SELECT obj_description(routine.oid, 'pg_proc') = '{MARK}' || {FINGERPRINT}
        FROM pg_proc AS routine WHERE proname = 'greet'
    """
    forwards(GREET)
    assert session.execute(query).fetchone() == (True,)
    session.execute("SET search_path = nowhere")
    assert session.execute(query).fetchone() == (True,)
    session.execute(change)
    assert session.execute(query).fetchone() == (False,)


def test_a_function_that_others_depend_on_is_not_dropped(session, dump):
    session.execute(DEPLOYED["other result"] + "CREATE VIEW greeting AS SELECT public.greet('you') AS text")
    before = dump()
    with pytest.raises(errors.FunctionInUse, match="view greeting"):
        forwards(GREET)
    assert dump() == before


def test_a_file_that_creates_another_function_is_a_mistake(session, files, dump):
    (files / "0001_greet.sql").write_text(OURS.replace("public.greet", "public.greeting"))
    before = dump()
    with pytest.raises(errors.FunctionNotCreated, match=r"0001_greet\.sql did not create"):
        forwards(GREET)
    assert dump() == before


def test_the_session_keeps_its_search_path_and_timeouts(session):
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '7s'")
        names = ["search_path", "lock_timeout", "check_function_bodies", "role"]
        cursor.execute("SELECT current_setting(name) FROM unnest(%s::text[]) AS name", [names])
        before = cursor.fetchall()
        for run in (forwards, backwards):
            run(GREET)
            cursor.execute("SELECT current_setting(name) FROM unnest(%s::text[]) AS name", [names])
            assert cursor.fetchall() == before


def test_it_works_inside_a_transaction_too(session, dump):
    session.execute(DEPLOYED["two overloads"])
    before = dump()
    forwards(GREET, atomic=True)
    backwards(GREET, atomic=True)
    assert dump() == before


@pytest.fixture
def trigger(files: Path) -> RunSQLFile:
    (files / "0003_trigger.sql").write_text(
        "CREATE TRIGGER seen BEFORE UPDATE ON public.things"
        " FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();"
    )
    (files / "0003_trigger.reverse.sql").write_text("DROP TRIGGER seen ON public.things;")
    return RunSQLFile("0003_trigger")


def test_a_file_runs_once_and_is_reversed_once(things, session, trigger, dump):
    before = dump()
    forwards(trigger)
    forwards(trigger)
    assert "CREATE TRIGGER seen" in dump()
    backwards(trigger)
    backwards(trigger)
    assert dump() == before


def test_a_busy_table_is_tried_again_without_queueing_requests_behind_us(things, session, trigger, settings, caplog):
    settings.MIGRATION_ATTEMPTS = 5
    with psycopg.connect(things) as writer:
        writer.execute("UPDATE things SET done = true WHERE id = 1")
        with in_background(lambda: forwards(trigger)) as failures:
            session.execute("SET lock_timeout = '200ms'")
            for _ in range(50):
                session.execute("UPDATE things SET done = true WHERE id = 2")
                session.execute("SELECT pg_sleep(0.02)")
            writer.commit()
    assert failures == []
    assert "trying again" in caplog.text


@pytest.mark.usefixtures("impatient")
def test_a_table_locked_for_ever_ends_in_an_error_that_names_the_holder(things, session, trigger, dump):
    before = dump()
    with psycopg.connect(things, application_name="long transaction") as writer:
        writer.execute("UPDATE things SET done = true WHERE id = 1")
        with pytest.raises(errors.LockNotHad, match="long transaction"):
            forwards(trigger)
    assert dump() == before
