"""Where businesses stand with their AI answers, in queries, lists and on the home page."""

import pytest
from django.test import Client

from tests import factories
from usage.models import Profile
from usage.queries import QuotaState

pytestmark = pytest.mark.django_db


def business(used: int, limit: int) -> Profile:
    return factories.business(monthly_ai_responses_used=used, monthly_ai_response_limit=limit)


@pytest.mark.parametrize(
    ("used", "limit", "state"),
    [
        (0, 0, QuotaState.DISABLED),
        (5, 0, QuotaState.DISABLED),
        (0, 100, QuotaState.ENOUGH),
        (79, 100, QuotaState.ENOUGH),
        (80, 100, QuotaState.NEAR),
        (99, 100, QuotaState.NEAR),
        (100, 100, QuotaState.OVER),
        (101, 100, QuotaState.OVER),
        (1, 1, QuotaState.OVER),
        (2_147_483_647, 2_147_483_647, QuotaState.OVER),
        (0, 2_147_483_647, QuotaState.ENOUGH),
    ],
)
def test_queries_and_rows_agree_on_the_state(used: int, limit: int, state: QuotaState) -> None:
    row = business(used, limit)
    assert QuotaState.of(used, limit) is state
    assert [other for other in QuotaState if Profile.objects.in_quota_state(other).filter(pk=row.pk).exists()] == [
        state
    ]


def test_an_unknown_state_is_refused() -> None:
    with pytest.raises(ValueError, match="rich"):
        Profile.objects.in_quota_state("rich")


def test_the_home_page_of_a_manager_begins_with_who_is_out(client: Client) -> None:
    near, out, enough = business(85, 100), business(120, 100), business(1, 100)
    client.force_login(factories.staff("Managers"), "django.contrib.auth.backends.ModelBackend")
    page = client.get("/").content.decode()
    assert page.index(str(out)) < page.index(str(near))
    assert str(enough) not in page
    assert "business is out of answers" in page


def test_with_nobody_out_the_home_page_says_so(client: Client) -> None:
    client.force_login(factories.staff("Managers"), "django.contrib.auth.backends.ModelBackend")
    assert "No business is out of answers" in client.get("/").content.decode()


def test_numbers_of_a_business_are_one_step_away(client: Client) -> None:
    number = factories.instance()
    factories.instance()
    client.force_login(factories.staff("Managers"), "django.contrib.auth.backends.ModelBackend")
    address = f"/conversations/whatsappinstance/?business__id__exact={number.business_id}"
    assert f'href="{address}"' in client.get(f"/usage/profile/{number.business_id}/change/").content.decode()
    assert client.get(address).content.decode().count('<tr role="row">') == 2
