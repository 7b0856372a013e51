"""Dates and numbers far away, in rows, forms and addresses: pages stay small and say what is wrong."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core import signing
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests import factories, wording
from tests.usage.shops import OVERVIEW, log_in, page, post, shop
from usage import alerts, bulk, business, rollup
from usage.models import AlertRule, Profile, QuotaChange, TopUp

FAR = ("0001-01-01", "1970-01-01", "1999-12-01", "2100-02-01", "9999-12-31")


@pytest.fixture
def manager(db) -> Client:
    return log_in("Managers")


def address(one: Profile) -> str:
    return reverse("admin:usage_profile_change", args=[one.pk])


@pytest.mark.parametrize(
    "moment", [datetime(1, 1, 2, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC), datetime(2001, 1, 1, tzinfo=UTC)]
)
def test_a_period_of_many_years_is_a_small_page(manager, moment: datetime) -> None:
    one = shop(per_day=2, days=3, monthly_ai_response_limit=100)
    Profile.objects.filter(pk=one.pk).update(last_responses_reset_date=moment)
    assert len(page(manager, address(one))) < 200_000


def test_days_far_away_are_listed_and_counted_without_what_lies_between(manager) -> None:
    one = shop(per_day=1, days=2, monthly_ai_response_limit=100)
    Profile.objects.filter(pk=one.pk).update(last_responses_reset_date=None)
    chat = factories.conversation(factories.instance(one))
    days = [datetime(2060, 1, 1, 12, tzinfo=UTC) + timedelta(days=age) for age in range(business.ODD_DAYS + 5)]
    for moment in [*days, datetime(2002, 3, 4, 12, tzinfo=UTC)]:
        factories.interaction(chat, created_at=moment, total_tokens=10)
    rollup.refresh()
    html = page(manager, address(one))
    assert len(html) < 400_000
    assert f"day={days[-1].date()}" in html
    assert "Other days" in html
    found = manager.get(address(one)).context
    listed = sum(part.replies for _day, part in found["days"]) + found["other_days"].replies
    assert listed == found["page"].usage.whole.replies == len(days) + 3
    assert "2060" not in str(found["day_chart"])
    exported = manager.get(reverse("admin:usage_profile_export_one", args=[one.pk])).getvalue().decode()
    assert days[0].date().isoformat() in exported


@pytest.mark.parametrize("day", FAR)
def test_a_day_on_which_nothing_is_counted_is_refused(manager, day: str) -> None:
    one = shop()
    assert manager.get(address(one), {"day": day}).status_code == 400


@pytest.mark.parametrize("until", [day for day in FAR if day > "2100"])
def test_a_top_up_ends_within_this_century(manager, until: str) -> None:
    one = shop(monthly_ai_response_limit=100)
    refused = post(manager, one, "top_up", expected=100, amount=5, until=until, reason="Feast")
    assert refused.status_code == 400
    assert f"{wording.CHOOSE_A_DAY} 1 January 2100." in refused.content.decode()
    values = {"scope": "selected", "kind": "top_up", "number": 5, "until": until, "reason": "Feast", "list": ""}
    response = manager.post(f"{OVERVIEW}bulk/", {**values, "id": [str(one.pk)]}, follow=True)
    assert f"{wording.CHOOSE_A_DAY} 1 January 2100." in response.content.decode()
    assert not TopUp.objects.exists()


def test_a_limit_near_the_largest_number_is_refused(manager) -> None:
    one = shop(monthly_ai_response_limit=2**31 - 1)
    html = post(
        manager, one, "top_up", expected=2**31 - 1, amount=5, until=timezone.localdate(), reason="Feast"
    ).content.decode()
    assert f"{wording.LIMIT_TOO_HIGH} 10,000,000." in html
    html = post(manager, one, "limit", expected=2**40, limit=100, reason="Less").content.decode()
    assert "Not saved" in html
    html = post(manager, one, "limit", expected=2**31 - 1, limit=100, reason="Less").content.decode()
    assert "Changed" in html


def test_a_bulk_top_up_confirmed_after_its_last_day_changes_nothing(manager) -> None:
    one = shop(monthly_ai_response_limit=100)
    plan = {
        "kind": "top_up",
        "number": 5,
        "until": factories.ago(minutes=1).isoformat(),
        "reason": "Feast",
        "businesses": {str(one.pk): 100},
    }
    signed = signing.dumps(plan, salt=bulk.SALT, compress=True)
    html = manager.post(f"{OVERVIEW}bulk/", {"plan": signed, "list": ""}, follow=True).content.decode()
    assert wording.LAST_DAY_IS_OVER in html
    assert not QuotaChange.objects.exists()


@pytest.mark.parametrize("value", ["'infinity'", "'-infinity'", "'0044-03-15 00:00+00 BC'", "'9999-12-31 12:00+00'"])
def test_a_counter_is_reset_whatever_its_last_reset_is(manager, value: str) -> None:
    one = shop(monthly_ai_response_limit=100, used=9)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE public.profiles SET last_responses_reset_date = {value} WHERE id = %s", [one.pk])
    form = manager.get(address(one)).context["reset_form"]
    html = post(manager, one, "reset", expected=form.initial["expected"], reason="Odd date").content.decode()
    assert wording.CHANGED_QUOTA.format(0, 100) in html
    change = QuotaChange.objects.get(kind="reset")
    assert value.strip("'").split(" ")[0] in str(change.old_reset)
    page(manager, f"/usage/quotachange/{change.pk}/change/")
    preview = {"scope": "selected", "kind": "reset", "reason": "Odd", "list": "", "id": [str(one.pk)]}
    assert manager.post(f"{OVERVIEW}bulk/", preview).status_code in (200, 302)


def test_alerts_of_businesses_with_any_last_reset(manager) -> None:
    AlertRule.objects.get_or_create(business=None)
    values = ("now()", "'infinity'", "'-infinity'", "'294276-12-31 23:00+00'", "'0044-03-15 00:00+00 BC'", "NULL")
    for value in values:
        one = shop(monthly_ai_response_limit=100, used=99)
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE public.profiles SET last_responses_reset_date = {value} WHERE id = %s", [one.pk])
    assert len({alert.business_id for alert in alerts.raise_alerts()}) == len(values)
    assert alerts.raise_alerts() == []
