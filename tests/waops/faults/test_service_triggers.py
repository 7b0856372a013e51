"""Triggers of the service whose functions name things without a schema: what works before `migrate` works after it."""

from collections.abc import Iterator

import psycopg
import pytest
from django.core.management import call_command

from tests.databases import Databases, django_uses
from tests.waops.faults.service import BUSINESS, INSTANCE, SETTINGS, send
from waops.dev.embedded.server import SUPERUSER, EmbeddedServer

CONVERSATION = "00000000-0000-4000-8000-0000000000c1"
TRIGGERS = {
    "profiles": "UPDATE",
    "whatsapp_ai_interactions": "INSERT",
    "whatsapp_conversations": "INSERT",
    "whatsapp_conversation_messages": "INSERT",
}
LOG = """
    CREATE TABLE service_log (id uuid PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(), "table" text NOT NULL);
    GRANT ALL ON service_log TO service_role;
    CREATE FUNCTION service_name(name text) RETURNS text LANGUAGE sql AS 'SELECT $1';
"""
TRIGGER = """
    CREATE FUNCTION log_{table}() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO service_log (id, "table") VALUES (uuid_generate_v4(), service_name('{table}'));
        RETURN NULL;
    END
    $$;
    CREATE TRIGGER log_{table} AFTER {event} ON {table} FOR EACH ROW EXECUTE FUNCTION log_{table}();
"""
ROWS = f"""
    INSERT INTO auth.users (id) VALUES ('{BUSINESS}');
    INSERT INTO profiles (id, full_name) VALUES ('{BUSINESS}', 'Owner');
    INSERT INTO whatsapp_instances (id, user_id, instance_name) VALUES ('{INSTANCE}', '{BUSINESS}', 'shop');
    INSERT INTO whatsapp_conversations (id, instance_id, user_phone) VALUES ('{CONVERSATION}', '{INSTANCE}', '201');
"""
PROFILES, REPLIES, CONVERSATIONS, MESSAGES = TRIGGERS
DEPLOYED = {
    "UPDATE profiles SET is_active = true": [PROFILES],
    "INSERT INTO whatsapp_ai_interactions (whatsapp_instance_id, user_phone, user_message, ai_response)"
    f" VALUES ('{INSTANCE}', '201', 'question', 'answer')": [REPLIES],
    f"INSERT INTO whatsapp_conversations (instance_id, user_phone) VALUES ('{INSTANCE}', '202')": [CONVERSATIONS],
    "INSERT INTO whatsapp_conversation_messages (conversation_id, role, content)"
    f" VALUES ('{CONVERSATION}', 'user', 'hello')": [MESSAGES],
    f"SELECT store_message_with_update('{CONVERSATION}', 'user', 'hello')": [MESSAGES],
    f"SELECT check_and_update_ai_usage('{BUSINESS}', true)": [PROFILES],
    "SELECT * FROM manage_subscriptions_and_limits()": [],
}
OURS = {
    f"SELECT store_message_and_update_conversation('{CONVERSATION}', 'user', 'hello')": [MESSAGES],
    f"""SELECT store_messages('{CONVERSATION}', '[{{"role": "user", "content": "a"}}]')""": [MESSAGES],
    f"SELECT message_arrived('{INSTANCE}', '203', 'hello')": [CONVERSATIONS, MESSAGES],
    f"""SELECT reply_ready('{CONVERSATION}', 'hi', NULL, '{{"user_message": "hello"}}')""": [
        PROFILES,
        REPLIES,
        MESSAGES,
    ],
}


@pytest.fixture(scope="module")
def service(server: EmbeddedServer, databases: Databases, django_db_blocker) -> Iterator[psycopg.Connection]:
    """A session of the service on a database with such triggers, which worked before it was migrated."""
    with django_db_blocker.unblock(), databases.clone("before") as name:
        with psycopg.connect(server.dsn(dbname=name)) as owner:
            owner.execute(ROWS + LOG)
            for table, event in TRIGGERS.items():
                owner.execute(TRIGGER.format(table=table, event=event))
        with psycopg.connect(server.dsn(SUPERUSER, name), autocommit=True) as session:
            session.execute(SETTINGS)
            session.execute("SET ROLE service_role")
            for statement, tables in DEPLOYED.items():
                assert logged(session, statement) == set(tables)
            with django_uses(server, name):
                call_command("migrate", verbosity=0)
            yield session


def logged(session: psycopg.Connection, statement: str) -> set[str]:
    """The tables whose triggers wrote to the log."""
    with session.transaction(force_rollback=True):
        session.execute("DELETE FROM service_log")
        send(session, statement)
        return {name for (name,) in session.execute('SELECT "table" FROM service_log').fetchall()}


@pytest.mark.parametrize("statement", {**DEPLOYED, **OURS}, ids=lambda statement: statement.partition("(")[0])
def test_a_trigger_with_unqualified_names_works_after_migrate(service: psycopg.Connection, statement: str) -> None:
    assert logged(service, statement) == set({**DEPLOYED, **OURS}[statement])
