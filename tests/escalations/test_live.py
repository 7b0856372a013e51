"""The request that keeps the desk live: what it tells, at what cost, to whom."""

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from escalations.procedures import claim, resolve, snooze
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
    assert told["arrived"] == 1
    assert told["claims"] == {str(held.pk): "Omar"}
    assert told["closed"] == {str(old.pk): "Omar"}
    factories.resolve_elsewhere([arrived.pk])
    assert desk.get(LIVE, {"since": since}).json()["closed"][str(arrived.pk)] == ""


def test_who_looks_at_a_case_is_told_to_the_others_only(desk, sign_in) -> None:
    case = factories.waiting(minutes=9)
    other = sign_in(factories.staff("Support", first_name="Omar", last_name="Ali"))
    assert other.post(f"{LIVE}{case.pk}/").status_code == 204
    assert desk.get(LIVE).json()["viewers"] == {str(case.pk): ["Omar Ali"]}
    assert other.get(LIVE).json()["viewers"] == {}


def test_working_on_a_case_renews_the_claim(desk, salma) -> None:
    case = factories.waiting(minutes=9)
    [before] = claim([case.pk], salma)
    desk.post(f"{LIVE}{case.pk}/", {"active": "1"})
    [after] = claim([case.pk], salma)
    assert before.until
    assert after.until
    assert after.until > before.until


def test_where_nothing_changed_the_answer_is_304_after_one_query(desk) -> None:
    factories.waiting(minutes=9)
    first = desk.get(LIVE)
    with CaptureQueriesContext(connection) as queries:
        second = desk.get(LIVE, headers={"if-none-match": first["ETag"]})
    assert second.status_code == 304
    assert second.content == b""
    assert len(queries) == 1
    factories.waiting(minutes=9)
    assert desk.get(LIVE, headers={"if-none-match": first["ETag"]}).status_code == 200


@pytest.mark.parametrize("since", ["", "x", "2026-01-01", "2026-99-99T00:00:00Z"])
def test_a_malformed_moment_reads_as_now(desk, since) -> None:
    factories.waiting(minutes=9)
    assert desk.get(LIVE, {"since": since}).json()["arrived"] == 0


def test_whoever_may_not_see_the_desk_hears_nothing(sign_in) -> None:
    assert Client().get(LIVE).status_code == 403
    assert sign_in(factories.staff()).get(LIVE).status_code == 403


def test_whoever_leaves_hears_nothing_soon(desk, salma) -> None:
    assert desk.get(LIVE).status_code == 200
    salma.is_active = False
    salma.save()
    cache.clear()
    assert desk.get(LIVE).status_code == 403
