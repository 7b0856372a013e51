"""Changing quotas on the pages: one, many after a preview, and who may not."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests import wording
from tests.usage.shops import OVERVIEW, log_in, post, shop
from usage import business
from usage.models import Profile, QuotaChange, TopUp


@pytest.fixture
def manager(db) -> Client:
    return log_in("Managers")


def test_a_manager_changes_a_quota_and_reads_what_came_of_it(manager) -> None:
    one = shop("Short", per_day=9, monthly_ai_response_limit=91)
    until = timezone.localdate() + timedelta(days=3)
    html = post(manager, one, "top_up", expected=91, amount=500, until=until, reason="Feast days").content.decode()
    assert "Changed: 90 of 591 used. Before: runs out on" in html
    assert TopUp.objects.get().reason == "Feast days"
    html = post(manager, one, "limit", expected=91, limit=700, reason="Upgrade").content.decode()
    assert wording.QUOTA_CHANGED_FIRST.format(591) in html
    refused = post(manager, one, "limit", expected=591, limit=701, reason="")
    html = refused.content.decode()
    assert refused.status_code == 400
    assert "This field is required." in html
    assert 'value="701"' in html
    assert Profile.objects.get(pk=one.pk).monthly_ai_response_limit == 591
    html = post(manager, one, "limit", expected=591, limit=700, reason="Upgrade").content.decode()
    assert "Upgrade" in html
    stored = Profile.objects.get(pk=one.pk)
    expected = stored.last_responses_reset_date.isoformat()
    html = post(manager, one, "reset", expected=expected, reason="Test messages").content.decode()
    assert wording.CHANGED_QUOTA.format(0, 700) in html
    assert QuotaChange.objects.filter(kind="reset").get().old_used == 90
    assert [change.kind for change in business.load(one.pk, business.Narrowed()).changes] == [
        "reset",
        "limit",
        "top_up_superseded",
        "top_up",
    ]


def bulk(client: Client, **values):
    values = {"scope": "selected", "kind": "limit", "number": 300, "reason": "New plans", "list": "", **values}
    return client.post(f"{OVERVIEW}bulk/", {name: value for name, value in values.items() if value is not None})


def test_many_are_changed_after_a_preview_and_who_moved_is_left_alone(manager) -> None:
    shops = [shop(f"Shop {number}") for number in range(5)]
    preview = bulk(manager, id=[str(one.pk) for one in shops[:3]])
    assert "Change 3 businesses" in preview.content.decode()
    assert QuotaChange.objects.count() == 0
    Profile.objects.filter(pk=shops[1].pk).update(monthly_ai_response_limit=150)
    plan = preview.context["plan"]
    result = manager.post(f"{OVERVIEW}bulk/", {"plan": plan, "list": ""}, follow=True).content.decode()
    assert f"2 {wording.BUSINESSES_CHANGED}" in result
    assert "Shop 1" in result
    limits = Profile.objects.order_by("business_name").values_list("monthly_ai_response_limit", flat=True)
    assert list(limits) == [300, 150, 300, 100, 100]


def test_everybody_who_is_left_out_of_a_change_of_many_is_told_of(manager, monkeypatch) -> None:
    monkeypatch.setattr("usage.bulk.NAMED", 2)
    shops = [shop(f"Shop {number}") for number in range(6)]
    plan = bulk(manager, id=[str(one.pk) for one in shops]).context["plan"]
    Profile.objects.filter(pk__in=[one.pk for one in shops[:3]]).update(monthly_ai_response_limit=150)
    Profile.objects.filter(pk=shops[3].pk).delete()
    result = manager.post(f"{OVERVIEW}bulk/", {"plan": plan, "list": ""}, follow=True).content.decode()
    assert f"2 {wording.BUSINESSES_CHANGED}" in result
    assert "and 1 more" in result
    assert f"1 {wording.BUSINESS_GONE}" in result


def test_a_preview_says_what_the_change_would_do_to_the_forecast(manager) -> None:
    short = shop("Short", per_day=9, monthly_ai_response_limit=91)
    [(before, limit, after)] = bulk(manager, id=[str(short.pk)], number=5_000).context["steps"]
    assert (before.forecast.verdict, limit, after.forecast.verdict) == ("before_reset", 5_000, "lasts")
    [(before, used, after)] = bulk(manager, id=[str(short.pk)], kind="reset").context["steps"]
    assert (used, after.used, after.limit) == (0, 0, 91)
    assert after.forecast.exhausted_at > before.forecast.exhausted_at
    assert after.resets_on - timezone.now() > timedelta(days=29)


@pytest.mark.parametrize(("kind", "limit", "used"), [("add", 400, 5), ("top_up", 400, 5), ("reset", 100, 0)])
def test_all_that_match_are_changed(manager, kind, limit, used) -> None:
    for number in range(60):
        shop(f"Shop {number}", used=5)
    shop("Other", used=5)
    until = timezone.localdate() + timedelta(days=2)
    preview = bulk(manager, scope="all", kind=kind, until=until, list="q=shop&view=all")
    assert "Change 60 businesses" in preview.content.decode()
    manager.post(f"{OVERVIEW}bulk/", {"plan": preview.context["plan"], "list": "q=shop"})
    changed = Profile.objects.filter(monthly_ai_response_limit=limit, monthly_ai_responses_used=used)
    assert changed.filter(business_name__startswith="Shop").count() == 60
    other = Profile.objects.get(business_name="Other")
    assert (other.monthly_ai_response_limit, other.monthly_ai_responses_used) == (100, 5)


@pytest.mark.parametrize(
    "values", [{"reason": ""}, {"number": ""}, {"id": []}, {"kind": "x"}, {"kind": "top_up"}, {"id": ["1"]}]
)
def test_an_incomplete_change_of_many_is_refused(manager, values) -> None:
    one = shop("Shop")
    response = bulk(manager, **{"id": [str(one.pk)], **values})
    assert response.status_code == 302
    assert QuotaChange.objects.count() == 0


def test_a_forged_plan_is_refused(manager) -> None:
    assert manager.post(f"{OVERVIEW}bulk/", {"plan": "e30:1:x", "list": ""}).status_code == 302
    assert QuotaChange.objects.count() == 0


@pytest.mark.parametrize("group", ["Support", "Operators"])
def test_others_see_no_changing_action_and_are_refused(db, group) -> None:
    client, one = log_in(group), shop("Shop", per_day=1)
    for address in (OVERVIEW, f"{OVERVIEW}{one.pk}/change/"):
        response = client.get(address)
        assert response.status_code == (403 if group == "Support" else 200)
        html = response.content.decode()
        for word in ("bulk", "top_up", "/reset/", "/limit/", "export", "checkbox"):
            assert word not in html, word
    for action in ("limit", "top_up", "reset"):
        assert post(client, one, action, expected=100, limit=5, reason="x").status_code == 403
    assert bulk(client, id=[str(one.pk)]).status_code == 403
    for address in ("export/", f"{one.pk}/export/"):
        assert client.get(f"{OVERVIEW}{address}").status_code == 403
    assert client.post(f"{OVERVIEW}{one.pk}/change/", {"limit": 5}).status_code == 403
    assert QuotaChange.objects.count() == 0
    assert client.get("/usage/price/add/").status_code == 403


def test_a_change_by_get_is_not_allowed(manager) -> None:
    one = shop("Shop")
    response = manager.get(reverse("admin:usage_profile_limit", args=[one.pk]), {"limit-limit": 5})
    assert response.headers["Location"] == f"{OVERVIEW}{one.pk}/change/"
    assert QuotaChange.objects.count() == 0
    assert manager.get(f"{OVERVIEW}bulk/").headers["Location"] == OVERVIEW
