"""Doctor names the columns whose values cannot be true."""

import pytest
from django.db import connection

from conversations.models import AIInteraction, Conversation
from escalations.models import Escalation
from tests import factories
from tests.hostile.values import Column
from waops.dbops.doctor import hostile_values

pytestmark = pytest.mark.django_db


def found() -> dict[str, str]:
    return {finding.subject: finding.what for finding in hostile_values.examine(connection).findings}


def test_ordinary_rows_are_not_named() -> None:
    factories.interaction(factories.conversation())
    factories.waiting(5)
    assert found() == {}


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("escalated_conversations", "escalated_at", "infinity"),
        ("escalated_conversations", "resolved_at", "0044-01-01 BC"),
        ("whatsapp_conversations", "last_activity", "-infinity"),
        ("whatsapp_ai_interactions", "total_tokens", "-1"),
        ("whatsapp_conversations", "conversation_data", f'["{"".join(map(str, range(1_000_000)))}"]'),
    ],
)
def test_each_column_is_named_once_with_a_statement_that_shows_the_row(table: str, column: str, value: str) -> None:
    chat = factories.conversation()
    rows = {
        Escalation._meta.db_table: factories.escalation(chat),
        Conversation._meta.db_table: chat,
        AIInteraction._meta.db_table: factories.interaction(chat),
    }
    Column(table, column, ()).write(rows[table].pk, value)
    (finding,) = hostile_values.examine(connection).findings
    assert finding.subject == f"public.{table}.{column}"
    with connection.cursor() as cursor:
        cursor.execute(finding.fix[0])
        assert [row[0] for row in cursor.fetchall()] == [rows[table].pk]


def test_of_a_large_table_only_the_ends_of_indexes_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hostile_values, "SMALL", -1)
    chat = factories.conversation()
    Column("whatsapp_conversations", "last_activity", ()).write(chat.pk, "infinity")  # has an index
    Column("whatsapp_conversations", "started_at", ()).write(chat.pk, "infinity")  # has none
    assert list(found()) == ["public.whatsapp_conversations.last_activity"]
