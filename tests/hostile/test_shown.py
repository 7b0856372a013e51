"""What pages show of hostile rows, and what they leave out."""

import json
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from conversations.queries import message_page
from escalations.context import MOST_MESSAGES
from escalations.models import Escalation
from escalations.queries import open_escalations
from escalations.reports.queries import Preset, Scope, totals
from tests import factories, wording
from tests.hostile.values import Column
from waops.access.permissions import OPERATORS, SUPPORT
from waops.database.paging import Cursor, page_after

ESCALATED = Column("escalated_conversations", "escalated_at", ())
CREATED = Column("escalated_conversations", "created_at", ())
TIMES = ["infinity", "-infinity", "0044-01-01 00:00:00+00 BC", "294276-01-01 00:00:00+00"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(factories.staff(SUPPORT, OPERATORS), "django.contrib.auth.backends.ModelBackend")
    return client


@pytest.mark.parametrize("text", TIMES)
def test_the_queue_goes_by_when_the_row_was_written(text: str) -> None:
    first, second, third = factories.waiting(30), factories.waiting(20), factories.waiting(10)
    Escalation.objects.filter(pk=second.pk).update(created_at=factories.ago(minutes=20))
    ESCALATED.write(second.pk, text)
    assert list(open_escalations()) == [first, second, third]


@pytest.mark.parametrize("text", TIMES)
def test_a_wait_of_unknown_length_shows_what_is_stored(client: Client, text: str) -> None:
    escalation = factories.waiting(30)
    for column in (ESCALATED, CREATED):
        column.write(escalation.pk, text)
    for address in ("changelist", "change"):
        arguments = [escalation.pk] if address == "change" else []
        page = client.get(reverse(f"admin:escalations_escalation_{address}", args=arguments)).content.decode()
        assert text in unescape(page)
        assert wording.UNKNOWN_WAIT in page


@pytest.mark.parametrize("text", TIMES)
def test_durations_leave_out_what_cannot_be_true(text: str) -> None:
    now = factories.ago()
    ordinary = factories.escalation(escalated_at=factories.ago(minutes=30), resolved_at=now)
    before = totals(Scope(Preset.WEEK.period())).to_resolve
    other = factories.escalation(resolved_at=now)
    ESCALATED.write(other.pk, text)
    after = totals(Scope(Preset.WEEK.period())).to_resolve
    assert ordinary.pk
    assert (after.median, after.ninety) == (before.median, before.ninety)


@pytest.mark.parametrize("text", TIMES)
def test_every_message_is_on_a_page_whatever_its_time(text: str) -> None:
    chat = factories.conversation()
    for number in range(120):
        factories.message(chat, str(number))
    with connection.cursor() as cursor:
        cursor.execute('UPDATE whatsapp_conversation_messages SET "timestamp" = %s WHERE content > %s', [text, "5"])
    seen: list[str] = []
    older = ""
    while len(seen) < 120:
        page = message_page(chat, older)
        seen += [message.content for message in page.messages]
        older = page.older
        if not older:
            break
    assert sorted(seen) == sorted(map(str, range(120)))


@pytest.mark.parametrize("text", TIMES)
def test_results_go_on_after_a_time_that_python_cannot_hold(text: str) -> None:
    for _ in range(3):
        ESCALATED.write(factories.escalation().pk, text)
    seen = []
    after = None
    for _ in range(3):
        found = page_after(Escalation.objects.all(), "escalated_at", after, 1)
        seen += found.rows
        after = Cursor.parse(found.more) if found.more else None
    assert len(set(seen)) == 3


def test_a_long_context_is_cut_with_a_note(client: Client) -> None:
    context = [{"role": "user", "content": f"text {number}"} for number in range(10_000)]
    escalation = factories.escalation(conversation_context=context)
    page = client.get(reverse("admin:escalations_escalation_change", args=[escalation.pk])).content.decode()
    assert "text 9999" in page
    assert f"{10_000 - MOST_MESSAGES} {wording.EARLIER_MESSAGES_NOT_SHOWN}" in page
    assert "text 9700" not in page


def test_a_long_text_is_cut_with_a_note(client: Client) -> None:
    message = factories.message(factories.conversation(), "x" * 2_000_001)
    whole = reverse("admin:conversations_message_change", args=[message.pk])
    page = client.get(reverse("admin:conversations_conversation_change", args=[message.conversation_id]))
    assert f'"{whole}"' in page.content.decode()
    assert len(page.content) < 100_000
    assert wording.ONLY_THE_BEGINNING.format("2,000,000") in client.get(whole).content.decode()


def test_a_number_whose_business_is_gone_is_shown(client: Client) -> None:
    number = factories.instance()
    chat = factories.conversation(number)
    Column("whatsapp_instances", "user_id", ()).write(number.pk, "00000000-0000-0000-0000-000000000000")
    for model, row in (("whatsappinstance", number), ("conversation", chat)):
        assert client.get(reverse(f"admin:conversations_{model}_change", args=[row.pk])).status_code == 200
        assert str(row.pk) in client.get(reverse(f"admin:conversations_{model}_changelist")).content.decode()


def test_json_that_python_cannot_read_is_shown(client: Client) -> None:
    chat = factories.conversation()
    Column("whatsapp_conversations", "conversation_data", ()).write(chat.pk, "[" * 3_000 + "]" * 3_000)
    page = client.get(reverse("admin:conversations_conversation_change", args=[chat.pk])).content.decode()
    assert json.dumps("[" * 100).strip('"') in page
