"""The doctor's checks of conversations, among the newest rows: nothing here may read a large table."""

from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext as _

from waops.database.fetch import fetch_value
from waops.dbops.doctor.hidden_writes import hidden_writes
from waops.dbops.doctor.section import Section, problem
from waops.dbops.findings import Finding
from waops.dbops.reading import exist

NEWEST = 5_000
"""Messages that are checked."""

# The limit is inside a subquery so that the index on the time returns the rows.
DUPLICATE_MESSAGES = """
    SELECT pg_catalog.count(*) FROM (
        SELECT FROM (
            SELECT conversation_id, message_id FROM public.whatsapp_conversation_messages
            ORDER BY "timestamp" DESC LIMIT %s
        ) AS newest
        WHERE message_id IS NOT NULL GROUP BY conversation_id, message_id HAVING pg_catalog.count(*) > 1
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
    WHERE counted.messages < 1000 AND counted.basis = waops.count_triggers('public.whatsapp_conversation_messages')
        AND NOT (SELECT is_called FROM waops.message_count_lost)
        AND NOT EXISTS (
            SELECT FROM waops.message_count_missed AS missed WHERE missed.conversation_id = counted.conversation_id
        )
        AND counted.messages <> (
        SELECT pg_catalog.count(*) FROM (
            SELECT FROM public.whatsapp_conversation_messages AS message
            WHERE message.conversation_id = recent.conversation_id LIMIT 1001
        ) AS message
    )
"""
# Uses the indexes turn_unanswered and turn_open.
UNANSWERED = """
    SELECT pg_catalog.count(*) FROM waops.conversations_turn AS turn
    WHERE turn.outcome IN ('failed', 'run_out', 'unconfirmed') AND turn.ended_at > pg_catalog.now() - interval '7 days'
        AND NOT EXISTS (
            SELECT FROM public.whatsapp_conversation_messages AS message
            WHERE message.conversation_id = turn.conversation_id AND message.role = 'assistant'
                AND message."timestamp"
                    > CASE turn.outcome WHEN 'unconfirmed' THEN turn.ended_at ELSE turn.arrived_at END
        )
"""
RUN_OUT = """
    SELECT pg_catalog.count(*) FROM waops.conversations_turn AS turn
    WHERE turn.ended_at IS NULL AND turn.leased_until < pg_catalog.now() - interval '2 hours'
"""
COUNTS_LOST = """
    SELECT pg_catalog.pg_sequence_last_value(pg_catalog.to_regclass('waops.message_count_lost')) IS NOT NULL
"""


def examine(connection: BaseDatabaseWrapper) -> Section:
    section = Section()
    if not exist(connection, "public.whatsapp_conversation_messages"):
        return section
    section.findings += _duplicate_messages(connection)
    if exist(connection, "waops.message_count"):
        section.findings += _counts_lost(connection)
        section.findings += _count_drift(connection)
        section.findings += hidden_writes(
            connection,
            "public.whatsapp_conversation_messages",
            children=_("Writes to them fire no trigger, so each new message counts its whole conversation."),
            replicated=_(
                "Such writes fire no statement trigger, so message counts may be wrong. Call waops.forget_counts() "
                "after them."
            ),
        )
    if exist(connection, "waops.conversations_turn"):
        section.findings += _unanswered(connection)
    return section


def _duplicate_messages(connection: BaseDatabaseWrapper) -> list[Finding]:
    count = fetch_value(connection, DUPLICATE_MESSAGES, [NEWEST])
    return problem(
        "data.duplicate_messages",
        "public.whatsapp_conversation_messages",
        count,
        _("duplicate messages among the newest %(newest)s: %(count)s") % {"newest": NEWEST, "count": count},
        _("They prevent the unique index, and the AI reads the customer's text twice."),
        "manage.py repair duplicate_messages --apply",
    )


def _count_drift(connection: BaseDatabaseWrapper) -> list[Finding]:
    count = fetch_value(connection, COUNT_DRIFT, [NEWEST])
    return problem(
        "data.count_drift",
        "waops.message_count",
        count,
        _("conversations with a wrong message count: %(count)s") % {"count": count},
        _("The count was changed from outside, so the service reads a wrong message_count."),
        "manage.py repair message_counts --apply",
    )


def _counts_lost(connection: BaseDatabaseWrapper) -> list[Finding]:
    return problem(
        "data.counts_lost",
        "waops.message_count",
        fetch_value(connection, COUNTS_LOST),
        _("message counts are off because one could not be written"),
        _("Every message is slower, because its whole conversation is counted again."),
        "manage.py repair message_counts --apply",
    )


def _unanswered(connection: BaseDatabaseWrapper) -> list[Finding]:
    unanswered, run_out = fetch_value(connection, UNANSWERED), fetch_value(connection, RUN_OUT)
    return [
        *problem(
            "data.unanswered",
            "waops.conversations_turn",
            unanswered,
            _("messages of the last 7 days without a reply, or with a reply that may not have been sent: %(count)s")
            % {"count": unanswered},
            _("The caller failed or stopped while replying. The desk lists the customers under Needs attention."),
        ),
        *problem(
            "data.run_out_turns",
            "waops.conversations_turn",
            run_out,
            _("turns that expired more than 2 hours ago and still hold quota: %(count)s") % {"count": run_out},
            _("Nothing ends them, so their businesses can send fewer AI replies."),
            "manage.py periodic --only turns",
        ),
    ]
