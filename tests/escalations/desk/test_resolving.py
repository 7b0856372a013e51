"""Resolving through the pages: what happens, what is said, and who may."""

import pytest
from django.test import Client

from escalations.models import Event
from tests import factories, wording
from tests.escalations.conftest import QUEUE, SignIn, address


def said(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


@pytest.fixture
def support(sign_in: SignIn) -> Client:
    return sign_in(factories.staff("Support", first_name="Salma"))


def test_resolving_an_escalation_says_so_and_offers_the_next(support) -> None:
    escalation, following = factories.waiting(minutes=90), factories.waiting(minutes=50)
    response = support.post(address(escalation, "resolve"), follow=True)
    assert response.redirect_chain == [(address(escalation), 302)]
    [told] = said(response)
    assert told.startswith("1 escalation resolved. <button")
    assert address(escalation, "reopen") in told
    text = response.content.decode()
    assert address(following) in text
    assert address(escalation, "resolve") not in text
    assert "Salma" in text
    escalation.refresh_from_db()
    assert escalation.resolved_at is not None


def test_the_last_escalation_says_that_no_one_else_is_waiting(support) -> None:
    response = support.post(address(factories.waiting(minutes=5), "resolve"), follow=True)
    assert wording.NONE_ELSE_WAITING in response.content.decode()


def test_the_second_person_is_told_who_was_first(support, sign_in) -> None:
    escalation = factories.waiting(minutes=90)
    sign_in(factories.staff("Support", first_name="Omar", last_name="<b>Ali</b>")).post(address(escalation, "resolve"))
    response = support.post(address(escalation, "resolve"), follow=True)
    [told] = said(response)
    assert f'{wording.ALREADY_RESOLVED_BY} <bdi class="outside">Omar &lt;b&gt;Ali&lt;/b&gt;</bdi>' in told
    assert "<b>Ali" not in response.content.decode()
    assert Event.objects.count() == 1


def test_pressing_twice_is_told_as_ones_own(support) -> None:
    escalation = factories.waiting(minutes=90)
    support.post(address(escalation, "resolve"))
    [_, told] = said(support.post(address(escalation, "resolve"), follow=True))
    assert told.startswith(wording.ALREADY_RESOLVED_BY_YOU)


def test_resolved_outside_this_app_is_told(support) -> None:
    escalation = factories.waiting(minutes=90)
    factories.resolve_elsewhere([escalation.pk])
    [told] = said(support.post(address(escalation, "resolve"), follow=True))
    assert wording.ALREADY_RESOLVED_ELSEWHERE in told


def test_get_changes_nothing(support) -> None:
    escalation = factories.waiting(minutes=5)
    assert support.get(address(escalation, "resolve")).url == address(escalation)
    support.get(address(escalation))
    escalation.refresh_from_db()
    assert escalation.resolved_at is None


def test_a_form_of_another_site_is_refused(db) -> None:
    escalation = factories.waiting(minutes=5)
    client = Client(enforce_csrf_checks=True)
    client.force_login(factories.staff("Support"), backend="django.contrib.auth.backends.ModelBackend")
    assert client.post(address(escalation, "resolve")).status_code == 403


@pytest.mark.parametrize("group", ["Managers", "Operators"])
def test_people_who_may_only_look_see_no_button_and_are_refused(sign_in, group) -> None:
    escalation = factories.waiting(minutes=5)
    client = sign_in(factories.staff(group))
    for page in (QUEUE, address(escalation)):
        response = client.get(page)
        assert response.status_code == 200
        assert escalation.whatsapp_number[-4:] in response.content.decode()
        assert (escalation.whatsapp_number in response.content.decode()) == (group == "Managers")
        assert "resolve/" not in response.content.decode()
        assert ('name="escalation"' in response.content.decode()) == (page == QUEUE and group == "Managers")
    assert client.post(address(escalation, "resolve")).status_code == 403
    escalation.refresh_from_db()
    assert escalation.resolved_at is None


def test_people_who_may_not_look_are_refused(sign_in) -> None:
    escalation = factories.waiting(minutes=5)
    client = sign_in(factories.staff())
    for page in (QUEUE, f"{QUEUE}?q=x", address(escalation)):
        assert client.get(page).status_code == 403


def test_people_who_are_not_logged_in_are_sent_to_log_in(db) -> None:
    escalation = factories.waiting(minutes=5)
    for page in (QUEUE, address(escalation)):
        assert Client().get(page).status_code == 302
    response = Client().post(address(escalation, "resolve"))
    assert response.status_code == 302
    assert "/login/" in response.url
    escalation.refresh_from_db()
    assert escalation.resolved_at is None


def test_an_administrator_may_resolve_but_neither_add_nor_delete(sign_in) -> None:
    escalation = factories.waiting(minutes=5)
    client = sign_in(factories.staff(is_superuser=True))
    assert client.get(f"{QUEUE}add/").status_code == 404
    assert client.post(f"{QUEUE}{escalation.pk}/delete/").status_code == 404
    assert client.post(address(escalation, "resolve")).status_code == 302
    escalation.refresh_from_db()
    assert escalation.resolved_at is not None
