"""Find messages by their words, newest first.

Rare words are fast in the index of words, frequent ones in the newest messages; each way is slow for the other kind.
The planner's estimate, which is free, chooses.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import OperationalError, transaction
from psycopg.errors import QueryCanceled

from escalations.folding import DOCUMENT, INDEXED, pattern
from escalations.search.wording import Wording
from usage.models.profile import name_sql
from waops.access.readers import current
from waops.database.paging import Cursor, Found, first_of
from waops.database.replica import alias, reading

FEW = 15_000
"""Matches that are quickly read and sorted by time."""
NEWEST = 60_000
"""Newest messages that are read for more frequent words."""
MEMORY = "64MB"
"""For the positions of a frequent word's matches. Without enough memory, every message near one would be read again."""
TIMEOUT = 3_000
"""Milliseconds, for words that are slow both ways."""

WORDS = DOCUMENT % {"expressions": "message.content"}

AFTER = """(message."timestamp", message.id) < (%(moment)s::timestamptz, %(pk)s::uuid)"""
MATCHES = f"{WORDS} @@ pg_catalog.to_tsquery('simple'::pg_catalog.regconfig, %(tsquery)s)"
SEEN = """(%(instances)s::uuid[] IS NULL OR message.conversation_id IN (
        SELECT id FROM public.whatsapp_conversations WHERE instance_id = ANY (%(instances)s)
    ))"""
# Materialised, so that the index on the time is not used for the order.
BY_WORDS = f"""
    WITH found AS MATERIALIZED (
        SELECT message.id, message.conversation_id, message.role, message."timestamp"
        FROM public.whatsapp_conversation_messages AS message WHERE {MATCHES} AND {{after}} AND {SEEN}
    )
    SELECT * FROM found ORDER BY "timestamp" DESC, id DESC LIMIT %(limit)s
"""  # noqa: S608
# The patterns come first, because they cost a twentieth of finding words.
AMONG_NEWEST = f"""
    SELECT message.id, message.conversation_id, message.role, message."timestamp"
    FROM (
        SELECT * FROM public.whatsapp_conversation_messages AS message WHERE {{after}}
        ORDER BY "timestamp" DESC, id DESC LIMIT {NEWEST}
    ) AS message
    WHERE message.content ~ ALL (%(patterns)s) AND {MATCHES} AND {SEEN}
    ORDER BY "timestamp" DESC, id DESC LIMIT %(limit)s
"""  # noqa: S608
WITH_PEOPLE = f"""
    SELECT page.id, page.conversation_id,
           CASE WHEN pg_catalog.starts_with(message.message_id, 'human_') THEN 'staff' ELSE page.role END,
           page."timestamp", pg_catalog.left(message.content, {INDEXED}),
           conversation.user_phone, instance.instance_name,
           {name_sql("business")}
    FROM ({{page}}) AS page
    JOIN public.whatsapp_conversation_messages AS message ON message.id = page.id
    JOIN public.whatsapp_conversations AS conversation ON conversation.id = page.conversation_id
    LEFT JOIN public.whatsapp_instances AS instance ON instance.id = conversation.instance_id
    LEFT JOIN public.profiles AS business ON business.id = instance.user_id
    ORDER BY page."timestamp" DESC, page.id DESC
"""  # noqa: S608
LIMITS = "SELECT pg_catalog.set_config('statement_timeout', %s, true), pg_catalog.set_config('work_mem', %s, true)"
ESTIMATE = f"""
    EXPLAIN (FORMAT JSON) SELECT FROM public.whatsapp_conversation_messages AS message WHERE {MATCHES}
"""


class TooManyMatchesError(Exception):
    """The words are so frequent, but so rarely together recently, that the search was aborted."""


@dataclass(frozen=True)
class FoundMessage:
    """A message with the customer and the WhatsApp number it belongs to."""

    pk: UUID
    conversation_id: UUID
    role: str
    timestamp: datetime
    content: str
    user_phone: str
    number_name: str | None
    business_name: str | None


def messages_with(wording: Wording, after: Cursor | None, size: int) -> Found[FoundMessage]:
    """Messages with all the words. Raises TooManyMatchesError."""
    if not wording.tsquery:
        return Found()
    instances = current().instances
    values: dict[str, Any] = {
        "tsquery": wording.tsquery,
        "patterns": [pattern(word) for word in wording.words],
        "limit": size + 1,
        "moment": after and after.moment,
        "pk": after and after.pk,
        "instances": None if instances is None else list(instances),
    }
    try:
        with transaction.atomic(using=alias()):
            return _search(values, size)
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise TooManyMatchesError from error
        raise


def _search(values: dict[str, Any], size: int) -> Found[FoundMessage]:
    after = AFTER if values["moment"] else "true"
    with reading().cursor() as cursor:
        cursor.execute(LIMITS, [str(TIMEOUT), MEMORY])

        def read(page: str) -> list[FoundMessage]:
            cursor.execute(WITH_PEOPLE.format(page=page.format(after=after)), values)
            return [FoundMessage(*row) for row in cursor.fetchall()]

        cursor.execute(ESTIMATE, values)
        found: list[FoundMessage] = []
        if _rows(cursor.fetchone()[0]) > FEW:
            found = read(AMONG_NEWEST)
        if len(found) <= size:
            found = read(BY_WORDS)
        return first_of(found, size, "timestamp")


def _rows(plan: Any) -> float:
    return float((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]["Plan Rows"])
