"""The printed role: signs in, reads what lists show, writes what pages write, and nothing else."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from tests.roles import least_role

NAME = "waops_app_test"


@pytest.fixture
def role(committed_database) -> Iterator[str]:
    """DSN as the new role."""
    with least_role(committed_database, NAME) as dsn:
        yield dsn


def test_it_signs_in_with_the_right_search_path_and_reads(role):
    with psycopg.connect(role) as session:
        assert session.execute("SHOW search_path").fetchone() == ("waops, public, extensions",)
        for table in ("profiles", "whatsapp_conversation_messages", "support_team_numbers", "waops_installedobject"):
            session.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table)))
        # Row-level security hides nothing from it.
        assert session.execute("SELECT row_security_active('public.profiles')").fetchone() == (False,)


def test_it_writes_what_pages_write(role):
    with psycopg.connect(role) as session:
        session.execute("UPDATE profiles SET monthly_ai_response_limit = 1 WHERE false")
        session.execute("UPDATE escalated_conversations SET resolved_at = now() WHERE false")
        session.execute("INSERT INTO escalated_conversations (whatsapp_number) VALUES ('201012345678')")
        session.execute("INSERT INTO auth_group (name) VALUES ('Testers')")
        session.execute("SELECT waops.resolve_escalations('{}'::uuid[], 1, 'Amal')")


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE public.mine (id int)",
        "CREATE TABLE waops.mine (id int)",
        "CREATE SCHEMA mine",
        "DROP TABLE profiles",
        "ALTER TABLE profiles ADD COLUMN mine int",
        "DROP INDEX idx_messages_conversation",
        "TRUNCATE whatsapp_conversation_messages",
        "DELETE FROM escalated_conversations",
        "DELETE FROM profiles",
        "INSERT INTO profiles (id) VALUES (gen_random_uuid())",
        "UPDATE whatsapp_conversation_messages SET content = ''",
        "INSERT INTO whatsapp_conversations (instance_id, user_phone) VALUES (gen_random_uuid(), '1')",
        "SELECT * FROM auth.users",
        "CREATE ROLE mine",
    ],
)
def test_it_may_nothing_else(role, statement):
    with psycopg.connect(role) as session, pytest.raises(psycopg.errors.InsufficientPrivilege):
        session.execute(statement)


def test_tables_of_later_migrations_are_open_to_it(role, committed_database):
    with psycopg.connect(committed_database) as owner:
        owner.execute("CREATE TABLE waops.later (id serial)")
    with psycopg.connect(role) as session:
        session.execute("INSERT INTO waops.later DEFAULT VALUES")
