"""Forms that are sent twice: by a double click, or again after an answer that got lost."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, OperationalError, connection, connections
from django.test import Client
from django.utils import timezone
from psycopg import errors

from escalations.models import Escalation, Event
from tests import factories, wording
from tests.escalations.conftest import address
from tests.usage.shops import OVERVIEW, shop
from usage import batches, changes
from usage.models import Profile, QuotaChange, TopUp

KEY = re.compile(r'name="key" value="([^"]+)"')
TWICE = wording.SUBMITTED_TWICE


def signed_in() -> Client:
    client = Client()
    person = factories.staff("Support", "Managers")
    client.force_login(person, "django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def client(db) -> Client:
    return signed_in()


def key_in(client: Client, page: str) -> str:
    return KEY.findall(client.get(page).content.decode())[0]


def notes(escalation: Escalation) -> list[str]:
    return [
        event.details["note"]
        for event in Event.objects.filter(escalation_id=escalation.pk, kind="noted").order_by("pk")
    ]


def test_a_note_that_is_sent_twice_is_stored_once(client) -> None:
    escalation = factories.waiting(minutes=9)
    form = {"note": "Called back", "key": key_in(client, address(escalation, "change"))}
    client.post(address(escalation, "note"), form)
    assert TWICE in client.post(address(escalation, "note"), form, follow=True).content.decode()
    assert notes(escalation) == ["Called back"]


def test_another_text_under_the_key_of_a_page_that_was_gone_back_to_is_stored(client) -> None:
    escalation = factories.waiting(minutes=9)
    key = key_in(client, address(escalation, "change"))
    for note in ("Called", "Called back"):
        client.post(address(escalation, "note"), {"note": note, "key": key})
    assert notes(escalation) == ["Called", "Called back"]


def test_a_double_click_stores_one_note(committed_database) -> None:
    client, escalation = signed_in(), factories.waiting(minutes=9)
    form = {"note": "Called back", "key": key_in(client, address(escalation, "change"))}

    def send(_: int) -> int:
        other = Client()
        other.cookies = client.cookies
        try:
            return other.post(address(escalation, "note"), form).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(send, range(4))) == [302] * 4
    assert notes(escalation) == ["Called back"]


def test_a_refused_form_may_be_sent_again(client) -> None:
    escalation = factories.waiting(minutes=9)
    form = {"note": "", "key": key_in(client, address(escalation, "change"))}
    client.post(address(escalation, "note"), form)
    stale = {**form, "note": "Called back", "version": 9}
    client.post(address(escalation, "note"), stale)
    assert notes(escalation) == []
    assert TWICE not in client.post(address(escalation, "note"), stale, follow=True).content.decode()


@pytest.mark.parametrize(
    ("action", "opposite", "fields", "now", "undone"),
    [
        ("claim", "release", {}, wording.NOW_YOURS, wording.NOW_IN_THE_QUEUE),
        ("snooze", "wake", {"until": "1h"}, "Now snoozed.", wording.NOW_IN_THE_QUEUE),
        ("resolve", "reopen", {}, "Now resolved.", wording.NOW_IN_THE_QUEUE),
    ],
)
def test_a_form_that_is_sent_again_says_what_is_true_now(client, action, opposite, fields, now, undone) -> None:
    escalation = factories.waiting(minutes=9)
    form = {**fields, "key": key_in(client, address(escalation, "change"))}
    client.post(address(escalation, action), form)
    assert f"{TWICE}. {now}" in client.post(address(escalation, action), form, follow=True).content.decode()
    client.post(address(escalation, opposite))
    assert f"{TWICE}. {undone}" in client.post(address(escalation, action), form, follow=True).content.decode()


def test_a_manual_escalation_that_is_sent_twice_says_so(client) -> None:
    chat = factories.conversation()
    page = f"/conversations/conversation/{chat.pk}/change/"
    form = {"note": "", "key": key_in(client, page)}
    by_hand = f"/escalations/escalation/conversation/{chat.pk}/"
    client.post(by_hand, form)
    assert TWICE in client.post(by_hand, form, follow=True).content.decode()
    assert Escalation.objects.count() == 1


@pytest.mark.parametrize("action", ["top_up", "limit"])
def test_a_retried_change_of_a_quota_says_what_happened(client, action) -> None:
    one = shop("Short", monthly_ai_response_limit=100)
    until = timezone.localdate() + timedelta(days=3)
    fields: dict[str, Any] = {"expected": 100, "amount": 50, "limit": 150, "until": until, "reason": "Feast days"}
    form = {f"{action}-{name}": value for name, value in fields.items()}
    form["key"] = key_in(client, f"{OVERVIEW}{one.pk}/change/")
    client.post(f"{OVERVIEW}{one.pk}/{action}/", form)
    told = client.post(f"{OVERVIEW}{one.pk}/{action}/", form, follow=True).content.decode()
    assert f"{TWICE}: " in told
    assert wording.USED_NOW.format(150) in told
    assert "faster" not in told
    assert Profile.objects.get(pk=one.pk).monthly_ai_response_limit == 150
    assert QuotaChange.objects.filter(business=one).count() == 1


@pytest.mark.parametrize("kind", ["add", "top_up", "limit", "reset"])
def test_a_change_of_many_that_is_interrupted_says_so_and_goes_on(committed_database, monkeypatch, kind) -> None:
    monkeypatch.setattr(batches, "BATCH", 2)
    client = signed_in()
    for number in range(5):
        shop(f"Shop {number}", used=5, monthly_ai_response_limit=100)
    preview = client.post(
        f"{OVERVIEW}bulk/",
        {
            "scope": "all",
            "kind": kind,
            "number": 300,
            "until": timezone.localdate() + timedelta(days=3),
            "reason": "New plans",
            "list": "",
        },
    )
    form = {"plan": preview.context["plan"], "list": ""}
    locks = []

    def fail_at_second_batch(run: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "FOR NO KEY UPDATE" in sql:
            locks.append(sql)
            if len(locks) == 2:
                raise OperationalError from errors.QueryCanceled()
        return run(sql, params, many, context)

    with connection.execute_wrapper(fail_at_second_batch):
        interrupted = client.post(f"{OVERVIEW}bulk/", form)
    told = interrupted.content.decode()
    assert interrupted.status_code == 503
    assert f"2 {wording.CHANGED_BEFORE_THE_FAILURE}" in told
    assert f"3 {wording.OTHERS_WERE_NOT}" in told
    assert QuotaChange.objects.exclude(kind="outside").count() == 2
    for changed, already in ((3, 2), (0, 5)):
        told = client.post(f"{OVERVIEW}bulk/", form, follow=True).content.decode()
        assert f"{changed} {wording.BUSINESSES_CHANGED}" in told
        assert f"{already} {wording.ALREADY_CHANGED}" in told
        assert "meanwhile" not in told
    assert QuotaChange.objects.exclude(kind="outside").count() == 5
    assert TopUp.objects.count() == (5 if kind == "top_up" else 0)


def test_a_change_of_many_that_fails_at_once_changes_nothing(committed_database, monkeypatch) -> None:
    one = shop("Shop", monthly_ai_response_limit=100)
    monkeypatch.setattr(changes, "_save", lambda businesses: (_ for _ in ()).throw(OperationalError()))
    with pytest.raises(DatabaseError):
        changes.set_limits({one.pk: (100, 200)}, factories.staff("Managers"), "reason")
    assert QuotaChange.objects.count() == 0
