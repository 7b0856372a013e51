"""The indexes that search reads: used by its queries, harmless to writers."""

from collections.abc import Callable

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from psycopg import sql

from escalations.attention import queries as attention
from escalations.attention.findings import Kind
from escalations.folding import pattern
from escalations.reports import queries as reports
from escalations.reports.queries import Preset
from escalations.search import messages
from escalations.search.customers import conversations_of, escalations_of, find_customers
from escalations.search.wording import Wording
from tests import factories
from tests.databases import Databases, django_uses
from waops.dbops.doctor import indexes
from waops.dev.embedded.server import SUPERUSER

INSERT = """
    INSERT INTO public.whatsapp_conversation_messages (conversation_id, role, content) VALUES (%s, 'user', %s)
"""


def plans(read: Callable[[], object]) -> str:
    """The plans of a read's queries where reading whole tables is the last resort."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = on")
        with CaptureQueriesContext(connection) as queries:
            read()
        found = []
        for query in queries:
            if query["sql"].lstrip().startswith(("SELECT", "WITH")) and "set_config" not in query["sql"]:
                cursor.execute("EXPLAIN " + query["sql"])
                found += [line for (line,) in cursor.fetchall()]
    return "\n".join(found)


@pytest.mark.parametrize(
    ("read", "index"),
    [
        (lambda: find_customers(Wording("منى")), "idx_customers_name_folded"),
        (lambda: conversations_of(find_customers(Wording("5678")), None, 10), "idx_conversations_phone_reversed"),
        (lambda: conversations_of(find_customers(Wording("5678")), None, 10), "idx_conversations_phone_instance"),
        (lambda: escalations_of(find_customers(Wording("5678")), None, 10), "idx_escalated_number_reversed"),
        (lambda: escalations_of(find_customers(Wording("5678")), None, 10), "idx_escalated_conversations_number"),
        (lambda: messages.messages_with(Wording("طلب"), None, 10), "idx_messages_folded"),
        (lambda: attention.find(Kind.MISSED), "idx_messages_handed_over"),
        (lambda: attention.find(Kind.ANSWERED), "idx_ai_interactions_user"),
        (lambda: reports.by_hour(reports.Scope(Preset.WEEK.period())), "idx_escalated_opened"),
    ],
)
def test_each_read_has_its_index(committed_database, monkeypatch, read, index) -> None:
    # In a separate database: dead rows left by earlier tests would affect the costs.
    monkeypatch.setattr(messages, "FEW", 10**9)
    factories.customer(factories.instance(), "201012345678", name="منى")
    assert index in plans(read)


@pytest.mark.parametrize(
    ("content", "typed"),
    [
        ("وصلت الشِّحْنَةُ إلـــى القاهرة", "الى القاهره الشحنه"),
        ("طلب رقم ١٢٣٤٥", "12345"),
        ("Your ORDER, O'Brien: 50%", "order o'brien 50"),
        ("(a+b) mona@example.com", "a+b mona@example.com"),
        ("Order FS-١٩٤٥٠", "fs19450"),
    ],
)
def test_reading_through_the_newest_messages_overlooks_no_spelling(db, content, typed) -> None:
    patterns = [pattern(word) for word in Wording(typed).words]
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s ~ ALL (%s), 'other' ~ ALL (%s)", [content, patterns, patterns])
        assert cursor.fetchone() == (True, False)


@pytest.mark.parametrize("role", ["service_role", "authenticated"])
def test_roles_that_write_messages_can_go_on(committed_database, role) -> None:
    chat = factories.conversation()
    owner = str(chat.instance.business_id)
    with psycopg.connect(committed_database, user=SUPERUSER) as session:
        session.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
        session.execute("SELECT set_config('request.jwt.claim.sub', %s, true)", [owner])
        session.execute(INSERT, [chat.pk, "أين طلبي؟"])
    assert len(messages.messages_with(Wording("اين طلبى"), None, 10).rows) == 1


def test_the_index_refuses_no_text_however_many_words_it_has(db) -> None:
    words = " ".join(f"word{number}" for number in range(200_000))
    chat = factories.conversation()
    with connection.cursor() as cursor:
        # The plan's own index takes no more than 1 MB of different words.
        cursor.execute("DROP INDEX public.idx_messages_content_gin")
        cursor.execute(INSERT, [chat.pk, words])
    assert len(messages.messages_with(Wording("word7"), None, 10).rows) == 1


def test_without_the_optional_table_there_is_no_index_and_no_error(
    server, databases: Databases, django_db_blocker
) -> None:
    with databases.clone("before") as name, django_db_blocker.unblock(), django_uses(server, name):
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE public.customer_profiles")
        call_command("migrate", verbosity=0)
        assert indexes.examine(connection).findings == []
        call_command("migrate", "escalations", "0001", verbosity=0)
