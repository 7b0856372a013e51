"""One action on many escalations: the preview, what is done, and what each row says."""

import uuid

import pytest
from django.test import Client
from django.utils import timezone

from escalations.models import Escalation, Event
from escalations.procedures import claim
from tests import factories, wording
from tests.escalations.conftest import QUEUE, SignIn

BULK = f"{QUEUE}bulk/"


@pytest.fixture
def desk(sign_in: SignIn) -> Client:
    return sign_in(factories.staff("Support", first_name="Salma"))


def confirm(client: Client, preview, **data: str):
    """Press the preview's button."""
    context = preview.context
    return client.post(
        BULK,
        {"action": context["action"].name, "query": context["query"], "escalations": context["escalations"], **data},
    )


def outcomes(response) -> list[str]:
    return [result.outcome.value for _, result, _ in response.context["rows"]]


def test_a_preview_says_what_will_happen_and_does_nothing(desk) -> None:
    free, held = factories.waiting(minutes=30), factories.waiting(minutes=20)
    claim([held.pk], factories.staff("Support", first_name="Omar"))
    response = desk.post(BULK, {"action": "resolve", "escalation": [free.pk, held.pk]})
    assert outcomes(response) == ["resolved", "held"]
    text = response.content.decode()
    assert f"1 {wording.CAN_BE_DONE}" in text
    assert "Omar" in text
    assert Escalation.objects.filter(resolved_at=None).count() == 2
    assert Event.objects.count() == 1


def test_confirmed_it_is_done_row_by_row(desk) -> None:
    escalations = [factories.waiting(minutes=minutes) for minutes in (30, 20, 10)]
    preview = desk.post(BULK, {"action": "resolve", "escalation": [escalation.pk for escalation in escalations]})
    claim([escalations[1].pk], factories.staff("Support", first_name="Omar"))
    factories.resolve_elsewhere([escalations[2].pk])
    response = confirm(desk, preview, outcome="answered", note="all answered")
    assert outcomes(response)[0] == "resolved"
    assert not {"resolved"} & set(outcomes(response)[1:])
    assert Event.objects.get(kind="resolved").details["note"] == "all answered"
    assert "Omar" in response.content.decode()


def test_all_that_match_are_taken_without_ticking_them(desk) -> None:
    first, second = factories.waiting(minutes=20), factories.waiting(minutes=10)
    query = f"view=open&business={first.instance.business_id}"
    preview = desk.post(BULK, {"action": "claim", "all": "1", "query": query})
    confirm(desk, preview)
    assert list(Event.objects.values_list("escalation_id", flat=True)) == [first.pk]
    assert second.pk not in Event.objects.values_list("escalation_id", flat=True)


def test_many_are_snoozed_until_the_customer_writes(desk) -> None:
    escalations = [factories.waiting(minutes=minutes) for minutes in (20, 10)]
    preview = desk.post(BULK, {"action": "snooze", "escalation": [escalation.pk for escalation in escalations]})
    unclear = confirm(desk, preview)
    assert wording.CHOOSE_AN_END in unclear.content.decode()
    assert Event.objects.count() == 0
    assert outcomes(confirm(desk, preview, until="customer")) == ["snoozed", "snoozed"]


@pytest.mark.parametrize(
    ("action", "data", "undone"),
    [("resolve", {}, "reopened"), ("snooze", {"until": "1h"}, "woken"), ("claim", {}, "released")],
)
def test_what_was_done_to_many_is_taken_back_at_a_press(desk, action, data, undone) -> None:
    escalations = [factories.waiting(minutes=minutes) for minutes in (30, 20, 10)]
    preview = desk.post(BULK, {"action": action, "escalation": [escalation.pk for escalation in escalations]})
    claim([escalations[2].pk], factories.staff("Support", first_name="Omar"))
    done = confirm(desk, preview, **data)
    undo = {"action": done.context["undo"].name, "query": "", "escalations": done.context["escalations"]}
    assert 'value="' + undo["action"] + '"' in done.content.decode()
    response = desk.post(BULK, undo)
    assert outcomes(response) == [undone, undone]
    assert Escalation.objects.filter(resolved_at=None).count() == 3
    assert outcomes(desk.post(BULK, undo)) != [undone, undone]


def test_an_escalation_that_is_gone_is_said(desk) -> None:
    response = desk.post(BULK, {"action": "claim", "escalation": [uuid.uuid4()]})
    assert outcomes(response) == ["not_found"]
    assert wording.NO_LONGER_EXISTS in response.content.decode()


def test_nothing_selected_is_said(desk) -> None:
    assert wording.SELECT_FIRST in desk.post(BULK, {"action": "claim"}).content.decode()


@pytest.mark.parametrize(
    "data",
    [
        {"action": "claim", "escalation": "x"},
        {"action": "claim", "escalations": "x:y"},
        {"action": "claim", "all": "1", "query": "business=x"},
        {"action": "delete"},
    ],
)
def test_an_invalid_selection_is_refused(desk, data) -> None:
    assert desk.post(BULK, data).status_code == 400


def test_get_leads_back_and_people_without_permission_are_refused(desk, sign_in) -> None:
    assert desk.get(BULK).url == QUEUE
    assert sign_in(factories.staff("Operators")).post(BULK, {"action": "claim"}).status_code == 403


def test_what_was_written_since_the_list_was_read_is_not_resolved(support) -> None:
    read, unread = factories.waiting(minutes=9), factories.waiting(minutes=8)
    seen = support.get(QUEUE).context["since"].isoformat()
    asked = {"action": "resolve", "escalation": [str(read.pk), str(unread.pk)], "query": "", "seen": seen}
    preview = support.post(f"{QUEUE}bulk/", asked)
    assert (preview.context["done"], preview.context["seen"]) == (2, seen)
    factories.message(unread.instance.conversations.get(), "one more thing", timestamp=timezone.now())
    sent = {"action": "resolve", "escalations": preview.context["escalations"], "query": "", "seen": seen, "note": ""}
    done = support.post(f"{QUEUE}bulk/", sent)
    assert (done.context["done"], done.context["refused"]) == (1, 1)
    assert wording.WROTE_SINCE_OPENED in done.content.decode()
    unread.refresh_from_db()
    assert unread.resolved_at is None
