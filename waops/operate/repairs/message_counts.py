"""Conversations whose kept message count is not their number of messages, because the count's triggers were off."""

from collections.abc import Sequence

from django.db.backends.base.base import BaseDatabaseWrapper

from waops.repair import Group, Repair

# One statement sees one state of both tables, so that messages which come in meanwhile are no difference. Reads every
# message's conversation_id once.
FIND = """
    SELECT counted.conversation_id::text, counted.messages::text, COALESCE(actual.messages, 0)::text
    FROM waops.message_count AS counted
    LEFT JOIN (
        SELECT conversation_id, pg_catalog.count(*) AS messages
        FROM public.whatsapp_conversation_messages GROUP BY conversation_id
    ) AS actual ON actual.conversation_id = counted.conversation_id
    WHERE counted.messages <> COALESCE(actual.messages, 0)
    ORDER BY counted.conversation_id
"""
FORGET = "DELETE FROM waops.message_count WHERE conversation_id = ANY (%s::uuid[])"


class MessageCounts(Repair):
    """Forgets wrong counts: a conversation without one is counted exactly at its next message. The tables' own rows
    are not touched, so that nothing goes to the archive."""

    name = "repair_message_counts"
    table = "waops.message_count"
    key = ("conversation_id",)

    def find(self, connection: BaseDatabaseWrapper) -> list[Group]:
        with connection.cursor() as cursor:
            cursor.execute(FIND)
            return [Group((conversation,), actual, [counted]) for conversation, counted, actual in cursor.fetchall()]

    def apply(self, connection: BaseDatabaseWrapper, groups: Sequence[Group]) -> int:
        with connection.cursor() as cursor:
            cursor.execute(FORGET, [[group.key[0] for group in groups]])
            return int(cursor.rowcount)
