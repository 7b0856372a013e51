"""The quota: what a check answers, and what it counts, on both paths."""

from uuid import UUID

import pytest
from django.test import Client
from waffle.testutils import override_sample

from tests import factories, wording
from usage.models import Profile
from usage.procedures import check_and_update_ai_usage
from waops.database.incidents import Incident

pytestmark = pytest.mark.django_db

NOBODY = UUID("00000000-0000-0000-0000-000000000000")


@pytest.fixture(autouse=True, params=["function", "legacy path"])
def path(request):
    with override_sample("check_and_update_ai_usage", active=request.param == "function"):
        yield


def used(business: Profile) -> int:
    return Profile.objects.get(pk=business.pk).monthly_ai_responses_used


def test_a_check_counts_nothing():
    business = factories.business(monthly_ai_response_limit=10, monthly_ai_responses_used=3)
    usage = check_and_update_ai_usage(business.pk)
    assert (usage.allowed, usage.limit, usage.used, usage.error_message) == (True, 10, 3, None)
    assert used(business) == 3


def test_an_increment_counts_up_to_the_limit():
    business = factories.business(monthly_ai_response_limit=2, monthly_ai_responses_used=0)
    answers = [check_and_update_ai_usage(business.pk, increment=True) for _ in range(4)]
    assert [answer.allowed for answer in answers] == [True, True, False, False]
    assert [answer.used for answer in answers] == [1, 2, 2, 2]
    assert used(business) == 2


@pytest.mark.parametrize(("limit", "before"), [(0, 0), (5, 5), (5, 9)])
def test_disabled_used_up_and_over_are_not_allowed(limit: int, before: int):
    business = factories.business(monthly_ai_response_limit=limit, monthly_ai_responses_used=before)
    for increment in (False, True):
        usage = check_and_update_ai_usage(business.pk, increment)
        assert (usage.allowed, usage.used) == (False, before)


def test_an_overdue_reset_is_told_and_not_done():
    business = factories.business(monthly_ai_responses_used=7, last_responses_reset_date=factories.ago(days=70))
    usage = check_and_update_ai_usage(business.pk)
    assert usage.reset_overdue
    assert usage.resets_on > factories.ago()
    assert used(business) == 7


@pytest.mark.parametrize("increment", [False, True])
@pytest.mark.parametrize(
    ("business", "error"), [(None, "User ID is required"), (NOBODY, f"No profile has id {NOBODY}")]
)
def test_without_a_business_it_is_allowed_and_counted(business: UUID | None, error: str, increment: bool):
    usage = check_and_update_ai_usage(business, increment)
    assert (usage.allowed, usage.limit, usage.used, usage.resets_on) == (True, 0, 0, None)
    assert usage.error_message == error
    check_and_update_ai_usage(business, increment)
    incident = Incident.objects.get()
    assert (incident.kind, incident.detail, incident.occurrences) == ("unknown_business", str(business or ""), 2)


@pytest.mark.parametrize("active", [True, False])
@pytest.mark.parametrize(("used", "said"), [(9, wording.AI_MAY_REPLY), (10, wording.AI_STAYS_SILENT)])
def test_a_businesss_page_says_what_the_service_would_answer(active: bool, used: int, said: str) -> None:
    business = factories.business(monthly_ai_response_limit=10, monthly_ai_responses_used=used)
    client = Client()
    client.force_login(factories.staff("Managers"))
    with override_sample("check_and_update_ai_usage", active=active):
        text = client.get(f"/usage/profile/{business.pk}/change/").content.decode()
    assert said in text
    business.refresh_from_db()
    assert business.monthly_ai_responses_used == used
