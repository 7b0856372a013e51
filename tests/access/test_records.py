"""What is read and exported is recorded, once, for good, until the retention command takes what is old enough."""

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from escalations.models import Event, Viewing
from tests import factories, wording
from tests.access.world import World, own_and_other, signed_in
from usage.models import Alert, Delivery, QuotaChange
from waops.access.log import AccessRecord, note_reading
from waops.dbops.retention import retain
from waops.models import ArchivedRow, User

pytestmark = pytest.mark.django_db

QUEUE = "/escalations/escalation/"


@pytest.fixture
def own() -> World:
    return own_and_other()[0]


@pytest.fixture
def salma() -> User:
    return factories.staff("Support", "Managers", username="salma")


def recorded() -> list[tuple[str, str, str]]:
    return list(AccessRecord.objects.order_by("pk").values_list("action", "what", "object_id"))


def record(**values) -> AccessRecord:
    person = values.pop("person", None) or factories.staff()
    return AccessRecord.objects.create(
        **{"person": person, "person_name": "p", "action": "read", "what": "usage.profile", "object_id": "1", **values}
    )


def test_reading_a_conversation_is_recorded_once_in_a_while(own, salma) -> None:
    client = signed_in(salma)
    escalation, chat = own.rows["escalations.escalation"], own.rows["conversations.conversation"]
    for _ in range(2):
        client.get(f"{QUEUE}{escalation.pk}/change/")
        client.get(f"{QUEUE}{escalation.pk}/messages/")
        client.get(f"/conversations/conversation/{chat.pk}/change/")
    assert recorded() == [
        ("read", "escalations.escalation", str(escalation.pk)),
        ("read", "conversations.conversation", str(chat.pk)),
    ]
    first = AccessRecord.objects.first()
    assert (first.person, first.person_name) == (salma, "salma")


def test_a_colleague_is_recorded_too_and_so_is_reading_again_later(own, salma, rf) -> None:
    request = rf.get("/")
    request.user = salma
    record(person=salma, what="a.b", object_id="7", at=factories.ago(minutes=11))
    for _ in range(2):
        note_reading(request, "a.b", "7")
    request.user = factories.staff()
    note_reading(request, "a.b", "7")
    assert len(recorded()) == 3


def test_a_record_costs_one_statement(own, salma, rf) -> None:
    request = rf.get("/")
    request.user = salma
    with CaptureQueriesContext(connection) as queries:
        note_reading(request, "a.b", "7")
    assert len(queries) == 1


def test_lists_and_search_of_messages_are_recorded(own, salma) -> None:
    client = signed_in(salma)
    chat, answer = own.rows["conversations.conversation"], own.rows["conversations.aiinteraction"]
    client.get("/conversations/message/", {"conversation__id__exact": chat.pk})
    client.get(f"{QUEUE}search/", {"q": "words"})
    client.get(f"/conversations/aiinteraction/{answer.pk}/change/")
    assert recorded() == [
        ("read", "conversations.conversation", str(chat.pk)),
        ("read", "conversations.message", ""),
        ("read", "conversations.aiinteraction", str(answer.pk)),
    ]


def test_every_export_is_recorded_with_its_filters(own, salma) -> None:
    client = signed_in(salma)
    for page in (f"{QUEUE}reports/escalations.csv?person=1", "/usage/profile/export/?view=out"):
        for _ in range(2):
            assert client.get(page).status_code == 200
    client.get(f"/usage/profile/{own.business.pk}/export/")
    client.get("/usage/profile/reconcile/?format=csv")
    assert [action for action, _, _ in recorded()] == ["exported"] * 6
    assert AccessRecord.objects.first().details == {"query": "person=1"}


def test_what_is_not_answered_is_not_recorded(own) -> None:
    client = signed_in(factories.staff("Operators"))
    client.get(f"{QUEUE}reports/escalations.csv")
    client.get(f"{QUEUE}{own.business.pk}/change/")
    client.get(f"{QUEUE}live/")
    assert recorded() == []


@pytest.mark.parametrize("change", ["UPDATE waops.waops_accessrecord SET person_name = 'x'", "DELETE FROM %s"])
def test_records_only_grow(change: str) -> None:
    record(at=factories.ago(days=400))
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change.replace("%s", "waops.waops_accessrecord"))
    assert len(recorded()) == 1


def test_administrators_read_the_records(own, salma) -> None:
    escalation = own.rows["escalations.escalation"]
    signed_in(salma).get(f"{QUEUE}{escalation.pk}/change/")
    page = signed_in(factories.staff(is_superuser=True)).get("/waops/accessrecord/").content.decode()
    assert "salma" in page
    assert f"{QUEUE}{escalation.pk}/change/" in page
    assert signed_in(factories.staff("Operators", "Managers", "Support")).get("/waops/accessrecord/").status_code == 403


def run(*arguments: str) -> dict[str, dict[str, int]]:
    out = StringIO()
    call_command("periodic", "--only=retention", "--json", *arguments, stdout=out, stderr=out)
    (part,) = json.loads(out.getvalue())["parts"]
    return {table["name"]: table for table in part["figures"]["retention"]}


def old_rows(own: World) -> None:
    record(at=factories.ago(days=400))
    record(at=factories.ago(days=300))
    person = factories.staff()
    Viewing.objects.create(escalation_id=own.business.pk, user=person, seen_at=factories.ago(days=2))
    Alert.objects.update(at=factories.ago(days=800))
    ArchivedRow.objects.create(table="t", row_id="1", row={}, repair="r")


def test_retention_changes_nothing_unless_told_to(own) -> None:
    old_rows(own)
    before = run("--dry-run")
    assert (before["access"]["old"], before["viewings"]["old"], before["alerts"]["old"]) == (1, 1, 2)
    assert sum(table["removed"] for table in before.values()) == 0
    assert len(recorded()) == 2


def test_retention_removes_what_is_old_in_batches_and_no_history(own, monkeypatch) -> None:
    monkeypatch.setattr("waops.dbops.retention.BATCH", 1)
    old_rows(own)
    done = run()
    assert {name: table["removed"] for name, table in done.items() if table["removed"]} == {
        "access": 1,
        "viewings": 1,
        "alerts": 2,
    }
    assert not Delivery.objects.exists()
    assert (len(recorded()), ArchivedRow.objects.count(), QuotaChange.objects.count()) == (1, 1, 2)
    assert sum(table["old"] for table in run("--dry-run").values()) == 0


def test_retention_touches_no_table_of_the_service(own) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert list(retain(apply=True))
    assert not [query for query in queries if "DELETE" in query["sql"] and "public" in query["sql"]]
    assert not [query for query in queries if "whatsapp_" in query["sql"] or "profiles" in query["sql"]]
    assert Event.objects.count() == 0


def test_periods_are_settings(own, settings) -> None:
    old_rows(own)
    settings.RETENTION_DAYS = {"access": 200}
    assert run("--dry-run")["access"]["old"] == 2
    out = StringIO()
    call_command("periodic", "--only=retention", "--dry-run", stdout=out)
    assert "RETENTION_DAYS" in out.getvalue()


@pytest.mark.parametrize(
    ("periods", "words"), [({"acces": 1}, "acces"), ({"access": 5}, wording.PERIOD_TOO_SHORT.format(30))]
)
def test_a_period_that_cannot_be_used_removes_nothing(own, settings, periods, words) -> None:
    old_rows(own)
    settings.RETENTION_DAYS = periods
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("periodic", "--only=retention", stderr=out, stdout=StringIO())
    assert words in out.getvalue()
    settings.RETENTION_DAYS = {}
    assert run("--dry-run")["access"]["old"] == 1
