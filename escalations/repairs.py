"""Define duplicate and missed escalations for pages, doctor and command, and repair them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from escalations.models import Escalation
from waops.access.people import User
from waops.database.live_schema import missing_fields
from waops.dbops.doctor.section import Section, problem
from waops.dbops.findings import Finding
from waops.dbops.reading import exist
from waops.dbops.repairs.base import Group, Repair, Report
from waops.schema.links import ARCHIVE
from waops.schema.preflight import Trial

HISTORY = f"{settings.APP_SCHEMA}.escalations_event"

TRIALS = (
    Trial(
        "public.escalated_conversations",
        """
        INSERT INTO public.escalated_conversations (whatsapp_number, instance_id, conversation_context)
        SELECT 'waops', id, '[]' FROM public.whatsapp_instances LIMIT 1
        """,
    ),
    Trial(
        "public.escalated_conversations",
        """
        UPDATE public.escalated_conversations SET resolved_at = pg_catalog.now()
        WHERE id = (
            SELECT id FROM public.escalated_conversations WHERE resolved_at IS NULL
            LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
        )
        """,
    ),
)
"""Writes that `migrate` and the doctor try, and roll back."""

# For the unique index, rows without an instance are no duplicates.
FIND_DUPLICATES = """
    SELECT instance_id::text, whatsapp_number,
           pg_catalog.array_agg(id::text ORDER BY escalated_at NULLS LAST, created_at NULLS LAST, id)
    FROM public.escalated_conversations
    WHERE resolved_at IS NULL AND instance_id IS NOT NULL
    GROUP BY instance_id, whatsapp_number HAVING pg_catalog.count(*) > 1
    ORDER BY instance_id, whatsapp_number
"""

LOCK_DUPLICATES = """
    SELECT FROM public.escalated_conversations AS escalation
    JOIN ROWS FROM (unnest(%(instances)s::uuid[]), unnest(%(numbers)s::text[]))
        AS key (instance_id, whatsapp_number)
        ON key.instance_id = escalation.instance_id AND key.whatsapp_number = escalation.whatsapp_number
    WHERE escalation.resolved_at IS NULL
    ORDER BY escalation.id
    FOR UPDATE OF escalation
"""

# A microsecond apart, and later than what was resolved before: a customer's rows must differ in resolved_at.
CLOSE_DUPLICATES = f"""
    WITH ranked AS (
        SELECT escalation.id,
               pg_catalog.to_jsonb(escalation) AS content,
               pg_catalog.row_number() OVER customer AS place,
               pg_catalog.first_value(escalation.id) OVER customer AS kept,
               GREATEST(
                   pg_catalog.clock_timestamp(),
                   (
                       SELECT pg_catalog.max(earlier.resolved_at) FROM public.escalated_conversations AS earlier
                       WHERE earlier.whatsapp_number = escalation.whatsapp_number
                         AND earlier.instance_id = escalation.instance_id
                   )
               ) AS base
        FROM public.escalated_conversations AS escalation
        JOIN ROWS FROM (unnest(%(instances)s::uuid[]), unnest(%(numbers)s::text[]))
            AS key (instance_id, whatsapp_number)
            ON key.instance_id = escalation.instance_id AND key.whatsapp_number = escalation.whatsapp_number
        WHERE escalation.resolved_at IS NULL
        WINDOW customer AS (
            PARTITION BY escalation.instance_id, escalation.whatsapp_number
            ORDER BY escalation.escalated_at NULLS LAST, escalation.created_at NULLS LAST, escalation.id
        )
    ),
    closed AS (
        UPDATE public.escalated_conversations AS escalation
        SET resolved_at = ranked.base + ranked.place * interval '1 microsecond'
        FROM ranked
        WHERE escalation.id = ranked.id AND ranked.place > 1
        RETURNING escalation.id, escalation.instance_id, escalation.whatsapp_number, escalation.resolved_at,
                  ranked.kept, ranked.content
    ),
    archived AS (
        INSERT INTO {ARCHIVE} ("table", row_id, "row", repair, archived_at)
        SELECT 'escalated_conversations', id, content, %(repair)s, pg_catalog.now() FROM closed
    )
    INSERT INTO {HISTORY} (escalation_id, instance_id, whatsapp_number, kind, at, actor_name, details)
    SELECT id, instance_id, whatsapp_number, 'merged', resolved_at, 'repair',
           pg_catalog.jsonb_build_object('into', kept)
    FROM closed
"""  # noqa: S608


class DuplicateEscalations(Repair):
    """Keeps a customer's longest-waiting open escalation and closes the others, with an entry in the history."""

    name = "duplicate_escalations"
    help = "Customers with several open escalations; --apply keeps the longest waiting one open and closes the others."
    table = "escalated_conversations"
    key = ("instance_id", "whatsapp_number")
    outcome = gettext_lazy("closed")

    def find(self, connection: BaseDatabaseWrapper) -> list[Group]:
        with connection.cursor() as cursor:
            cursor.execute(FIND_DUPLICATES)
            return [Group((instance, number), ids[0], ids[1:]) for instance, number, ids in cursor.fetchall()]

    def apply(self, connection: BaseDatabaseWrapper, groups: Sequence[Group]) -> int:
        keys: dict[str, Any] = {
            "instances": [group.key[0] for group in groups],
            "numbers": [group.key[1] for group in groups],
            "repair": self.name,
        }
        with connection.cursor() as cursor:
            cursor.execute(LOCK_DUPLICATES, keys)
            cursor.execute(CLOSE_DUPLICATES, keys)
            return int(cursor.rowcount)


DAYS = 30
"""Customers who were told longer ago that a person takes over are not brought back."""

# The service writes an escalation just before it tells the customer, and none if no support number is active. The
# messages are read first, from idx_messages_handed_over.
MISSED = f"""
    told AS MATERIALIZED (
        SELECT id, conversation_id, "timestamp" FROM public.whatsapp_conversation_messages
        WHERE role = 'assistant' AND message_id LIKE 'escalation\\_%%'
          AND "timestamp" > pg_catalog.now() - interval '{DAYS} days'
    ),
    missed AS (
        SELECT conversation.id, conversation.instance_id, conversation.user_phone,
               pg_catalog.array_agg(told.id::text ORDER BY told."timestamp") AS messages,
               pg_catalog.min(told."timestamp") AS told_at
        FROM told JOIN public.whatsapp_conversations AS conversation ON conversation.id = told.conversation_id
        WHERE NOT EXISTS (
            SELECT FROM public.escalated_conversations AS escalation
            WHERE escalation.whatsapp_number = conversation.user_phone
              AND escalation.instance_id = conversation.instance_id
              AND (escalation.resolved_at IS NULL OR escalation.escalated_at > told."timestamp" - interval '10 minutes')
        )
        GROUP BY conversation.id, conversation.instance_id, conversation.user_phone
    )
"""  # noqa: S608

FIND_MISSED = f"""
    WITH {MISSED}
    SELECT instance_id::text, user_phone, id::text, messages, told_at FROM missed
    WHERE (%(instances)s::uuid[] IS NULL OR instance_id = ANY (%(instances)s))
      AND (%(conversations)s::uuid[] IS NULL OR id = ANY (%(conversations)s))
    ORDER BY told_at, id
    LIMIT %(limit)s
"""  # noqa: S608

ONE_AT_A_TIME = "SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('waops missed escalations', 0))"

# As the service would have written it: dated to the promise, with the messages before it.
OPEN_MISSED = f"""
    WITH {MISSED},
    opened AS (
        INSERT INTO public.escalated_conversations
            (whatsapp_number, instance_id, escalated_at, conversation_context {{columns}})
        SELECT missed.user_phone, missed.instance_id, LEAST(missed.told_at, pg_catalog.now()),
               context.messages {{values}}
        FROM missed CROSS JOIN LATERAL (
            SELECT COALESCE(pg_catalog.jsonb_agg(
                pg_catalog.jsonb_build_object(
                    'role', earlier.role, 'content', earlier.content, 'timestamp', earlier."timestamp"
                ) ORDER BY earlier."timestamp"
            ), '[]') AS messages
            FROM (
                SELECT role, content, "timestamp" FROM public.whatsapp_conversation_messages
                WHERE conversation_id = missed.id AND "timestamp" < missed.told_at ORDER BY "timestamp" DESC LIMIT 10
            ) AS earlier
        ) AS context
        WHERE missed.id = ANY (%(conversations)s::uuid[])
        ON CONFLICT DO NOTHING
        RETURNING id, instance_id, whatsapp_number, escalated_at
    ),
    state AS (
        INSERT INTO {settings.APP_SCHEMA}.escalations_escalationstate (escalation_id, version) SELECT id, 1 FROM opened
    )
    INSERT INTO {HISTORY} (escalation_id, instance_id, whatsapp_number, kind, at, actor_id, actor_name, details)
    SELECT id, instance_id, whatsapp_number, 'recovered', pg_catalog.clock_timestamp(), %(actor)s, %(name)s,
           pg_catalog.jsonb_build_object('told_at', escalated_at)
    FROM opened
"""  # noqa: S608

OPTIONAL_COLUMNS = {"reason": "'user_request'", "created_at": "pg_catalog.now()"}
"""Columns that some deployments lack, with a value that the CHECK of every other one allows."""


@dataclass(frozen=True)
class Missed(Group):
    """A customer who was told that a person takes over, but is not in the queue: `kept` is the conversation,
    `others` the messages that said so, the first of them at `told_at`.
    """

    told_at: datetime


def find_missed(
    connection: BaseDatabaseWrapper,
    *,
    instances: Iterable[UUID] | None = None,
    conversations: Iterable[UUID] | None = None,
    limit: int | None = None,
) -> list[Missed]:
    """The missed escalations of these WhatsApp numbers and conversations, or of all; longest waiting first."""
    given = {"instances": instances, "conversations": conversations}
    with connection.cursor() as cursor:
        cursor.execute(
            FIND_MISSED, {name: ids if ids is None else list(ids) for name, ids in given.items()} | {"limit": limit}
        )
        return [Missed((instance, phone), *rest) for instance, phone, *rest in cursor.fetchall()]


def open_missed(connection: BaseDatabaseWrapper, groups: Sequence[Group], actor: User | None = None) -> int:
    """Escalate customers who are still missed, dated to the promise, with an entry in the history. Returns how many.

    Call it inside a transaction. Without `actor` the command did it.
    """
    present = [name for name in OPTIONAL_COLUMNS if name not in missing_fields(Escalation)]
    statement = OPEN_MISSED.format(
        columns="".join(f", {name}" for name in present),
        values="".join(f", {OPTIONAL_COLUMNS[name]}" for name in present),
    )
    with connection.cursor() as cursor:
        cursor.execute(ONE_AT_A_TIME)
        cursor.execute(
            statement,
            {
                "conversations": [group.kept for group in groups],
                "actor": actor.pk if actor else None,
                "name": actor.name if actor else "repair",
            },
        )
        return int(cursor.rowcount)


class MissedEscalations(Repair):
    """Opens an escalation for each, dated to when the customer was told, with the messages before it as context."""

    name = "missed_escalations"
    help = f"Customers told of a transfer in the last {DAYS} days who are not in the queue; --apply escalates them."
    table = "escalated_conversations"
    key = ("instance_id", "whatsapp_number")
    outcome = gettext_lazy("message that told them")

    def find(self, connection: BaseDatabaseWrapper) -> list[Group]:
        return [Group(missed.key, missed.kept, missed.others) for missed in find_missed(connection)]

    def apply(self, connection: BaseDatabaseWrapper, groups: Sequence[Group]) -> int:
        return open_missed(connection, groups)

    def summary(self, report: Report) -> str:
        found = ngettext(
            "%(count)s customer was told they were transferred but is not in the queue.",
            "%(count)s customers were told they were transferred but are not in the queue.",
            report.groups,
        ) % {"count": report.groups}
        return f"{found} {self.done(report)}"

    def changed(self, count: int) -> str:
        return ngettext("%(count)s escalation was opened.", "%(count)s escalations were opened.", count) % {
            "count": count
        }


def examine(connection: BaseDatabaseWrapper) -> Section:
    """The doctor's checks of escalations."""
    section = Section()
    if not exist(connection, "public.escalated_conversations"):
        return section
    section.findings += _duplicates(connection)
    if exist(connection, "public.whatsapp_conversation_messages", "public.whatsapp_conversations"):
        section.findings += _missed(connection)
    return section


def _duplicates(connection: BaseDatabaseWrapper) -> list[Finding]:
    count = len(DuplicateEscalations().find(connection))
    return problem(
        "data.duplicate_escalations",
        "public.escalated_conversations",
        count,
        _("customers with two open escalations: %(count)s") % {"count": count},
        _("The service's check fails for them, so the AI replies to customers who are waiting for a person."),
        "manage.py repair duplicate_escalations --apply",
    )


def _missed(connection: BaseDatabaseWrapper) -> list[Finding]:
    count = len(find_missed(connection))
    return problem(
        "data.missed_escalations",
        "public.escalated_conversations",
        count,
        _("customers who were told they were transferred but are not in the queue: %(count)s") % {"count": count},
        _("They are waiting for a person, but are not in the queue."),
        "manage.py repair missed_escalations --apply",
    )
