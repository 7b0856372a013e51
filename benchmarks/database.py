"""A database to measure on: conversations of three lengths."""

from dataclasses import dataclass

import psycopg
from django.db import connections

from tests.databases import Databases
from waops.dev.embedded.server import SUPERUSER, EmbeddedServer


@dataclass(frozen=True)
class Kind:
    """So many conversations of so many messages."""

    name: str
    conversations: int
    messages: int

    @property
    def random_id(self) -> str:
        """SQL of a random one's id; pgbench sets `number`."""
        return f"md5('{self.name}' || :number)::uuid"


SHORT = Kind("short", 400, 10)
USUAL = Kind("usual", 200, 200)
LONG = Kind("long", 2, 100_000)

NUMBER = """
    INSERT INTO auth.users (id) VALUES (md5('business')::uuid);
    INSERT INTO public.profiles (id, full_name) VALUES (md5('business')::uuid, 'Owner');
    INSERT INTO public.whatsapp_instances (id, user_id, instance_name)
    VALUES (md5('number')::uuid, md5('business')::uuid, 'number');
"""
CONVERSATIONS = """
    INSERT INTO public.whatsapp_conversations (id, instance_id, user_phone)
    SELECT md5(%(name)s || number)::uuid, md5('number')::uuid, %(name)s || number
    FROM generate_series(1, %(conversations)s) AS number
"""
MESSAGES = """
    INSERT INTO public.whatsapp_conversation_messages (conversation_id, "timestamp", role, content, message_id)
    SELECT md5(%(name)s || number)::uuid, now() - place * interval '1 minute', 'user', 'message ' || place, place::text
    FROM generate_series(1, %(conversations)s) AS number, generate_series(1, %(messages)s) AS place
"""
# Not all triggers: those of the message counts, once enabled by hand, are not trusted until they are ALWAYS again.
TRIGGERS = "ALTER TABLE public.whatsapp_conversation_messages {} TRIGGER update_conversation_last_activity"


def benchmark_database(server: EmbeddedServer, template: str) -> str:
    """Name of a new database made from that template of the tests', filled, vacuumed and analysed."""
    connections["default"].settings_dict["OPTIONS"].pop("pool", None)
    name = Databases(server).create(template)
    with psycopg.connect(server.dsn(SUPERUSER, name), autocommit=True) as connection:
        connection.execute(NUMBER)
        # The row trigger would rewrite a conversation as often as it gets a message here.
        connection.execute(TRIGGERS.format("DISABLE"))
        for kind in (SHORT, USUAL, LONG):
            connection.execute(CONVERSATIONS, kind.__dict__)
            connection.execute(MESSAGES, kind.__dict__)
        connection.execute(TRIGGERS.format("ENABLE"))
        connection.execute("VACUUM ANALYZE")
    return name
