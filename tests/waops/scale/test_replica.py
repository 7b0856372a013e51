"""Lists, reports and exports from a real streaming replica: what is read there, and when it is late or gone."""

import logging

import psycopg
import pytest
from django.core.cache import cache
from django.db import connections
from django.urls import get_resolver

from conversations.models import Conversation
from escalations.desk import board
from escalations.models import Escalation
from tests import factories
from tests.http import Person, no_patience
from tests.waops.scale.conftest import Standby
from usage.models import Profile
from waops.database import replica

QUEUE, CONVERSATIONS, QUOTA = "/escalations/escalation/", "/conversations/conversation/", "/usage/profile/"
SEARCH, EXPORT = f"{QUEUE}search/?q=", f"{QUEUE}reports/escalations.csv"
NUMBER = "201055501234"
LIMIT = {"limit-expected": "100", "limit-limit": "250", "limit-reason": "More"}


def fall_behind(standby: Standby, amal: Person) -> None:
    """From now on the replica stands still; it was up to date when Amal last looked."""
    standby.catch_up()
    assert amal.get(CONVERSATIONS).status == 200
    standby.catch_up()
    standby.pause()


def renamed(standby: Standby, amal: Person) -> Profile:
    """A business that is "Here" on the primary, and still "There" on the replica."""
    profile = factories.business("There")
    fall_behind(standby, amal)
    Profile.objects.filter(pk=profile.pk).update(business_name="Here")
    return profile


def test_lists_reports_and_exports_are_read_there(replicated: Standby, amal: Person) -> None:
    customer = factories.conversation(user_phone=NUMBER)
    factories.message(customer, "Where is my parcel")
    factories.escalation(customer)
    fall_behind(replicated, amal)
    Conversation.objects.filter(pk=customer.pk).update(user_phone="201000000009")
    Escalation.objects.update(whatsapp_number="201000000009")
    for page in (CONVERSATIONS, f"{SEARCH}parcel", EXPORT):
        assert NUMBER[-4:] in amal.get(page).text, page


def test_people_see_their_own_changes(replicated: Standby, amal: Person) -> None:
    profile = renamed(replicated, amal)
    assert "There" in amal.get(QUOTA).text
    answer = amal.post(f"{QUOTA}{profile.pk}/limit/", **LIMIT)
    assert answer.status == 302
    (cookie,) = [one for one in answer.cookies if one.startswith(replica.COOKIE)]
    assert f"Max-Age={replica.PIN_SECONDS}" in cookie
    amal.cookies[replica.COOKIE] = "1"
    page = amal.get(f"{QUOTA}{profile.pk}/change/").text
    assert "Here" in page
    assert "250" in page
    del amal.cookies[replica.COOKIE]  # as the browser does in time
    assert "There" in amal.get(QUOTA).text


def test_a_replica_that_is_late_is_not_used(replicated: Standby, amal: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replica, "NOTE_SECONDS", 0)
    renamed(replicated, amal)
    assert "There" in amal.get(QUOTA).text
    # The notes of before are too old now: what is left is where the primary has got to.
    monkeypatch.setattr(replica, "LATEST_SECONDS", 0)
    assert "Here" in amal.get(QUOTA).text
    replicated.catch_up()
    assert amal.get(QUOTA).status == 200


def test_the_live_desk_and_actions_never_leave_the_primary(replicated: Standby, amal: Person) -> None:
    replicated.pause()
    escalation = factories.waiting(minutes=5)
    assert escalation.whatsapp_number[-4:] in amal.get(QUEUE).text
    assert amal.post(f"{QUEUE}{escalation.pk}/claim/").status == 302
    cache.delete(board.KEY)  # the board of a moment ago is kept
    assert amal.get(f"{QUEUE}live/").text.count(str(escalation.pk)) == 1


def test_no_one_notices_a_missing_replica(
    replicated: Standby, amal: Person, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replica, "REST_SECONDS", 600)
    renamed(replicated, amal)
    assert "There" in amal.get(QUOTA).text
    replicated.resume()
    replicated.server.stop("immediate")
    try:
        with no_patience(replica.ALIAS), caplog.at_level(logging.WARNING, logger="waops"):
            for page in (QUOTA, CONVERSATIONS, f"{SEARCH}parcel", EXPORT):
                assert amal.get(page).status == 200, page
        assert "Here" in amal.get(QUOTA).text
        warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
        lines = [record.message for record in warnings if record.name.startswith("waops")]
        assert len(lines) == 1, lines
        assert "replica" in lines[0]
    finally:
        replicated.server._ensure_running()


def test_a_replica_lost_in_the_middle_of_a_page(replicated: Standby, amal: Person) -> None:
    """The page is made again from the primary: here because the replica has a table less."""
    factories.business("Here")
    with psycopg.connect(**connections["default"].get_connection_params()) as primary:
        primary.execute("ALTER TABLE waops.usage_usagebyday RENAME TO mislaid")
    fall_behind(replicated, amal)
    with psycopg.connect(**connections["default"].get_connection_params()) as primary:
        primary.execute("ALTER TABLE waops.mislaid RENAME TO usage_usagebyday")
    assert "Here" in amal.get(QUOTA).text


def test_a_change_is_on_the_replica_when_its_author_is_back_there() -> None:
    assert replica.PIN_SECONDS > replica.LATEST_SECONDS


def test_every_named_page_exists() -> None:
    names = set()

    def collect(resolver) -> None:
        for pattern in resolver.url_patterns:
            if hasattr(pattern, "url_patterns"):
                collect(pattern)
            else:
                names.add(pattern.name)

    collect(get_resolver())
    assert names >= replica.PAGES | replica.LIVE | replica.CHANGES_NO_LIST


def test_rows_of_the_replica_are_written_to_the_primary(replicated: Standby) -> None:
    escalation = factories.waiting(minutes=5)
    replicated.catch_up()
    found = Escalation.objects.using(replica.ALIAS).get(pk=escalation.pk)
    found.whatsapp_number = NUMBER
    found.save(update_fields=["whatsapp_number"])
    assert Escalation.objects.get(pk=escalation.pk).whatsapp_number == NUMBER
