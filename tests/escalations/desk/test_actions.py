"""Actions on one case through its page: what happens, what is said, where one goes from there, and who may."""

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


def kinds(case) -> list[str]:
    return list(Event.objects.filter(escalation_id=case.pk).order_by("pk").values_list("kind", flat=True))


def test_a_claim_shows_on_the_case_and_in_the_queue(desk, sign_in, omar) -> None:
    case = factories.waiting(minutes=90)
    [told] = said(desk.post(address(case, "claim"), follow=True))
    assert told.startswith("1 escalation claimed. It is yours until")
    assert "Salma" in sign_in(omar).get(QUEUE).content.decode()
    assert rows(desk.get(QUEUE, {"view": "mine"})) == [case]
    assert rows(desk.get(QUEUE, {"view": "unclaimed"})) == []


def test_the_second_to_claim_is_told_who_has_it(desk, sign_in, omar) -> None:
    case = factories.waiting(minutes=90)
    claim([case.pk], omar)
    for action in ("claim", "resolve", "snooze"):
        [told] = said(desk.post(address(case, action), {"until": "1h"}, follow=True))
        assert wording.IS_CLAIMED_BY in told
        assert "Omar" in told
    assert kinds(case) == ["claimed"]
    text = desk.get(address(case)).content.decode()
    assert wording.HAS_CLAIMED_THIS in text
    assert address(case, "resolve") not in text


def test_a_release_returns_the_case_to_the_queue(desk, salma) -> None:
    case = factories.waiting(minutes=90)
    claim([case.pk], salma)
    desk.post(address(case, "release"))
    assert rows(desk.get(QUEUE, {"view": "unclaimed"})) == [case]


def test_resolving_with_outcome_and_note_goes_on_to_the_next(desk) -> None:
    case, following = factories.waiting(minutes=90), factories.waiting(minutes=50)
    response = desk.post(
        address(case, "resolve"), {"then": "next", "outcome": "answered", "note": "كلمته"}, follow=True
    )
    assert response.redirect_chain == [(address(following), 302)]
    text = desk.get(QUEUE, {"view": "today"}).content.decode()
    assert "Answered" in text
    assert "كلمته" in text


def test_resolving_is_undone(desk) -> None:
    case = factories.waiting(minutes=90)
    desk.post(address(case, "resolve"))
    desk.post(address(case, "reopen"))
    case.refresh_from_db()
    assert case.resolved_at is None
    assert kinds(case) == ["resolved", "reopened"]


@pytest.mark.parametrize(("action", "data", "undo"), [("snooze", {"until": "1h"}, "wake"), ("release", {}, "claim")])
def test_a_snooze_and_a_release_are_taken_back_in_the_message(desk, salma, action, data, undo) -> None:
    case = factories.waiting(minutes=90)
    claim([case.pk], salma)
    text = desk.post(address(case, action), data, follow=True).content.decode()
    message = text[text.index("messagelist") :]
    assert f'formaction="{address(case, undo)}"' in message[: message.index("</ul>")]


def test_a_canned_note_is_filled_in_for_the_case_and_hostile_names_stay_text(desk) -> None:
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
    case = factories.waiting(minutes=90)
    response = desk.post(address(case, "claim"), {"then": "queue?view=mine&p=1"})
    assert response.url == f"{QUEUE}?view=mine&p=1"


def test_a_page_that_is_out_of_date_is_refused_and_keeps_the_note(desk, omar) -> None:
    case = factories.waiting(minutes=90)
    desk.post(address(case, "snooze"), {"until": "1h"})
    response = desk.post(address(case, "resolve"), {"version": "0", "note": "a long answer"})
    assert response.status_code == 409
    assert wording.NOT_CHANGED_SINCE_OPENED in said(response)[-1]
    assert "a long answer</textarea>" in response.content.decode()


def test_a_required_note_is_asked_for(desk) -> None:
    ClosingRule.objects.update_or_create(business=None, defaults={"note_required": True})
    case = factories.waiting(minutes=90)
    assert wording.NOTE_REQUIRED in desk.get(address(case)).content.decode()
    [told] = said(desk.post(address(case, "resolve"), follow=True))
    assert wording.REQUIRES_A_NOTE in told
    desk.post(address(case, "resolve"), {"note": "done"})
    case.refresh_from_db()
    assert case.resolved_at is not None


def test_a_snoozed_case_is_out_of_sight_until_it_wakes(desk) -> None:
    case = factories.waiting(minutes=90)
    desk.post(address(case, "snooze"), {"until": "customer"})
    assert rows(desk.get(QUEUE)) == []
    assert rows(desk.get(QUEUE, {"view": "snoozed"})) == [case]
    assert wording.UNTIL_THE_CUSTOMER_WRITES in desk.get(address(case)).content.decode()
    desk.post(address(case, "wake"))
    assert rows(desk.get(QUEUE)) == [case]


def test_a_message_of_the_customer_ends_a_snooze(desk) -> None:
    case = factories.waiting(minutes=90)
    desk.post(address(case, "snooze"), {"until": "week"})
    chat = case.instance.conversations.get()
    factories.message(chat, "anybody there?", timestamp=timezone.now() + timedelta(seconds=1))
    assert rows(desk.get(QUEUE)) == [case]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, wording.CHOOSE_AN_END),
        ({"at": "2020-01-01T10:00"}, wording.END_IN_THE_FUTURE),
        ({"until": "never"}, "valid choice"),
    ],
)
def test_a_snooze_without_an_end_is_refused(desk, data, words) -> None:
    case = factories.waiting(minutes=90)
    [told] = said(desk.post(address(case, "snooze"), data, follow=True))
    assert words in told
    assert kinds(case) == []


def test_a_case_is_handed_to_a_colleague(desk, sign_in, omar) -> None:
    case = factories.waiting(minutes=90)
    desk.post(address(case, "hand-over"), {"to": omar.pk})
    assert rows(sign_in(omar).get(QUEUE, {"view": "mine"})) == [case]
    assert "Omar" in desk.get(address(case)).content.decode()


def test_no_escalation_is_handed_to_people_who_may_not_have_it(desk) -> None:
    case = factories.waiting(minutes=90)
    desk.post(address(case, "hand-over"), {"to": factories.staff("Operators").pk})
    assert kinds(case) == []


def test_a_manager_takes_over_what_a_colleague_has(sign_in, omar) -> None:
    case = factories.waiting(minutes=90)
    claim([case.pk], omar)
    manager = sign_in(factories.staff("Managers", first_name="Nadia"))
    assert "Take over" in manager.get(address(case)).content.decode()
    manager.post(address(case, "claim"), {"override": "on"})
    assert rows(manager.get(QUEUE, {"view": "mine"})) == [case]


def test_support_may_not_take_over(desk, omar) -> None:
    case = factories.waiting(minutes=90)
    claim([case.pk], omar)
    assert "Take over" not in desk.get(address(case)).content.decode()
    assert desk.post(address(case, "claim"), {"override": "on"}).status_code == 403


def test_a_note_is_in_the_history(desk) -> None:
    case = factories.waiting(minutes=90)
    desk.post(address(case, "note"), {"note": "<b>called</b>"})
    assert "&lt;b&gt;called&lt;/b&gt;" in desk.get(address(case)).content.decode()
    assert kinds(case) == ["noted"]


@pytest.mark.parametrize("action", ["claim", "release", "snooze", "wake", "hand-over", "note", "reopen"])
def test_get_changes_nothing_and_operators_may_not(desk, sign_in, action) -> None:
    case = factories.waiting(minutes=90)
    assert desk.get(address(case, action)).url == address(case)
    assert sign_in(factories.staff("Operators")).post(address(case, action)).status_code == 403
    assert kinds(case) == []


@pytest.mark.parametrize("page", ["/", QUEUE, "/conversations/message/", "case"])
def test_wherever_the_button_to_undo_is_shown_it_has_its_one_form(desk, page) -> None:
    case = factories.waiting(minutes=90)
    desk.post(address(case, "resolve"))
    text = desk.get(address(case) if page == "case" else page).content.decode()
    assert 'form="act"' in text
    assert text.count('<form id="act"') == 1


def test_undoing_works_outside_the_desk(salma) -> None:
    case = factories.waiting(minutes=90)
    client = Client(enforce_csrf_checks=True)
    client.force_login(salma, "django.contrib.auth.backends.ModelBackend")

    def token(text: str) -> str:
        return re.search(r'<form id="act".*?name="csrfmiddlewaretoken" value="(\w+)"', text, re.DOTALL)[1]

    text = client.get(address(case)).content.decode()
    version = re.search(r'name="version"\s+value="(\d+)"', text)[1]
    client.post(address(case, "resolve"), {"version": version, "csrfmiddlewaretoken": token(text)})
    case.refresh_from_db()
    assert case.resolved_at
    text = client.get("/").content.decode()
    action, version = re.search(r'form="act" formaction="([^"]+)" name="version" value="(\d+)"', text).groups()
    client.post(action, {"version": version, "csrfmiddlewaretoken": token(text)})
    case.refresh_from_db()
    assert case.resolved_at is None
