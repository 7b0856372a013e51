"""The request that keeps the desk live: what it tells, who gets it, and what it costs."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from escalations.desk.board import FRESH, KEY, Listener, fresh_board
from escalations.desk.live import look
from escalations.models import EscalationState, Viewing
from escalations.procedures import claim, hand_over, resolve, snooze
from tests import factories
from tests.escalations.conftest import QUEUE, SignIn
from waops.models import User

LIVE = f"{QUEUE}live/"


@pytest.fixture
def salma(db) -> User:
    return factories.staff("Support", first_name="Salma")


@pytest.fixture
def desk(sign_in: SignIn, salma: User) -> Client:
    return sign_in(salma)


def test_it_counts_every_view(desk, salma) -> None:
    omar = factories.staff("Support", first_name="Omar")
    mine, his, asleep, done, _ = (factories.waiting(minutes=9) for _ in range(5))
    claim([mine.pk], salma)
    claim([his.pk], omar)
    snooze([asleep.pk], omar, None)
    resolve([done.pk], omar)
    assert desk.get(LIVE).json()["counts"] == {"mine": 1, "unclaimed": 1, "open": 3, "snoozed": 1, "today": 1}
    tabs = {tab.value: count for tab, _, count in desk.get(QUEUE).context["tabs"]}
    assert tabs == {"mine": 1, "unclaimed": 1, "open": 3, "snoozed": 1, "today": 1}


def test_it_tells_what_happened_since_the_page_was_made(desk) -> None:
    omar = factories.staff("Support", first_name="Omar")
    old, held = factories.waiting(minutes=9), factories.waiting(minutes=9)
    since = timezone.now().isoformat()
    arrived = factories.escalation()
    claim([held.pk], omar)
    resolve([old.pk], omar)
    told = desk.get(LIVE, {"since": since}).json()
    assert list(told["arrived"]) == [str(arrived.pk)]
    assert told["claims"] == {str(held.pk): [omar.pk, "Omar"]}
    assert told["closed"] == {str(old.pk): "Omar"}
    factories.resolve_elsewhere([arrived.pk])
    cache.clear()
    assert desk.get(LIVE, {"since": since}).json()["closed"][str(arrived.pk)] == ""


def test_who_looks_at_an_escalation_is_told_to_the_others_only(desk, sign_in) -> None:
    escalation = factories.waiting(minutes=9)
    other = sign_in(factories.staff("Support", first_name="Omar", last_name="Ali"))
    assert other.post(f"{LIVE}{escalation.pk}/").status_code == 204
    assert desk.get(LIVE).json()["viewers"] == {str(escalation.pk): ["Omar Ali"]}
    assert other.get(LIVE).json()["viewers"] == {}
    other.post(f"{LIVE}{escalation.pk}/", {"away": "1"})
    Viewing.objects.update(seen_at=factories.ago(minutes=1))
    other.post(f"{LIVE}{escalation.pk}/", {"away": "1"})
    cache.clear()
    assert desk.get(LIVE).json()["viewers"] == {}


def test_working_on_an_escalation_renews_the_claim(desk, salma) -> None:
    escalation = factories.waiting(minutes=9)
    [before] = claim([escalation.pk], salma)
    desk.post(f"{LIVE}{escalation.pk}/", {"active": "1"})
    [after] = claim([escalation.pk], salma)
    assert before.until
    assert after.until
    assert after.until > before.until


def test_who_listens_already_looks_at_the_cost_of_one_statement(desk, salma) -> None:
    escalation = factories.waiting(minutes=9)
    claim([escalation.pk], salma)
    desk.get(LIVE)
    with CaptureQueriesContext(connection) as queries:
        assert desk.post(f"{LIVE}{escalation.pk}/", {"active": "1"}).status_code == 204
    assert len(queries) == 1
    assert Viewing.objects.get().user_id == salma.pk
    EscalationState.objects.update(lease_until=timezone.now() + timedelta(minutes=5))
    cache.delete(KEY)
    desk.post(f"{LIVE}{escalation.pk}/", {"active": "1"})
    assert EscalationState.objects.get().lease_until > timezone.now() + timedelta(minutes=9)


def test_where_nothing_changed_the_answer_is_304_after_one_query(desk) -> None:
    factories.waiting(minutes=9)
    page = {"since": timezone.now().isoformat()}
    first = desk.get(LIVE, page)
    cache.delete(KEY)
    with CaptureQueriesContext(connection) as queries:
        second = desk.get(LIVE, page, headers={"if-none-match": first["ETag"]})
    assert second.status_code == 304
    assert second.content == b""
    assert len(queries) == 1
    factories.waiting(minutes=9)
    cache.delete(KEY)
    assert desk.get(LIVE, page, headers={"if-none-match": first["ETag"]}).status_code == 200


def test_one_statement_answers_everybody_who_asks_at_that_time(desk, sign_in) -> None:
    factories.waiting(minutes=9)
    others = [sign_in(factories.staff("Support")) for _ in range(3)]
    for client in (desk, *others):
        client.get(LIVE)
    cache.delete(KEY)
    with CaptureQueriesContext(connection) as queries:
        answers = [client.get(LIVE).json()["counts"]["open"] for client in (desk, *others)]
    assert answers == [1, 1, 1, 1]
    assert len(queries) == 1


def test_a_page_is_never_told_less_than_it_shows(desk) -> None:
    desk.get(LIVE)
    escalation = factories.waiting(minutes=9)
    since = desk.get(f"{QUEUE}{escalation.pk}/change/").context["since"]
    assert desk.get(LIVE, {"since": since.isoformat()}).json()["counts"]["open"] == 1


def test_what_arrives_meets_the_filters_of_the_page(desk) -> None:
    since = desk.get(LIVE).json()["since"]
    wanted, other = factories.waiting(minutes=-0.1), factories.waiting(minutes=-0.1)
    cache.delete(KEY)  # the board of a moment ago is kept
    arrived = desk.get(LIVE, {"since": since, "view": "mine", "number": str(wanted.instance_id)}).json()["arrived"]
    assert list(arrived) == [str(wanted.pk)]
    assert set(desk.get(LIVE, {"since": since}).json()["arrived"]) == {str(wanted.pk), str(other.pk)}


@pytest.mark.parametrize("by", ["time", "customer"])
def test_who_wakes_is_told_to_have_arrived(desk, salma, by) -> None:
    escalation = factories.waiting(minutes=90)
    snooze([escalation.pk], salma, timezone.now() + timedelta(hours=1))
    since = timezone.now()
    assert desk.get(LIVE, {"since": since.isoformat()}).json()["arrived"] == {}
    if by == "time":
        EscalationState.objects.update(snoozed_until=timezone.now())
    else:
        factories.message(escalation.instance.conversations.get(), timestamp=timezone.now())
    cache.clear()
    told = desk.get(LIVE, {"since": since.isoformat()}).json()
    assert list(told["arrived"]) == [str(escalation.pk)]
    cache.clear()
    assert desk.get(LIVE, {"since": since.isoformat()}).json()["arrived"] == told["arrived"]


def test_it_tells_whose_customer_wrote_and_what_the_page_lacks(desk, salma) -> None:
    escalation = factories.waiting(minutes=9)
    claim([escalation.pk], salma)
    desk.post(f"{LIVE}{escalation.pk}/")
    message = factories.message(escalation.instance.conversations.get(), timestamp=timezone.now())
    told = desk.get(LIVE, {"escalation": str(escalation.pk)}).json()
    assert told["written"] == {str(escalation.pk): str(message.pk)}
    assert told["newest"] == str(message.pk)
    assert told["until"]


def test_the_receiver_is_told_what_was_handed_over(desk, salma, sign_in) -> None:
    omar = factories.staff("Support", first_name="Omar")
    escalation, own = factories.waiting(minutes=9), factories.waiting(minutes=9)
    claim([own.pk], salma)
    hand_over([escalation.pk], omar, salma)
    assert [giver for giver, _ in desk.get(LIVE).json()["handed"].values()] == ["Omar"]
    assert sign_in(omar).get(LIVE).json()["handed"] == {}
    lasts = EscalationState.objects.get(pk=escalation.pk).lease_until - timezone.now()
    assert lasts > timedelta(minutes=55)


def test_people_who_see_some_numbers_are_told_about_these(salma) -> None:
    seen, hidden = factories.waiting(minutes=9), factories.waiting(minutes=9)
    claim([hidden.pk], salma)
    listener = Listener(salma.pk, frozenset([seen.instance_id]))
    told = fresh_board().told(listener, factories.ago(hours=1))
    assert told["counts"] == {"mine": 0, "unclaimed": 1, "open": 1, "snoozed": 0, "today": 0}
    assert (list(told["arrived"]), told["claims"]) == ([str(seen.pk)], {})


@pytest.mark.parametrize("since", ["", "x", "2026-01-01", "2026-99-99T00:00:00Z"])
def test_a_malformed_moment_reads_as_now(desk, since) -> None:
    factories.waiting(minutes=9)
    assert desk.get(LIVE, {"since": since}).json()["arrived"] == {}


def test_people_who_may_not_see_the_desk_are_told_nothing(sign_in) -> None:
    assert Client().get(LIVE).status_code == 403
    assert sign_in(factories.staff()).get(LIVE).status_code == 403


def test_people_who_leave_are_soon_told_nothing(desk, salma) -> None:
    assert desk.get(LIVE).status_code == 200
    salma.is_active = False
    salma.save()
    cache.clear()
    assert desk.get(LIVE).status_code == 403


def viewers(reader: User) -> dict[str, list[str]]:
    return fresh_board().told(Listener(reader.pk, None))["viewers"]


@pytest.fixture
def omar(db) -> User:
    return factories.staff("Support", first_name="Omar", last_name="Ali")


def test_those_who_look_see_who_else_does(salma, omar, django_assert_num_queries) -> None:
    escalation = factories.waiting(minutes=30)
    with django_assert_num_queries(1):
        look(escalation.pk, salma.pk)
    assert viewers(salma) == {}
    assert viewers(omar) == {str(escalation.pk): ["Salma"]}
    look(escalation.pk, omar.pk)
    assert viewers(salma) == {str(escalation.pk): ["Omar Ali"]}


def test_someone_who_closed_the_page_is_not_shown_and_yesterdays_rows_go(salma, omar) -> None:
    escalation = factories.waiting(minutes=30)
    look(escalation.pk, omar.pk)
    Viewing.objects.update(seen_at=timezone.now() - FRESH)
    assert viewers(salma) == {}
    Viewing.objects.update(seen_at=factories.ago(days=2))
    look(escalation.pk, salma.pk)
    assert [viewing.user for viewing in Viewing.objects.all()] == [salma]
