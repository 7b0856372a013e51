"""Rows that should not be: looked for among the newest, because nothing here may read a large table."""

from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext as _

from waops.operate.doctor.section import Section
from waops.operate.findings import Finding, Severity
from waops.operate.reading import fetch, fetch_value
from waops.operate.repairs.ghosts import find_ghosts

NEWEST = 5_000
"""Messages that are looked at."""

# The limit is on a sub-select of its own, so that the index on the time gives the rows.
DUPLICATE_MESSAGES = """
    SELECT pg_catalog.count(*) FROM (
        SELECT FROM (
            SELECT conversation_id, message_id FROM public.whatsapp_conversation_messages
            ORDER BY "timestamp" DESC LIMIT %s
        ) AS newest
        WHERE message_id IS NOT NULL GROUP BY conversation_id, message_id HAVING pg_catalog.count(*) > 1
    ) AS duplicate
"""
DUPLICATE_ESCALATIONS = """
    SELECT pg_catalog.count(*) FROM (
        SELECT FROM public.escalated_conversations WHERE resolved_at IS NULL
        GROUP BY instance_id, whatsapp_number HAVING pg_catalog.count(*) > 1 AND instance_id IS NOT NULL
    ) AS duplicate
"""
COUNT_DRIFT = """
    SELECT pg_catalog.count(*)
    FROM (
        SELECT DISTINCT conversation_id FROM (
            SELECT conversation_id FROM public.whatsapp_conversation_messages ORDER BY "timestamp" DESC LIMIT %s
        ) AS newest LIMIT 100
    ) AS recent
    JOIN waops.message_count AS counted ON counted.conversation_id = recent.conversation_id
    WHERE counted.messages < 1000 AND counted.messages <> (
        SELECT pg_catalog.count(*) FROM (
            SELECT FROM public.whatsapp_conversation_messages AS message
            WHERE message.conversation_id = recent.conversation_id LIMIT 1001
        ) AS message
    )
"""
TABLES_EXIST = "SELECT pg_catalog.to_regclass(name) IS NOT NULL FROM pg_catalog.unnest(%s::text[]) AS name"


def examine(connection: BaseDatabaseWrapper) -> Section:
    section = Section()
    messages, conversations, escalations, counts = fetch(
        connection,
        bool,
        TABLES_EXIST,
        [
            [
                "public.whatsapp_conversation_messages",
                "public.whatsapp_conversations",
                "public.escalated_conversations",
                "waops.message_count",
            ]
        ],
    )
    if messages:
        section.findings += _duplicate_messages(connection)
    if escalations:
        section.findings += _duplicate_escalations(connection)
    if messages and conversations and escalations:
        section.findings += _ghosts(connection)
    if messages and counts:
        section.findings += _count_drift(connection)
    return section


def _duplicate_messages(connection: BaseDatabaseWrapper) -> list[Finding]:
    count = fetch_value(connection, DUPLICATE_MESSAGES, [NEWEST])
    return _problem(
        "data.duplicate_messages",
        "public.whatsapp_conversation_messages",
        count,
        _("messages stored twice, of the newest %(newest)s: %(count)s") % {"newest": NEWEST, "count": count},
        _("They stop the unique index, and the AI reads its customer twice."),
        "manage.py repair_duplicate_messages --apply",
    )


def _duplicate_escalations(connection: BaseDatabaseWrapper) -> list[Finding]:
    count = fetch_value(connection, DUPLICATE_ESCALATIONS)
    return _problem(
        "data.duplicate_escalations",
        "public.escalated_conversations",
        count,
        _("customers with two open escalations: %(count)s") % {"count": count},
        _("The service's own check breaks on them, and the AI answers a customer who waits for a person."),
        "manage.py repair_duplicate_escalations --apply",
    )


def _ghosts(connection: BaseDatabaseWrapper) -> list[Finding]:
    count = len(find_ghosts(connection, newest=NEWEST))
    return _problem(
        "data.ghosts",
        "public.escalated_conversations",
        count,
        _("customers who were told of a transfer that is not in the queue: %(count)s") % {"count": count},
        _("They wait for a person, and nobody knows."),
        "manage.py repair_ghosts --apply",
    )


def _count_drift(connection: BaseDatabaseWrapper) -> list[Finding]:
    count = fetch_value(connection, COUNT_DRIFT, [NEWEST])
    return _problem(
        "data.count_drift",
        "waops.message_count",
        count,
        _("conversations whose message count is wrong: %(count)s") % {"count": count},
        _("The count's trigger was off for a while; the service reads a wrong message_count."),
        "manage.py repair_message_counts --apply",
    )


def _problem(code: str, subject: str, count: int, what: str, why: str, fix: str) -> list[Finding]:
    return [Finding(code, Severity.WARNING, subject, what, why, (fix,))] if count else []
