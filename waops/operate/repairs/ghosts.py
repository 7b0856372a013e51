"""Customers who were told that a person takes over, while nothing stands in the queue.

The service writes no escalation where no support number is active. The repair writes the row that it should have
written; of what the customer waits for, the queue then knows.
"""

from collections.abc import Sequence

from django.db.backends.base.base import BaseDatabaseWrapper

from waops.repair import Group, Repair

DAYS = 30
"""Whoever was told longer ago is not brought back."""

# Newest first with a limit (none: NULL), so that the index on the time gives the rows. An escalation is written just
# before the customer is told.
FIND = f"""
    SELECT told.instance_id::text, told.user_phone, told.conversation_id::text, pg_catalog.array_agg(told.id::text)
    FROM (
        SELECT message.id, message."timestamp", conversation.id AS conversation_id, conversation.instance_id,
               conversation.user_phone
        FROM (
            SELECT id, conversation_id, role, message_id, "timestamp" FROM public.whatsapp_conversation_messages
            WHERE "timestamp" > pg_catalog.now() - interval '{DAYS} days'
            ORDER BY "timestamp" DESC LIMIT %s
        ) AS message
        JOIN public.whatsapp_conversations AS conversation ON conversation.id = message.conversation_id
        WHERE message.role = 'assistant' AND message.message_id LIKE 'escalation\\_%%'
    ) AS told
    WHERE NOT EXISTS (
        SELECT FROM public.escalated_conversations AS escalation
        WHERE escalation.whatsapp_number = told.user_phone AND escalation.instance_id = told.instance_id
          AND (escalation.resolved_at IS NULL OR escalation.escalated_at > told."timestamp" - interval '10 minutes')
    )
    GROUP BY 1, 2, 3 ORDER BY 1, 2
"""  # noqa: S608

# The conversation's row is locked first, so that two repairs at once write one escalation. A reason that every
# deployment's CHECK allows.
LOCK = "SELECT FROM public.whatsapp_conversations WHERE id = ANY (%s::uuid[]) ORDER BY id FOR UPDATE"
OPEN = """
    INSERT INTO public.escalated_conversations
        (whatsapp_number, instance_id, escalated_at, reason, conversation_context, created_at)
    SELECT conversation.user_phone, conversation.instance_id, told.at, 'user_request', told.context, pg_catalog.now()
    FROM public.whatsapp_conversations AS conversation
    CROSS JOIN LATERAL (
        SELECT message."timestamp" AS at, (
            SELECT COALESCE(pg_catalog.jsonb_agg(
                pg_catalog.jsonb_build_object(
                    'role', earlier.role, 'content', earlier.content, 'timestamp', earlier."timestamp"
                ) ORDER BY earlier."timestamp"
            ), '[]')
            FROM (
                SELECT role, content, "timestamp" FROM public.whatsapp_conversation_messages AS earlier
                WHERE earlier.conversation_id = conversation.id AND earlier."timestamp" < message."timestamp"
                ORDER BY "timestamp" DESC LIMIT 10
            ) AS earlier
        ) AS context
        FROM public.whatsapp_conversation_messages AS message
        WHERE message.conversation_id = conversation.id AND message.id = ANY (%(messages)s::uuid[])
        ORDER BY message."timestamp" DESC LIMIT 1
    ) AS told
    WHERE conversation.id = ANY (%(conversations)s::uuid[])
      AND NOT EXISTS (
          SELECT FROM public.escalated_conversations AS escalation
          WHERE escalation.whatsapp_number = conversation.user_phone
            AND escalation.instance_id = conversation.instance_id AND escalation.resolved_at IS NULL
      )
"""


def find_ghosts(connection: BaseDatabaseWrapper, *, newest: int | None = None) -> list[Group]:
    """By customer, among the newest messages of the last 30 days: `kept` is the conversation, `others` the messages."""
    with connection.cursor() as cursor:
        cursor.execute(FIND, [newest])
        return [Group((instance, phone), kept, others) for instance, phone, kept, others in cursor.fetchall()]


class Ghosts(Repair):
    """Opens an escalation for each, as of the moment the customer was told, with the messages before it as context."""

    name = "repair_ghosts"
    table = "escalated_conversations"
    key = ("instance_id", "whatsapp_number")

    def find(self, connection: BaseDatabaseWrapper) -> list[Group]:
        return find_ghosts(connection)

    def apply(self, connection: BaseDatabaseWrapper, groups: Sequence[Group]) -> int:
        conversations = [group.kept for group in groups]
        messages = [message for group in groups for message in group.others]
        with connection.cursor() as cursor:
            cursor.execute(LOCK, [conversations])
            cursor.execute(OPEN, {"conversations": conversations, "messages": messages})
            return int(cursor.rowcount)
