"""Searches and pages of conversations, messages and answers, and the indexes that serve them."""

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from conversations.models import AIInteraction, Conversation, Message
from conversations.queries import PAGE, message_page
from tests import factories

pytestmark = pytest.mark.django_db


TABLES = ("conversations", "conversation_messages", "ai_interactions")


def index_used(queryset, name: str) -> bool:
    """Whether the planner can serve the query by that index.

    Statistics are of this test's rows, because tests that ran before have left those of theirs.
    """
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"ANALYZE public.whatsapp_{table}")
        cursor.execute("SET LOCAL enable_seqscan = off")
        return name in queryset.explain()


OTHERS = """
    INSERT INTO public.whatsapp_ai_interactions
    SELECT (jsonb_populate_record(
        one, jsonb_build_object('id', gen_random_uuid(), 'user_phone', '2012' || number)
    )).*
    FROM public.whatsapp_ai_interactions AS one, generate_series(1, 2000) AS number
    WHERE one.user_phone = '201055550002'
"""


@pytest.mark.parametrize("written", ["201055550001", "+20 105 555 0001", "٢٠١٠٥٥٥٥", "0020105", "2010 5555 000"])
def test_a_customer_is_found_by_any_written_form(written: str) -> None:
    wanted = factories.conversation(user_phone="201055550001")
    factories.conversation(user_phone="201155550001")
    found = Conversation.objects.search(written)
    assert list(found) == [wanted]
    assert index_used(found.order_by(), "idx_conversations_phone_instance")


@pytest.mark.parametrize(
    ("begins", "found"), [("99", ["99912345678"]), ("201099", ["2010991"]), ("20109", ["2010991"])]
)
def test_the_range_of_a_prefix_ends_right_after_nines(begins: str, found: list[str]) -> None:
    for number in ("99912345678", "2010991", "2011001", "98"):
        factories.conversation(user_phone=number)
    assert list(Conversation.objects.search(begins).values_list("user_phone", flat=True)) == found


def test_an_id_that_is_no_number_is_found_whole() -> None:
    wanted = factories.conversation(user_phone="147222215372001@lid")
    assert list(Conversation.objects.search(" 147222215372001@lid ")) == [wanted]


def test_answers_are_found_by_the_whole_number() -> None:
    wanted = factories.interaction(factories.conversation(user_phone="201055550001"))
    factories.interaction(factories.conversation(user_phone="201055550002"))
    found = AIInteraction.objects.search("+20 105 555 0001")
    assert list(found) == [wanted]
    with connection.cursor() as cursor:  # of two rows any index is as good
        cursor.execute(OTHERS)
    assert index_used(found.order_by(), "idx_ai_interactions_user")


def test_messages_are_found_by_their_words() -> None:
    chat = factories.conversation()
    wanted = factories.message(chat, "أريد استرجاع الطلب رقم PF-82958 من فضلك")
    factories.message(chat, "Hello")
    for words in ("استرجاع", "الطلب استرجاع", "PF-82958", '"استرجاع الطلب"', "nothing OR استرجاع"):
        found = Message.objects.search(words)
        assert list(found) == [wanted], words
    assert list(Message.objects.search('"الطلب استرجاع"')) == []
    assert index_used(Message.objects.search("استرجاع"), "idx_messages_content_gin")


def test_older_messages_follow_without_a_gap_or_a_repetition() -> None:
    chat = factories.conversation()
    moment = factories.ago(hours=1)
    sent = {factories.message(chat, str(number), timestamp=moment).pk for number in range(PAGE + 10)}
    first = message_page(chat)
    factories.message(chat, "arrives in between")
    second = message_page(chat, first.older)
    assert (len(first.messages), len(second.messages), second.older) == (PAGE, 10, "")
    assert {message.pk for message in (*first.messages, *second.messages)} == sent


@pytest.mark.parametrize(
    "cursor", ["x", "_", "2026-01-01T00:00:00_x", "2026-01-01T00:00:00_00000000-0000-4000-8000-000000000000", "%00"]
)
def test_a_malformed_cursor_is_a_bad_request(client: Client, cursor: str) -> None:
    client.force_login(factories.staff("Support"), "django.contrib.auth.backends.ModelBackend")
    chat = factories.conversation()
    assert client.get(f"/conversations/conversation/{chat.pk}/change/?before={cursor}").status_code == 400


def test_a_conversation_is_shown_as_a_chat(client: Client) -> None:
    client.force_login(factories.staff("Support"), "django.contrib.auth.backends.ModelBackend")
    chat = factories.conversation()
    factories.message(chat, "السلام عليكم", timestamp=factories.ago(days=2))
    factories.message(chat, "How can I help?", role="assistant")
    page = client.get(f"/conversations/conversation/{chat.pk}/change/").content.decode()
    assert page.index("السلام عليكم") < page.index("How can I help?")
    assert page.count("chat__day") == 2
    assert page.count("chat__message--customer") == page.count("chat__message--ai") == 1


def test_a_long_message_is_shown_whole_from_its_conversation(admin_client) -> None:
    chat = factories.conversation()
    message = factories.message(chat, "word " * 5_000 + "the end")
    short = factories.message(chat, "short")
    page = admin_client.get(reverse("admin:conversations_conversation_change", args=[chat.pk])).content.decode()
    whole = reverse("admin:conversations_message_change", args=[message.pk])
    assert f'href="{whole}" data-whole' in page
    assert reverse("admin:conversations_message_change", args=[short.pk]) not in page
    assert "the end" not in page
    assert "the end" in admin_client.get(whole).content.decode()
