"""Repair duplicate messages, which prevent the unique index on (conversation_id, message_id)."""

from argparse import ArgumentParser
from collections import defaultdict
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Self

from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from conversations.message_counts import forget_counts
from waops.dbops.repairs.base import Group, LeftAlone, Repair, Report
from waops.schema.errors import MigrationStopped
from waops.schema.links import ARCHIVE, move_links

SHOWN_CHARACTERS = 60

# `place` counts the rows of one id, `copy` those with the same role and content too. A message without an id is never a
# duplicate, and an empty id counts as none.
RANKED = """
    SELECT message.id, message.conversation_id, message.message_id, message.role::text AS role, message.content,
           pg_catalog.row_number() OVER every AS place, pg_catalog.row_number() OVER equal AS copy,
           pg_catalog.first_value(message.id) OVER equal AS original,
           pg_catalog.first_value(message.id) OVER every AS first
    FROM public.whatsapp_conversation_messages AS message
    JOIN ({keys}) AS key (conversation_id, message_id)
        ON key.conversation_id = message.conversation_id AND key.message_id = message.message_id
    WINDOW every AS (PARTITION BY message.conversation_id, message.message_id ORDER BY message."timestamp", message.id),
           equal AS (
               PARTITION BY message.conversation_id, message.message_id, message.role, message.content
               ORDER BY message."timestamp", message.id
           )
"""
SHARED_KEYS = """
    SELECT conversation_id, message_id FROM public.whatsapp_conversation_messages
    WHERE message_id <> '' GROUP BY conversation_id, message_id HAVING pg_catalog.count(*) > 1
"""
GIVEN_KEYS = """
    SELECT * FROM ROWS FROM (pg_catalog.unnest(%(conversations)s::uuid[]), pg_catalog.unnest(%(messages)s::text[]))
        AS given (conversation_id, message_id) WHERE given.message_id <> ''
"""
FIND = f"""
    SELECT conversation_id::text, message_id, id::text, original::text, first::text, copy > 1,
           role || ': ' || pg_catalog.left(content, {SHOWN_CHARACTERS})
    FROM ({RANKED.format(keys=SHARED_KEYS)}) AS ranked
    ORDER BY conversation_id, message_id, place
"""  # noqa: S608
FIND_EMPTY = """
    SELECT conversation_id::text, pg_catalog.array_agg(id::text ORDER BY "timestamp", id)
    FROM public.whatsapp_conversation_messages WHERE message_id = ''
    GROUP BY conversation_id ORDER BY conversation_id
"""

# Also locks the first of each key: if it were deleted in the meantime, its copies would no longer be copies.
LOCK = """
    SELECT FROM public.whatsapp_conversation_messages AS message
    JOIN ROWS FROM (unnest(%(conversations)s::uuid[]), unnest(%(messages)s::text[]))
        AS key (conversation_id, message_id)
        ON key.conversation_id = message.conversation_id AND key.message_id = message.message_id
    ORDER BY message.id
    FOR UPDATE OF message
"""
DOOMED = f"""
    SELECT id::text, CASE WHEN copy > 1 THEN original ELSE first END::text
    FROM ({RANKED.format(keys=GIVEN_KEYS)}) AS ranked
    WHERE copy > 1 OR %(remove_different)s AND place > 1
"""  # noqa: S608
KEEP = f"""
    INSERT INTO {ARCHIVE} ("table", row_id, "row", repair, archived_at)
    SELECT 'whatsapp_conversation_messages', message.id, pg_catalog.to_jsonb(message), %(repair)s, pg_catalog.now()
    FROM public.whatsapp_conversation_messages AS message WHERE message.id = ANY (%(ids)s::uuid[])
"""  # noqa: S608
REMOVE = "DELETE FROM public.whatsapp_conversation_messages WHERE id = ANY (%(ids)s::uuid[])"
TO_RENUMBER = f"""
    SELECT id::text FROM ({RANKED.format(keys=GIVEN_KEYS)}) AS ranked WHERE copy = 1 AND place > 1
"""  # noqa: S608
# At most 512 characters, as in the functions.
RENUMBER = """
    UPDATE public.whatsapp_conversation_messages SET message_id = pg_catalog.left(message_id, 470) || '#' || id
    WHERE id = ANY (%(ids)s::uuid[])
"""
EMPTY_IDS = """
    SELECT id::text FROM public.whatsapp_conversation_messages
    WHERE message_id = '' AND conversation_id = ANY (%(conversations)s::uuid[]) ORDER BY id FOR UPDATE
"""
NO_ID = "UPDATE public.whatsapp_conversation_messages SET message_id = NULL WHERE id = ANY (%(ids)s::uuid[])"


class ChangeDiscarded(MigrationStopped):
    """A trigger of the service kept rows as they are. The batch is rolled back, or the archive would hold rows that
    are still there.
    """

    message = _(
        "%(table)s: %(count)s of %(total)s rows were not changed, because a trigger on that table discards the "
        "change. Nothing was changed in this batch. Disable the trigger while the repair runs."
    )


class Different(StrEnum):
    """What happens to messages that share an id but differ in role or content."""

    LEAVE = "leave"
    RENUMBER = "renumber"
    REMOVE = "remove"


class DuplicateMessages(Repair):
    """Keeps the first message of each (conversation_id, message_id), by time and id, and removes its copies.

    A copy has the same role and content. References to a copy are moved to the message that is kept. An empty id
    becomes NULL.
    """

    name = "duplicate_messages"
    help = "Duplicate messages with the same message id; --apply keeps the first and archives its copies."
    table = "whatsapp_conversation_messages"
    key = ("conversation_id", "message_id")
    outcome = _("repaired")

    def __init__(self, different: Different = Different.LEAVE) -> None:
        self.different = different

    @classmethod
    def add_arguments(cls, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--different",
            choices=list(map(str, Different)),
            default=str(Different.LEAVE),
            help="Messages that share an id but differ in role or content: leave them alone (leave), give the later "
            "ones their own ids (renumber; loses nothing), or move the later ones to the archive (remove).",
        )

    @classmethod
    def from_options(cls, **options: Any) -> Self:
        return cls(Different(options["different"]))

    def advice(self, report: Report) -> str:
        return ngettext(
            "%(count)s id is shared by different messages. Nothing was removed. To give the later messages new ids "
            "without losing anything: manage.py repair duplicate_messages --different renumber --apply",
            "%(count)s ids are shared by different messages. Nothing was removed. To give the later messages new "
            "ids without losing anything: manage.py repair duplicate_messages --different renumber --apply",
            report.left_alone_groups,
        ) % {"count": report.left_alone_groups}

    def find(self, connection: BaseDatabaseWrapper) -> list[Group]:
        with connection.cursor() as cursor:
            cursor.execute(FIND_EMPTY)
            empty = [Group((conversation, ""), ids[0], ids[1:]) for conversation, ids in cursor.fetchall()]
        copies: dict[tuple[str, str, str], list[str]] = defaultdict(list)
        for conversation, message, row, original, first, is_copy, _text in self._rows(connection):
            if is_copy:
                copies[conversation, message, original].append(row)
            elif row != first and self.different is not Different.LEAVE:
                copies[conversation, message, first].append(row)
        return [*empty, *(Group(key[:2], key[2], rows) for key, rows in copies.items())]

    def find_left_alone(self, connection: BaseDatabaseWrapper) -> list[LeftAlone]:
        if self.different is not Different.LEAVE:
            return []
        distinct: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
        for conversation, message, row, _original, _first, is_copy, text in self._rows(connection):
            if not is_copy:
                distinct[conversation, message].append((row, text))
        return [
            LeftAlone(key, rows[0][0], [row for row, _text in rows[1:]], [text for _row, text in rows])
            for key, rows in distinct.items()
            if len(rows) > 1
        ]

    def apply(self, connection: BaseDatabaseWrapper, groups: Sequence[Group]) -> int:
        keys: dict[str, Any] = {
            "conversations": [group.key[0] for group in groups],
            "messages": [group.key[1] for group in groups],
            "remove_different": self.different is Different.REMOVE,
        }
        with connection.cursor() as cursor:
            cursor.execute(LOCK, keys)
            cursor.execute(DOOMED, keys)
            pairs = cursor.fetchall()
        move_links(connection, f"public.{self.table}", pairs, self.name)
        changed = self._change(connection, REMOVE, [gone for gone, _kept in pairs])
        if self.different is Different.RENUMBER:
            changed += self._change(connection, RENUMBER, self._ids(connection, TO_RENUMBER, keys))
        empty = {"conversations": [group.key[0] for group in groups if not group.key[1]]}
        return changed + self._change(connection, NO_ID, self._ids(connection, EMPTY_IDS, empty))

    def _rows(self, connection: BaseDatabaseWrapper) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(FIND)
            return list(cursor.fetchall())

    def _ids(self, connection: BaseDatabaseWrapper, query: str, parameters: dict[str, Any]) -> list[str]:
        with connection.cursor() as cursor:
            cursor.execute(query, parameters)
            return [row for (row,) in cursor.fetchall()]

    def _change(self, connection: BaseDatabaseWrapper, statement: str, ids: list[str]) -> int:
        """Archive the rows as they are, then change them."""
        if not ids:
            return 0
        with connection.cursor() as cursor:
            cursor.execute(KEEP, {"ids": ids, "repair": self.name})
            cursor.execute(statement, {"ids": ids})
            if kept := max(0, len(ids) - cursor.rowcount):
                raise ChangeDiscarded(table=self.table, count=kept, total=len(ids))
            return int(cursor.rowcount)


def recount(connection: BaseDatabaseWrapper, damaged: frozenset[str]) -> str:
    """Count every conversation again after a repair of the schema, because it is unknown what the triggers missed."""
    forget_counts(connection)
    return ""
