"""InstallFunction and RunSQLFile: over deployed versions, their grants, and back again, byte for byte."""

import subprocess
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from tests.waops.schema.conftest import backwards, forwards, in_background
from waops.schema import InstallFunction, RunSQLFile, errors, sql_file
from waops.schema.routines import FINGERPRINT, MARK

OURS = """
CREATE OR REPLACE FUNCTION public.greet(p_name text, p_times integer DEFAULT 1) RETURNS json
    LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $$ SELECT json_build_object('hello', p_name, 'times', p_times) $$;
"""
NEXT = OURS.replace("'hello'", "'good day'")

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
    "grants in an unusual order": """
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
    monkeypatch.setattr(sql_file, "folders", lambda: {"waops": tmp_path})
    (tmp_path / "greet.v1.sql").write_text(OURS)
    (tmp_path / "greet.v2.sql").write_text(NEXT)
    return tmp_path


@pytest.fixture
def greet(files: Path) -> InstallFunction:
    return InstallFunction("greet")


@pytest.fixture
def greet_next(files: Path) -> InstallFunction:
    return InstallFunction("greet", version=2)


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
def test_it_replaces_what_is_deployed_and_puts_it_back(session, dump, deployed, greet):
    if deployed:
        session.execute(deployed)
    before = dump()
    forwards(greet)
    assert greetings(session) == [("greet(text,integer)", "json")]
    assert session.execute("SELECT public.greet('Amal') ->> 'hello'").fetchone() == ("Amal",)
    backwards(greet)
    assert dump() == before
    forwards(greet)
    backwards(greet)
    assert dump() == before


def test_a_later_version_is_reversed_to_the_earlier_one(session, dump, greet, greet_next):
    before = dump()
    forwards(greet)
    first = dump()
    forwards(greet_next)
    assert session.execute("SELECT public.greet('Amal') ->> 'good day'").fetchone() == ("Amal",)
    backwards(greet_next)
    assert dump() == first
    backwards(greet)
    assert dump() == before


def test_it_runs_twice_to_the_same_end(session, dump, greet):
    session.execute(DEPLOYED["other argument name"])
    before = dump()
    forwards(greet)
    forwards(greet)
    backwards(greet)
    backwards(greet)
    assert dump() == before


@pytest.mark.parametrize("deployed", ["nothing", "same arguments, no search path", "other result"])
def test_rest_callers_without_the_key_are_shut_out(session, deployed, greet):
    """Also when Supabase's default privileges open every new function to them."""
    if DEPLOYED[deployed]:
        session.execute(DEPLOYED[deployed])
    forwards(greet)
    query = "SELECT has_function_privilege(%s, 'public.greet(text,integer)', 'EXECUTE')"
    allowed = {role: session.execute(query, [role]).fetchone()[0] for role in ("anon", "authenticated", "service_role")}
    assert allowed == {"anon": False, "authenticated": False, "service_role": True}


def test_without_grant_only_the_owner_and_named_roles_may(session):
    session.execute("ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON FUNCTIONS FROM service_role")
    forwards(InstallFunction("greet", grant=False))
    query = "SELECT has_function_privilege('service_role', 'public.greet(text,integer)', 'EXECUTE')"
    assert session.execute(query).fetchone() == (False,)


def test_the_deployments_own_roles_keep_their_right(session, greet):
    session.execute(DEPLOYED["other argument name"] + "GRANT EXECUTE ON FUNCTION public.greet TO pg_monitor")
    forwards(greet)
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
def test_a_change_behind_our_back_shows_in_the_fingerprint(session, change, greet):
    query = f"""
        SELECT obj_description(routine.oid, 'pg_proc') = '{MARK}' || {FINGERPRINT}
        FROM pg_proc AS routine WHERE proname = 'greet'
    """
    forwards(greet)
    assert session.execute(query).fetchone() == (True,)
    session.execute("SET search_path = nowhere")
    assert session.execute(query).fetchone() == (True,)
    session.execute(change)
    assert session.execute(query).fetchone() == (False,)


def test_a_function_that_others_depend_on_is_not_dropped(session, dump, greet):
    session.execute(DEPLOYED["other result"] + "CREATE VIEW greeting AS SELECT public.greet('you') AS text")
    before = dump()
    with pytest.raises(errors.FunctionInUse, match="view greeting"):
        forwards(greet)
    assert dump() == before


def test_the_session_keeps_its_search_path_and_timeouts(session, greet):
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '7s'")
        names = ["search_path", "lock_timeout", "check_function_bodies", "role"]
        cursor.execute("SELECT current_setting(name) FROM unnest(%s::text[]) AS name", [names])
        before = cursor.fetchall()
        for run in (forwards, backwards):
            run(greet)
            cursor.execute("SELECT current_setting(name) FROM unnest(%s::text[]) AS name", [names])
            assert cursor.fetchall() == before


def test_it_works_inside_a_transaction_too(session, dump, greet):
    session.execute(DEPLOYED["two overloads"])
    before = dump()
    forwards(greet, atomic=True)
    backwards(greet, atomic=True)
    assert dump() == before


@pytest.fixture
def trigger(files: Path) -> RunSQLFile:
    (files / "seen.v1.sql").write_text(
        "CREATE TRIGGER seen BEFORE UPDATE ON public.things"
        " FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();"
    )
    return RunSQLFile("seen")


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
