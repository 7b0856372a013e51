"""Addresses that ask for what is not there get a page that says so, in the reader's language, with the right status."""

import pytest
from django.test import Client
from django.urls import reverse

from tests import wording
from tests.factories import business, conversation, message, staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(staff("Operators"), backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.mark.parametrize(
    "query",
    [
        "no_such_field=1",
        "content__icontains=secret",
        "conversation__instance__business__full_name=x",
        "author=nobody",
        "author=",
        "timestamp__gte=yesterday",
        "conversation__id__exact=not-a-uuid",
        "author=user%00",
        "o=title",
        "p=two",
        "p=-1",
        "p=99999999999999999999",
    ],
)
def test_a_malformed_filter_is_a_bad_request(operator: Client, query: str) -> None:
    message(conversation())
    response = operator.get(f"/conversations/message/?{query}")
    assert response.status_code == 400
    assert wording.ADDRESS_DOES_NOT_WORK in response.content.decode()


@pytest.mark.parametrize("query", ["q=%00", "q=%27%22%3B--", "q=%26%7C%21", "q=" + "x" * 5000, "o=-1.0", "o=99"])
def test_whatever_is_searched_is_answered(operator: Client, query: str) -> None:
    message(conversation())
    assert operator.get(f"/conversations/message/?{query}").status_code == 200


@pytest.mark.parametrize("page", ["2", "0", "999999999"])
def test_a_page_beyond_the_end_is_not_found(operator: Client, page: str) -> None:
    business()
    response = operator.get(f"/usage/profile/?p={page}")
    assert response.status_code == 404
    assert f"{wording.LAST_PAGE_IS} 1" in response.content.decode()


@pytest.mark.parametrize("pk", ["00000000-0000-4000-8000-000000000000", "1", "not-a-uuid", "a/b", "%00"])
@pytest.mark.parametrize("model", ["usage_profile", "conversations_conversation", "waops_archivedrow"])
def test_an_unknown_row_is_not_found(operator: Client, model: str, pk: str) -> None:
    response = operator.get(reverse(f"admin:{model}_change", args=["x"]).replace("/x/", f"/{pk}/"))
    assert response.status_code == 404
    assert wording.NO_ROW_WITH_THAT_ID in response.content.decode()


def test_an_unknown_page_is_not_found_in_arabic(operator: Client) -> None:
    operator.cookies["django_language"] = "ar"
    response = operator.get("/no-such-page/")
    assert response.status_code == 404
    assert '<html lang="ar" dir="rtl">' in response.content.decode()


def test_a_page_without_permission_is_refused(client: Client) -> None:
    client.force_login(staff("Support"), backend="django.contrib.auth.backends.ModelBackend")
    response = client.get("/conversations/aiconfig/")
    assert response.status_code == 403
    assert wording.NO_PERMISSION in response.content.decode()


def test_a_form_without_its_token_is_refused() -> None:
    response = Client(enforce_csrf_checks=True).post("/i18n/setlang/", {"language": "ar"})
    assert response.status_code == 403
    assert wording.FORM_EXPIRED in response.content.decode()


def test_no_one_can_write(client: Client, django_user_model) -> None:
    client.force_login(django_user_model.objects.create_superuser("root"), "django.contrib.auth.backends.ModelBackend")
    row = business()
    change = reverse("admin:usage_profile_change", args=[row.pk])
    assert client.post(change, {"business_name": "Mine"}).status_code == 403
    assert client.post(reverse("admin:usage_profile_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
    assert client.get(reverse("admin:usage_profile_add")).status_code == 403
