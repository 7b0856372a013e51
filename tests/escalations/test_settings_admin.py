"""Outcomes, notes, rules, targets and hours: managers edit them in the admin, no one else sees them."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.db.models import ProtectedError
from django.test import Client
from django.urls import reverse
from django.utils import translation

from escalations.models import CannedNote, ClosingOutcome, ClosingRule, SLATarget, WorkingDay
from escalations.procedures import resolve
from tests import factories, wording

MODELS = ("closingoutcome", "cannednote", "closingrule", "slatarget", "workingday")


def address(model: str, page: str = "changelist", *args: object) -> str:
    return reverse(f"admin:escalations_{model}_{page}", args=args)


@pytest.fixture
def as_member(db) -> Callable[..., Client]:
    def sign_in(*groups: str) -> Client:
        client = Client()
        client.force_login(factories.staff(*groups), backend="django.contrib.auth.backends.ModelBackend")
        return client

    return sign_in


@pytest.mark.parametrize("model", MODELS)
def test_managers_see_lists_and_forms_and_others_do_not(as_member, model) -> None:
    managers = as_member("Managers")
    assert managers.get(address(model)).status_code == 200
    assert managers.get(address(model, "add")).status_code == 200
    for group in ("Support", "Operators"):
        assert as_member(group).get(address(model)).status_code == 403


def test_a_manager_adds_hours(as_member) -> None:
    response = as_member("Managers").post(
        address("workingday", "add"), {"weekday": 5, "begins": "10:00", "ends": "14:00"}
    )
    assert response.status_code == 302
    assert WorkingDay.objects.filter(weekday=5).count() == 1


def test_targets_in_the_wrong_order_are_refused(as_member) -> None:
    values = {"plan_type": "Scale", "warn_minutes": 60, "breach_minutes": 30, "clock": "always"}
    response = as_member("Managers").post(address("slatarget", "add"), values)
    assert wording.LONG_BEFORE_TOO_LONG in response.content.decode()
    assert not SLATarget.objects.filter(plan_type="Scale").exists()


def test_a_second_rule_for_all_others_is_refused(as_member) -> None:
    managers = as_member("Managers")
    for status in (302, 200):
        assert managers.post(address("closingrule", "add"), {"note_required": "on"}).status_code == status
    assert ClosingRule.objects.count() == 1


def test_the_rule_of_a_deleted_business_stays_its_rule(as_member) -> None:
    shop = factories.business("Bakery")
    rule = ClosingRule.objects.create(business=shop)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM auth.users WHERE id = %s", [shop.pk])
    managers, page = as_member("Managers"), address("closingrule", "change", rule.pk)
    for place in (address("closingrule"), page):
        assert f"Deleted business ({shop.pk})" in managers.get(place).content.decode()
    assert managers.post(page, {"note_required": "on"}).status_code == 302
    rule.refresh_from_db()
    assert (rule.business_id, rule.note_required) == (shop.pk, True)


def test_the_code_of_an_outcome_never_changes_and_a_used_one_stays(as_member) -> None:
    outcome = ClosingOutcome.objects.get(code="sold")
    resolve([factories.waiting(minutes=30).pk], factories.staff("Support"), outcome)
    values = {"code": "x", "name_en": "Bought", "name_ar": "اشترى", "position": 1}
    as_member("Managers").post(address("closingoutcome", "change", "sold"), values)
    outcome.refresh_from_db()
    assert (outcome.name_en, outcome.is_active) == ("Bought", False)
    with pytest.raises(ProtectedError):
        outcome.delete()


@pytest.mark.parametrize(("language", "name", "title"), [("en", "Sold", "Called"), ("ar", "تم البيع", "اتصلنا")])
def test_names_are_in_the_readers_language(db, language, name, title) -> None:
    with translation.override(language):
        assert str(ClosingOutcome.objects.get(code="sold")) == name
        assert str(CannedNote.objects.order_by("position")[1]).startswith(title)
