"""What is read from an SQL file: the function's identity, and what takes away again what it creates."""

from io import StringIO
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db.migrations import RunSQL
from django.db.migrations.loader import MigrationLoader

from waops.schema import InstallFunction, RunSQLFile, sql_file
from waops.schema.sql_file import SQLFile, SQLFileOperation
from waops.schema.statements import drops, function_identity, split

OUR_APPS = ("waops", "usage", "conversations", "escalations")
FILES = [path for label in OUR_APPS for path in Path(apps.get_app_config(label).path).glob("sql/*.sql")]
OPERATIONS = [
    operation
    for (app, _name), migration in MigrationLoader(None, ignore_no_migrations=True).disk_migrations.items()
    for operation in migration.operations
    if app in OUR_APPS and isinstance(operation, SQLFileOperation)
]


@pytest.mark.parametrize(
    ("arguments", "types"),
    [
        ("", ""),
        ("p_id uuid", "uuid"),
        ("\n    p_id uuid,\n    p_at timestamp  with\n time zone DEFAULT now()\n", "uuid, timestamp with time zone"),
        ("p_text text DEFAULT 'a, (b', p_list text[] = '{}'", "text, text[]"),
        ("p_amount numeric(10, 2) DEFAULT round(1.5, 1), IN p_turn waops.turn", "numeric(10, 2), waops.turn"),
        ("VARIADIC p_ids uuid[], OUT total bigint, INOUT state text", "uuid[], text"),
        ("p_id uuid, -- whose, (if any)\n p_n int", "uuid, int"),
        ("default_id int", "int"),
        ("inout_id int", "int"),
    ],
)
def test_the_identity_of_a_function(arguments, types):
    sql = f"""
        -- CREATE OR REPLACE FUNCTION public.other(int)
        create or replace FUNCTION public.f({arguments})
        RETURNS int LANGUAGE sql AS $$ SELECT 1; SELECT (2) $$;
    """
    assert function_identity(sql) == f"public.f({types})"


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE OR REPLACE FUNCTION public.f(uuid) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE OR REPLACE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1'; SELECT 1",
    ],
)
def test_a_file_that_is_not_one_function_with_named_arguments_is_refused(sql):
    with pytest.raises(ValueError, match=r"public\.f|Not one"):
        function_identity(sql)


def test_what_a_file_creates_is_dropped_the_last_first():
    sql = """
        CREATE TABLE waops.things (id int);
        TRUNCATE waops.things;
        CREATE SEQUENCE waops.numbers;
        GRANT USAGE ON SEQUENCE waops.numbers TO PUBLIC;
        CREATE TYPE waops.pair AS (one int, two int);
        CREATE TRIGGER seen AFTER INSERT ON public.things FOR EACH ROW EXECUTE FUNCTION waops.see('a;b');
    """
    assert split(drops(sql)) == [
        "DROP TRIGGER seen ON public.things",
        "DROP TYPE waops.pair",
        "DROP SEQUENCE waops.numbers",
        "DROP TABLE waops.things",
    ]


def test_a_file_that_creates_nothing_needs_a_reverse_file(tmp_path, monkeypatch):
    monkeypatch.setattr(sql_file, "folders", lambda: {"waops": tmp_path})
    (tmp_path / "rights.v1.sql").write_text("GRANT USAGE ON SCHEMA waops TO service_role;")
    with pytest.raises(ValueError, match="GRANT USAGE"):
        RunSQLFile("rights")
    (tmp_path / "rights.v1.reverse.sql").write_text("REVOKE USAGE ON SCHEMA waops FROM service_role;")
    assert RunSQLFile("rights").reverse_sql == "REVOKE USAGE ON SCHEMA waops FROM service_role;"


def test_a_file_is_found_by_its_name_in_one_app(tmp_path, monkeypatch):
    one, other = tmp_path / "one", tmp_path / "other"
    monkeypatch.setattr(sql_file, "folders", lambda: {"one": one, "other": other})
    for folder in (one, other):
        folder.mkdir()
    (one / "seen.v1.sql").write_text("")
    (other / "seen.v2.sql").write_text("")
    assert (SQLFile.find("seen").app_label, SQLFile.find("seen", 2).app_label) == ("one", "other")
    (other / "seen.v1.sql").write_text("")
    for name in ("seen", "absent"):
        with pytest.raises(LookupError, match=name):
            SQLFile.find(name)


def test_every_file_is_run_and_a_reverse_file_does_more_than_drop():
    forward = {operation.file.path for operation in OPERATIONS}
    reverse = [path for path in FILES if path.name.endswith(".reverse.sql")]
    assert {path for path in FILES if path not in reverse} == forward
    for path in reverse:
        name, version = path.name.split(".")[:2]
        file = SQLFile.find(name, int(version.removeprefix("v")))
        try:
            derived = drops(file.forward)
        except ValueError:
            continue
        assert sorted(split(derived)) != sorted(split(file.reverse)), f"{path} says what follows from {file}"


def test_the_operations_own_their_sql():
    install = InstallFunction("reply_ready")
    assert isinstance(install, RunSQL)
    assert install.sql == SQLFile.find("reply_ready").forward
    assert install.reverse_sql == "DROP FUNCTION public.reply_ready(uuid, text, text, jsonb, uuid, uuid, uuid);\n"
    assert install.deconstruct() == ("InstallFunction", ("reply_ready",), {})


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("migration", "words", "words_back"),
    [
        (
            ["conversations", "0003"],
            "CREATE OR REPLACE FUNCTION public.reply_ready(",
            "DROP TRIGGER waops_count_moved ON public.whatsapp_conversation_messages;",
        ),
        (
            ["conversations", "0002"],
            "CREATE INDEX CONCURRENTLY idx_messages_conversation ON",
            "DROP INDEX CONCURRENTLY public.idx_messages_conversation;",
        ),
    ],
)
def test_sqlmigrate_shows_it(migration, words, words_back):
    for backwards, expected in ((False, words), (True, words_back)):
        output = StringIO()
        call_command("sqlmigrate", *migration, backwards=backwards, stdout=output)
        assert expected in output.getvalue()
