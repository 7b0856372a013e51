"""Missed escalations: page, doctor and command find the same customers and repair them in the same way."""

import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection

from conversations.models import Conversation
from escalations.attention.findings import Kind
from escalations.attention.page import apply
from escalations.attention.queries import find
from escalations.models import Escalation, Event
from escalations.queries import open_escalations
from escalations.repairs import examine
from tests import factories
from usage.models import AccessLimit
from waops.access.readers import Reader, reading_as


def told(**values) -> Conversation:
    """The customer asked, and was told that a person takes over."""
    chat = factories.conversation()
    promise(chat, **values)
    return chat


def promise(chat: Conversation, **values) -> None:
    values = {"message_id": "escalation_1700000000000", "timestamp": factories.ago(hours=3), **values}
    factories.message(chat, "I want a person", "user", timestamp=values["timestamp"] - timedelta(minutes=1))
    factories.message(chat, "transferred", "assistant", **values)


@pytest.fixture
def missed(committed_database) -> set[str]:
    """Ids of the conversations of those who are missed, among others who are not."""
    twice = told(timestamp=factories.ago(days=3), message_id="escalation_1")
    promise(twice, timestamp=factories.ago(days=1), message_id="escalation_2")
    long_ago = told(timestamp=factories.ago(days=29))
    back_again = told(timestamp=factories.ago(hours=5))
    factories.escalation(back_again, escalated_at=factories.ago(days=2), resolved_at=factories.ago(days=1))
    missed = {str(chat.pk) for chat in (twice, long_ago, back_again)}

    told(timestamp=factories.ago(days=31))
    told(message_id="escalated_1")
    waits, done = told(), told(timestamp=factories.ago(hours=2))
    factories.escalation(waits, escalated_at=factories.ago(days=20))
    factories.escalation(done, escalated_at=factories.ago(hours=2, minutes=1), resolved_at=factories.ago(hours=1))
    return missed


def by_page() -> set[str]:
    return {item.key for item in find(Kind.MISSED).items}


def by_doctor() -> int:
    findings = [one for one in examine(connection).findings if one.code == "data.missed_escalations"]
    return int(findings[0].what.rpartition(" ")[2]) if findings else 0


def by_command(capsys, **options) -> dict:
    capsys.readouterr()
    call_command("repair", "missed_escalations", json=True, **options)
    report: dict = json.loads(capsys.readouterr().out)
    return report


def test_page_doctor_and_command_find_the_same(missed, capsys) -> None:
    report = by_command(capsys)
    assert by_page() == {group["kept"] for group in report["examples"]} == missed
    assert by_doctor() == report["groups"] == len(missed)


def rows_and_history() -> list[tuple]:
    rows = Escalation.objects.filter(pk__in=Event.objects.values("escalation_id")).order_by("escalated_at")
    return [
        (
            row.instance_id,
            row.whatsapp_number,
            row.escalated_at,
            row.reason,
            [message["content"] for message in row.conversation_context],
            [(event.kind, event.details.keys()) for event in Event.objects.filter(escalation_id=row.pk)],
        )
        for row in rows
    ]


def test_page_and_command_repair_in_the_same_way(missed, capsys) -> None:
    person = factories.staff("Support", username="salma", first_name="Salma")
    assert apply(Kind.MISSED, sorted(missed), person) == len(missed)
    paged = rows_and_history()
    assert {event.actor_name for event in Event.objects.all()} == {"Salma"}
    assert (by_page(), by_doctor(), by_command(capsys)["groups"]) == (set(), 0, 0)

    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE waops.escalations_escalationstate")
        cursor.execute("ALTER TABLE waops.escalations_event DISABLE TRIGGER history_append_only")
        cursor.execute(
            "DELETE FROM escalated_conversations WHERE id IN (SELECT escalation_id FROM waops.escalations_event)"
        )
        cursor.execute("TRUNCATE waops.escalations_event")
    assert by_command(capsys, apply=True)["changed"] == len(missed)

    assert rows_and_history() == paged
    assert {event.actor_name for event in Event.objects.all()} == {"repair"}
    assert (by_page(), by_doctor(), by_command(capsys)["groups"]) == (set(), 0, 0)


def test_they_wait_since_the_first_promise_and_come_in_that_order(missed) -> None:
    assert apply(Kind.MISSED, sorted(missed), factories.staff("Support")) == len(missed)
    recovered = open_escalations().filter(pk__in=Event.objects.values("escalation_id"))
    assert [(factories.ago() - escalation.waiting_since).days for escalation in recovered] == [29, 3, 0]


def test_a_limited_person_repairs_those_of_their_businesses_only(missed) -> None:
    own = Conversation.objects.get(pk=sorted(missed)[0])
    person = factories.staff("Support")
    AccessLimit.objects.create(person=person).businesses.set([own.instance.business])
    with reading_as(Reader(person)):
        assert by_page() == {str(own.pk)}
        assert apply(Kind.MISSED, sorted(missed), person) == 1
    assert by_page() == missed - {str(own.pk)}
