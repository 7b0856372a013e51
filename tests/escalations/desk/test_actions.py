"""Actions on one escalation through its page: what happens, what is said, where one goes from there, and who may."""

import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from escalations.models import CannedNote, ClosingRule, Event
from escalations.procedures import claim
from tests import factories, wording
from tests.escalations.conftest import QUEUE, SignIn, address, rows
from tests.escalations.desk.test_resolving import said
from waops.models import User


@pytest.fixture
def salma(db) -> User:
    return factories.staff("Support", first_name="Salma")


@pytest.fixture
def omar(db) -> User:
    return factories.staff("Support", first_name="Omar")


@pytest.fixture
def desk(sign_in: SignIn, salma: User) -> Client:
    return sign_in(salma)


def kinds(escalation) -> list[str]:
    return list(Event.objects.filter(escalation_id=escalation.pk).order_by("pk").values_list("kind", flat=True))


def test_a_claim_shows_on_the_escalation_and_in_the_queue(desk, sign_in, omar) -> None:
    escalation = factories.waiting(minutes=90)
    [told] = said(desk.post(address(escalation, "claim"), follow=True))
    assert told.startswith("1 escalation claimed. It is yours until")
    assert "Salma" in sign_in(omar).get(QUEUE).content.decode()
    assert rows(desk.get(QUEUE, {"view": "mine"})) == [escalation]
    assert rows(desk.get(QUEUE, {"view": "unclaimed"})) == []


def test_the_second_to_claim_is_told_who_has_it(desk, sign_in, omar) -> None:
    escalation = factories.waiting(minutes=90)
    claim([escalation.pk], omar)
    for action in ("claim", "resolve", "snooze"):
        [told] = said(desk.post(address(escalation, action), {"until": "1h"}, follow=True))
        assert wording.IS_CLAIMED_BY in told
        assert "Omar" in told
    assert kinds(escalation) == ["claimed"]
    text = desk.get(address(escalation)).content.decode()
    assert wording.HAS_CLAIMED_THIS in text
    assert address(escalation, "resolve") not in text


def test_a_release_returns_the_escalation_to_the_queue(desk, salma) -> None:
    escalation = factories.waiting(minutes=90)
    claim([escalation.pk], salma)
    desk.post(address(escalation, "release"))
    assert rows(desk.get(QUEUE, {"view": "unclaimed"})) == [escalation]


def test_resolving_with_outcome_and_note_goes_on_to_the_next(desk) -> None:
    escalation, following = factories.waiting(minutes=90), factories.waiting(minutes=50)
    response = desk.post(
        address(escalation, "resolve"), {"then": "next", "outcome": "answered", "note": "كلمته"}, follow=True
    )
    assert response.redirect_chain == [(address(following), 302)]
    text = desk.get(QUEUE, {"view": "today"}).content.decode()
    assert "Answered" in text
    assert "كلمته" in text


def test_resolving_is_undone(desk) -> None:
    escalation = factories.waiting(minutes=90)
    desk.post(address(escalation, "resolve"))
    desk.post(address(escalation, "reopen"))
    escalation.refresh_from_db()
    assert escalation.resolved_at is None
    assert kinds(escalation) == ["resolved", "reopened"]


@pytest.mark.parametrize(("action", "data", "undo"), [("snooze", {"until": "1h"}, "wake"), ("release", {}, "claim")])
def test_a_snooze_and_a_release_are_taken_back_in_the_message(desk, salma, action, data, undo) -> None:
    escalation = factories.waiting(minutes=90)
    claim([escalation.pk], salma)
    text = desk.post(address(escalation, action), data, follow=True).content.decode()
    message = text[text.index("messagelist") :]
    assert f'formaction="{address(escalation, undo)}"' in message[: message.index("</ul>")]


def test_a_canned_note_is_filled_in_for_the_escalation_and_hostile_names_stay_text(desk) -> None:
    cache.clear()
    CannedNote.objects.all().delete()
    CannedNote.objects.create(
        title_en="Told",
        title_ar="أُبلغ",
        text_en="{me} told {customer} of {business} ({number}) {other}",
        text_ar="{customer}",
    )
    number = factories.instance(factories.business("Delta"))
    chat = factories.conversation(number, "201012345678")
    factories.customer(number, chat.user_phone, name="<b>{me}</b>")
    text = desk.get(address(factories.escalation(chat))).content.decode()
    filled = "Salma told &lt;b&gt;{me}&lt;/b&gt; of Delta (+20 10 12345678) {other}"
    assert f'value="{filled}"' in text


def test_from_the_queue_one_comes_back_to_the_same_view(desk) -> None:
    escalation = factories.waiting(minutes=90)
    response = desk.post(address(escalation, "claim"), {"then": "queue?view=mine&p=1"})
    assert response.url == f"{QUEUE}?view=mine&p=1"


def test_a_page_that_is_out_of_date_is_refused_and_keeps_the_note(desk, omar) -> None:
    escalation = factories.waiting(minutes=90)
    desk.post(address(escalation, "snooze"), {"until": "1h"})
    response = desk.post(address(escalation, "resolve"), {"version": "0", "note": "a long answer"})
    assert response.status_code == 409
    assert wording.NOT_CHANGED_SINCE_OPENED in said(response)[-1]
    assert "a long answer</textarea>" in response.content.decode()


def test_a_required_note_is_asked_for(desk) -> None:
    ClosingRule.objects.update_or_create(business=None, defaults={"note_required": True})
    escalation = factories.waiting(minutes=90)
    assert wording.NOTE_REQUIRED in desk.get(address(escalation)).content.decode()
    [told] = said(desk.post(address(escalation, "resolve"), follow=True))
    assert wording.REQUIRES_A_NOTE in told
    desk.post(address(escalation, "resolve"), {"note": "done"})
    escalation.refresh_from_db()
    assert escalation.resolved_at is not None


def test_a_snoozed_escalation_is_out_of_sight_until_it_wakes(desk) -> None:
    escalation = factories.waiting(minutes=90)
    desk.post(address(escalation, "snooze"), {"until": "customer"})
    assert rows(desk.get(QUEUE)) == []
    assert rows(desk.get(QUEUE, {"view": "snoozed"})) == [escalation]
    assert wording.UNTIL_THE_CUSTOMER_WRITES in desk.get(address(escalation)).content.decode()
    desk.post(address(escalation, "wake"))
    assert rows(desk.get(QUEUE)) == [escalation]


def test_a_message_of_the_customer_ends_a_snooze(desk) -> None:
    escalation = factories.waiting(minutes=90)
    desk.post(address(escalation, "snooze"), {"until": "week"})
    chat = escalation.instance.conversations.get()
    factories.message(chat, "anybody there?", timestamp=timezone.now() + timedelta(seconds=1))
    assert rows(desk.get(QUEUE)) == [escalation]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, wording.CHOOSE_AN_END),
        ({"at": "2020-01-01T10:00"}, wording.END_IN_THE_FUTURE),
        ({"until": "never"}, "valid choice"),
    ],
)
def test_a_snooze_without_an_end_is_refused(desk, data, words) -> None:
    escalation = factories.waiting(minutes=90)
    [told] = said(desk.post(address(escalation, "snooze"), data, follow=True))
    assert words in told
    assert kinds(escalation) == []


def test_an_escalation_is_handed_to_a_colleague(desk, sign_in, omar) -> None:
    escalation = factories.waiting(minutes=90)
    desk.post(address(escalation, "hand-over"), {"to": omar.pk})
    assert rows(sign_in(omar).get(QUEUE, {"view": "mine"})) == [escalation]
    assert "Omar" in desk.get(address(escalation)).content.decode()


def test_no_escalation_is_handed_to_people_who_may_not_have_it(desk) -> None:
    escalation = factories.waiting(minutes=90)
    desk.post(address(escalation, "hand-over"), {"to": factories.staff("Operators").pk})
    assert kinds(escalation) == []


def test_a_manager_takes_over_what_a_colleague_has(sign_in, omar) -> None:
    escalation = factories.waiting(minutes=90)
    claim([escalation.pk], omar)
    manager = sign_in(factories.staff("Managers", first_name="Nadia"))
    assert "Take over" in manager.get(address(escalation)).content.decode()
    manager.post(address(escalation, "claim"), {"override": "on"})
    assert rows(manager.get(QUEUE, {"view": "mine"})) == [escalation]


def test_support_may_not_take_over(desk, omar) -> None:
    escalation = factories.waiting(minutes=90)
    claim([escalation.pk], omar)
    assert "Take over" not in desk.get(address(escalation)).content.decode()
    assert desk.post(address(escalation, "claim"), {"override": "on"}).status_code == 403


def test_a_note_is_in_the_history(desk) -> None:
    escalation = factories.waiting(minutes=90)
    desk.post(address(escalation, "note"), {"note": "<b>called</b>"})
    assert "&lt;b&gt;called&lt;/b&gt;" in desk.get(address(escalation)).content.decode()
    assert kinds(escalation) == ["noted"]


@pytest.mark.parametrize("action", ["claim", "release", "snooze", "wake", "hand-over", "note", "reopen"])
def test_get_changes_nothing_and_operators_may_not(desk, sign_in, action) -> None:
    escalation = factories.waiting(minutes=90)
    assert desk.get(address(escalation, action)).url == address(escalation)
    assert sign_in(factories.staff("Operators")).post(address(escalation, action)).status_code == 403
    assert kinds(escalation) == []


@pytest.mark.parametrize("page", ["/", QUEUE, "/conversations/message/", "escalation"])
def test_wherever_the_button_to_undo_is_shown_it_has_its_one_form(desk, page) -> None:
    escalation = factories.waiting(minutes=90)
    desk.post(address(escalation, "resolve"))
    text = desk.get(address(escalation) if page == "escalation" else page).content.decode()
    assert 'form="act"' in text
    assert text.count('<form id="act"') == 1


def test_undoing_works_outside_the_desk(salma) -> None:
    escalation = factories.waiting(minutes=90)
    client = Client(enforce_csrf_checks=True)
    client.force_login(salma, "django.contrib.auth.backends.ModelBackend")

    def token(text: str) -> str:
        return re.search(r'<form id="act".*?name="csrfmiddlewaretoken" value="(\w+)"', text, re.DOTALL)[1]

    text = client.get(address(escalation)).content.decode()
    version = re.search(r'name="version"\s+value="(\d+)"', text)[1]
    client.post(address(escalation, "resolve"), {"version": version, "csrfmiddlewaretoken": token(text)})
    escalation.refresh_from_db()
    assert escalation.resolved_at
    text = client.get("/").content.decode()
    action, version = re.search(r'form="act" formaction="([^"]+)" name="version" value="(\d+)"', text).groups()
    client.post(action, {"version": version, "csrfmiddlewaretoken": token(text)})
    escalation.refresh_from_db()
    assert escalation.resolved_at is None
