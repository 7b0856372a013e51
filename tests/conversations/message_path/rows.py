"""Rows for tests that speak SQL to databases with and without our functions."""

from itertools import count
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg.types.json import Jsonb

_numbers = count(1)


class Rows:
    """Inserts into the service's tables through one connection.

    `as_planned`: the database has the plan's functions, not ours.
    """

    def __init__(self, connection: psycopg.Connection, *, as_planned: bool = False) -> None:
        self.connection = connection
        self.as_planned = as_planned

    def value(self, query: str, *parameters: Any) -> Any:
        """The first column of the first row."""
        row = self.connection.execute(query, parameters).fetchone()
        assert row is not None
        return row[0]

    def business(self, **values: Any) -> UUID:
        business_id = uuid4()
        self.connection.execute("INSERT INTO auth.users (id) VALUES (%s)", [business_id])
        return self._insert("profiles", {"id": business_id, "full_name": f"Owner {next(_numbers)}", **values})

    def instance(self, business_id: UUID | None = None, **values: Any) -> UUID:
        owner = business_id or self.business()
        return self._insert("whatsapp_instances", {"user_id": owner, "instance_name": f"n{next(_numbers)}", **values})

    def conversation(self, instance_id: UUID | None = None, **values: Any) -> UUID:
        values = {"user_phone": f"2010{next(_numbers)}", **values}
        return self._insert("whatsapp_conversations", {"instance_id": instance_id or self.instance(), **values})

    def messages(self, conversation_id: UUID, number: int) -> None:
        """A minute apart, the newest a minute old, with ids m1, m2, …"""
        self.connection.execute(
            "INSERT INTO public.whatsapp_conversation_messages"
            ' (conversation_id, "timestamp", role, content, message_id)'
            " SELECT %s, now() - (%s - n + 1) * interval '1 minute', 'user', 'message ' || n, 'm' || n"
            " FROM generate_series(1, %s) AS n",
            [conversation_id, number, number],
        )

    def escalation(self, instance_id: UUID, phone: str) -> UUID:
        return self._insert("escalated_conversations", {"instance_id": instance_id, "whatsapp_number": phone})

    def personality(self, instance_id: UUID, business_id: UUID) -> UUID:
        values = {
            "whatsapp_instance_id": instance_id,
            "user_id": business_id,
            "name": "Sales",
            "system_prompt": "Sell.",
        }
        return self._insert("ai_personalities", values)

    def ai_config(self, instance_id: UUID, business_id: UUID) -> UUID:
        values = {
            "whatsapp_instance_id": instance_id,
            "user_id": business_id,
            "system_prompt": "Help.",
            "is_active": True,
        }
        return self._insert("whatsapp_ai_config", values)

    def stored(self, conversation_id: UUID) -> int:
        """How many messages the table really has."""
        query = "SELECT count(*) FROM public.whatsapp_conversation_messages WHERE conversation_id = %s"
        return self.value(query, conversation_id)

    def data(self, conversation_id: UUID) -> Any:
        return self.value("SELECT conversation_data FROM public.whatsapp_conversations WHERE id = %s", conversation_id)

    def _insert(self, table: str, values: dict[str, Any]) -> UUID:
        adapted = [Jsonb(value) if isinstance(value, dict | list) else value for value in values.values()]
        return self.value(
            f"INSERT INTO public.{table} ({', '.join(values)}) VALUES ({', '.join(['%s'] * len(values))}) RETURNING id",
            *adapted,
        )
