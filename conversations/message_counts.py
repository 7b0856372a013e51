"""Find conversations whose stored message count is wrong, or can no longer be stored."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from waops.database.fetch import fetch_one, fetch_value
from waops.dbops.repairs.base import Group, Repair, Report
from waops.schema.sql_file import briefly

# One statement sees one state of all tables, so messages that arrive in the meantime make no difference. Reads every
# message's conversation_id once. An unknown count is not wrong.
FIND = """
    SELECT counted.conversation_id::text, counted.messages::text, COALESCE(actual.messages, 0)::text
    FROM waops.message_count AS counted
    LEFT JOIN (
        SELECT conversation_id, pg_catalog.count(*) AS messages
        FROM public.whatsapp_conversation_messages GROUP BY conversation_id
    ) AS actual ON actual.conversation_id = counted.conversation_id
    WHERE counted.messages <> COALESCE(actual.messages, 0)
        AND counted.basis = waops.count_triggers('public.whatsapp_conversation_messages')
        AND NOT (SELECT is_called FROM waops.message_count_lost)
        AND NOT EXISTS (
            SELECT FROM waops.message_count_missed AS missed WHERE missed.conversation_id = counted.conversation_id
        )
    ORDER BY counted.conversation_id
"""
FORGET = "DELETE FROM waops.message_count WHERE conversation_id = ANY (%s::uuid[])"
LOST = "SELECT is_called FROM waops.message_count_lost"
KEPT = "SELECT count(*) FROM waops.message_count WHERE messages IS NOT NULL"


def forget_counts(connection: BaseDatabaseWrapper) -> None:
    """Make every count unknown, and keep counts again from now on. Raises waops.schema.errors.LockNotHad."""
    is_done = False

    def forget() -> None:
        nonlocal is_done
        (is_done,) = fetch_one(connection, "SELECT waops.forget_counts()")

    while not is_done:
        briefly(connection, _("Discarding message counts"), forget)


class MessageCounts(Repair):
    """Discards wrong counts: a conversation without one is counted exactly at its next message. The
    service's rows are not touched, so nothing is archived.

    After a change that could not be recorded (waops.message_count_lost), all counts are discarded.
    """

    name = "message_counts"
    help = "Conversations with a wrong message count; reads every message. --apply discards these counts."
    table = "waops.message_count"
    key = ("conversation_id",)
    outcome = _("stored count")

    def run(
        self,
        connection: BaseDatabaseWrapper,
        *,
        apply: bool,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> Report:
        report = super().run(connection, apply=apply, progress=progress)
        if fetch_value(connection, LOST):
            unknown = max(1, fetch_value(connection, KEPT))
            if apply:
                forget_counts(connection)
            return replace(report, groups=unknown, rows=unknown, changed=unknown if apply else None)
        return report

    def find(self, connection: BaseDatabaseWrapper) -> list[Group]:
        with connection.cursor() as cursor:
            cursor.execute(FIND)
            return [Group((conversation,), actual, [counted]) for conversation, counted, actual in cursor.fetchall()]

    def apply(self, connection: BaseDatabaseWrapper, groups: Sequence[Group]) -> int:
        with connection.cursor() as cursor:
            cursor.execute(FORGET, [[group.key[0] for group in groups]])
            return int(cursor.rowcount)

    def summary(self, report: Report) -> str:
        found = ngettext(
            "%(count)s conversation has a wrong message count.",
            "%(count)s conversations have a wrong message count.",
            report.groups,
        ) % {"count": report.groups}
        return f"{found} {self.done(report)}"

    def changed(self, count: int) -> str:
        return ngettext("%(count)s count was discarded.", "%(count)s counts were discarded.", count) % {"count": count}
