"""The security lint: break it, see it named, run the printed fix, see it gone."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tests.waops.dbops.conftest import assert_named_then_fixed, the
from waops.dbops.findings import Finding, Severity
from waops.dbops.security import lint_security

OURS = "public.check_and_update_ai_usage"
SIGNATURE = f"{OURS}(p_user_id uuid, p_increment boolean)"


def lint() -> list[Finding]:
    return lint_security(connection)


def test_a_migrated_database_has_no_error(committed_database):
    assert [finding for finding in lint() if finding.severity is Severity.ERROR] == []


@pytest.mark.parametrize("role", ["PUBLIC", "anon", "authenticated"])
def test_our_function_that_anyone_may_call(owner, role):
    owner.execute(f"GRANT EXECUTE ON FUNCTION {OURS} TO {role}")
    found = assert_named_then_fixed("security.function_open", owner, subject=SIGNATURE, findings=lint)
    assert role in found.what


def test_a_foreign_function_with_its_owners_rights(owner):
    owner.execute(
        "CREATE FUNCTION public.careless(p int) RETURNS int LANGUAGE sql SECURITY DEFINER"
        " SET search_path = '' AS 'SELECT 1'"
    )
    assert_named_then_fixed("security.definer_open", owner, subject="public.careless(p integer)", findings=lint)


def test_a_search_path_that_the_caller_chooses(owner):
    owner.execute("CREATE FUNCTION public.careless() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'")
    assert_named_then_fixed("security.search_path", owner, subject="public.careless()", findings=lint)


def test_a_foreign_function_that_anyone_may_call(owner):
    owner.execute("CREATE FUNCTION public.plain(p int) RETURNS int LANGUAGE sql SET search_path = '' AS 'SELECT 1'")
    found = assert_named_then_fixed("security.callable", owner, subject="public.plain(p integer)", findings=lint)
    assert found.severity is Severity.NOTE
    assert "anon" in found.what


def test_a_search_path_of_a_function_with_its_callers_rights(owner):
    owner.execute("CREATE FUNCTION public.plain() RETURNS int LANGUAGE sql AS 'SELECT 1'")
    found = assert_named_then_fixed("security.search_path", owner, subject="public.plain()", findings=lint)
    assert found.severity is Severity.NOTE


def test_a_search_path_of_ours_that_was_reset(owner):
    owner.execute(f"ALTER FUNCTION {OURS} RESET search_path")
    assert_named_then_fixed("security.search_path", owner, subject=SIGNATURE, findings=lint)


def test_default_privileges(owner):
    found = [finding for finding in lint() if finding.code == "security.default_privileges"]
    assert {finding.subject for finding in found} >= {"postgres IN SCHEMA public FUNCTIONS"}
    for finding in found:
        for line in finding.fix:
            owner.execute(line)
    assert "security.default_privileges" not in [finding.code for finding in lint()]


def test_a_table_of_ours_in_public(owner):
    owner.execute("ALTER TABLE waops.waops_backup SET SCHEMA public")
    assert_named_then_fixed("security.exposed_table", owner, subject="public.waops_backup", findings=lint)


@pytest.mark.parametrize("role", ["PUBLIC", "anon"])
def test_a_table_of_ours_open_to_others(owner, role):
    owner.execute(f"GRANT SELECT ON waops.waops_user TO {role}")
    assert_named_then_fixed("security.open_table", owner, subject="waops.waops_user", findings=lint)


LINTER = """
set local search_path = '';

(
select 'no_primary_key' as name, 'No Primary Key' as title, 'INFO' as level, 'EXTERNAL' as facing,
    array['PERFORMANCE'] as categories, 'Detects if a table has no primary key.' as description,
    format('Table \\`%s.%s\\` does not have a primary key', 'public', 'things') as detail,
    'https://example.com' as remediation, '{}'::jsonb as metadata, 'no_primary_key_public_things' as cache_key
)
union all
(
select 'rls_disabled_in_public', 'RLS off', 'ERROR', 'EXTERNAL', array['SECURITY'], 'Detects it.', 'Table is open',
    'https://example.com', '{}'::jsonb, 'rls_public_things'
)
"""


def test_supabases_linter_runs_from_a_file(committed_database, tmp_path: Path, capsys):
    file = tmp_path / "splinter.sql"
    file.write_text(LINTER)
    with pytest.raises(SystemExit):
        call_command("doctor", "security", linter=file, json=True)
    findings = json.loads(capsys.readouterr().out)["findings"]
    codes = [finding["code"] for finding in findings]
    assert codes[0] == "supabase.rls_disabled_in_public"
    assert "supabase.no_primary_key" in codes


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("DELETE FROM public.profiles RETURNING 'a' AS name, 'ERROR' AS level, 'x' AS detail", "read-only"),
        ("SELECT 1 AS one", "linter"),
        ("SELEC", "syntax error"),
    ],
)
def test_a_file_that_is_no_linter_changes_nothing(committed_database, tmp_path: Path, sql, words):
    file = tmp_path / "splinter.sql"
    file.write_text(sql)
    with pytest.raises(CommandError, match=words):
        call_command("doctor", "security", linter=file)


def test_a_file_that_is_not_there(committed_database, tmp_path: Path):
    with pytest.raises(CommandError, match="absent"):
        call_command("doctor", "security", linter=tmp_path / "absent.sql")


def test_both_lints_and_the_doctor_agree_on_open_functions(owner):
    from waops.dbops.doctor import diagnose

    owner.execute(f"GRANT EXECUTE ON FUNCTION {OURS} TO anon")
    assert the("function.open", diagnose().findings, OURS)
    assert the("security.function_open", lint(), SIGNATURE)
