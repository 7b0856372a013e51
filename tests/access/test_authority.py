"""People who manage accounts and groups cannot give themselves, or others, more rights than they have."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse
from django_otp.plugins.otp_totp.models import TOTPDevice

from tests import factories, wording
from tests.access.world import signed_in
from usage.models import AccessLimit
from waops.access.permissions import OPERATORS, SUPPORT
from waops.models import User

pytestmark = pytest.mark.django_db
POWERS = [f"{action}_{model}" for model in ("user", "group") for action in ("view", "add", "change", "delete")]


@pytest.fixture
def clerk() -> User:
    """Keeps the accounts: may do everything with accounts and groups, and is no superuser."""
    group = Group.objects.create(name="Clerks")
    group.permissions.set(Permission.objects.filter(codename__in=POWERS))
    person = factories.staff(SUPPORT, "Clerks", username="clerk")
    return User.objects.get(pk=person.pk)


@pytest.fixture
def client(clerk: User) -> Client:
    return signed_in(clerk)


def form_of(client: Client, page: str) -> dict[str, Any]:
    """What the page's form would send."""
    form = client.get(page).context["adminform"].form
    values = {name: form[name].value() for name in form.fields if name != "password"}
    return {name: value for name, value in values.items() if value not in (None, False)}


def change(person: User) -> str:
    return reverse("admin:waops_user_change", args=[person.pk])


def groups(*names: str) -> list[int]:
    return list(Group.objects.filter(name__in=names).values_list("pk", flat=True))


def test_no_one_else_makes_a_superuser(client: Client, clerk: User) -> None:
    colleague = factories.staff(SUPPORT)
    for person in (clerk, colleague):
        sent = form_of(client, change(person)) | {"is_superuser": "on"}
        assert client.post(change(person), sent).status_code == 302
        assert not User.objects.get(pk=person.pk).is_superuser
    sent = {"username": "new", "usable_password": "false", "is_superuser": "on", "groups": groups(OPERATORS)}
    client.post(reverse("admin:waops_user_add"), sent)
    new = User.objects.get(username="new")
    assert not new.is_superuser
    assert not new.groups.exists()


def test_no_one_gives_a_group_with_more_than_they_have(client: Client, clerk: User) -> None:
    colleague = factories.staff(SUPPORT)
    for person in (clerk, colleague):
        sent = form_of(client, change(person)) | {"groups": groups(SUPPORT, OPERATORS)}
        assert client.post(change(person), sent).status_code == 200
        assert not person.groups.filter(name=OPERATORS).exists()
    sent = form_of(client, change(colleague)) | {"groups": groups("Clerks")}
    assert client.post(change(colleague), sent).status_code == 302
    assert [group.name for group in colleague.groups.all()] == ["Clerks"]


@pytest.mark.parametrize("who", ["superuser", "operator", "inactive superuser"])
def test_an_account_with_more_rights_cannot_be_taken_over(client: Client, who: str) -> None:
    target = factories.staff(*([OPERATORS] if who == "operator" else []), username="target", email="a@example.com")
    User.objects.filter(pk=target.pk).update(is_superuser=who != "operator", is_active=who != "inactive superuser")
    TOTPDevice.objects.create(user=target, confirmed=True)
    before = User.objects.filter(pk=target.pk).values().get()
    page = client.get(change(target))
    assert page.status_code == 200
    assert b'name="email"' not in page.content
    password = {"password1": "Longer-than-8!", "password2": "Longer-than-8!", "usable_password": "true"}
    for address, sent in (
        (change(target), {"username": "target", "email": "mine@example.com", "is_active": ""}),
        (reverse("admin:auth_user_password_change", args=[target.pk]), password),
        (reverse("admin:waops_user_delete", args=[target.pk]), {"post": "yes"}),
        (reverse("admin:waops_user_remove_second_factor", args=[target.pk]), {}),
        (reverse("admin:waops_user_lift_lock", args=[target.pk]), {}),
    ):
        assert client.post(address, sent).status_code == 403, address
    together = {"action": "delete_selected", "_selected_action": [target.pk], "post": "yes"}
    client.post(reverse("admin:waops_user_changelist"), together)
    assert User.objects.filter(pk=target.pk).values().get() == before
    assert TOTPDevice.objects.filter(user=target).exists()


def test_no_one_gives_a_permission_that_they_lack(client: Client) -> None:
    own = Group.objects.get(name="Clerks")
    page = reverse("admin:auth_group_change", args=[own.pk])
    foreign = Permission.objects.get(codename="view_installedobject")
    sent = form_of(client, page)
    assert client.post(page, sent | {"permissions": [*sent["permissions"], foreign.pk]}).status_code == 200
    assert (
        client.post(reverse("admin:auth_group_add"), {"name": "More", "permissions": [foreign.pk]}).status_code == 200
    )
    assert not Group.objects.filter(name="More").exists()
    assert not own.permissions.filter(pk=foreign.pk).exists()
    operators = Group.objects.get(name=OPERATORS)
    assert client.post(reverse("admin:auth_group_change", args=[operators.pk]), {"name": "x"}).status_code == 403
    assert client.post(reverse("admin:auth_group_delete", args=[operators.pk]), {"post": "yes"}).status_code == 403


def test_a_superuser_may_do_all_of_it() -> None:
    client = signed_in(factories.staff(is_superuser=True))
    colleague = factories.staff(SUPPORT)
    sent = form_of(client, change(colleague)) | {"is_superuser": "on", "groups": groups(OPERATORS)}
    assert client.post(change(colleague), sent).status_code == 302
    assert User.objects.get(pk=colleague.pk).is_superuser


@pytest.fixture
def bound() -> tuple[Group, User]:
    """A group that sees one business only, and a member."""
    group = Group.objects.create(name="Bakery")
    AccessLimit.objects.create(group=group).businesses.set([factories.business("Bakery")])
    return group, factories.staff("Bakery", username="baker")


def test_members_of_a_limited_group_stay_limited(client: Client, bound: tuple[Group, User]) -> None:
    group, member = bound
    sent = form_of(client, change(member)) | {"groups": groups(SUPPORT)}
    assert client.post(change(member), sent).status_code == 302
    assert set(member.groups.values_list("name", flat=True)) == {"Bakery", SUPPORT}
    assert client.post(reverse("admin:auth_group_delete", args=[group.pk]), {"post": "yes"}).status_code == 403
    assert client.post(reverse("admin:auth_group_change", args=[group.pk]), {"name": "x"}).status_code == 403


@pytest.mark.parametrize(("language", "says"), wording.LIMIT_OF_ACCESS.items())
def test_a_group_that_limits_its_members_cannot_be_deleted(bound: tuple[Group, User], language: str, says: str) -> None:
    group, member = bound
    client = signed_in(factories.staff(is_superuser=True))
    client.cookies["django_language"] = language
    page = reverse("admin:auth_group_delete", args=[group.pk])
    assert says in client.get(page).content.decode().lower()
    client.post(page, {"post": "yes"})
    together = {"action": "delete_selected", "_selected_action": [group.pk], "post": "yes"}
    client.post(reverse("admin:auth_group_changelist"), together)
    assert User.objects.get(pk=member.pk).businesses


@pytest.mark.parametrize(("language", "says"), wording.THESE_SEE_EVERY_BUSINESS.items())
def test_lifting_a_limit_names_the_people_it_frees(bound: tuple[Group, User], language: str, says: str) -> None:
    group, _member = bound
    other = factories.staff("Bakery", username="still-limited")
    AccessLimit.objects.create(person=other)
    limit = AccessLimit.objects.get(group=group)
    client = signed_in(factories.staff(is_superuser=True))
    client.cookies["django_language"] = language
    page = client.get(reverse("admin:usage_accesslimit_delete", args=[limit.pk])).content.decode()
    assert says in page
    assert "baker" in page
    assert "still-limited" not in page
    change_page = reverse("admin:usage_accesslimit_change", args=[limit.pk])
    client.post(change_page, {"group": Group.objects.get(name=SUPPORT).pk, "businesses": []})
    assert AccessLimit.objects.get(pk=limit.pk).group == group


def test_only_a_superuser_lifts_a_limit(client: Client, clerk: User, bound: tuple[Group, User]) -> None:
    Group.objects.get(name="Clerks").permissions.add(
        *Permission.objects.filter(content_type__app_label="usage", codename__endswith="_accesslimit")
    )
    limit = AccessLimit.objects.get()
    client = signed_in(clerk)
    assert client.post(reverse("admin:usage_accesslimit_delete", args=[limit.pk]), {"post": "yes"}).status_code == 403


def test_a_session_from_before_the_second_factor_gives_a_code_too() -> None:
    person = factories.staff(SUPPORT)
    client = signed_in(person)
    assert client.get("/").status_code == 200
    TOTPDevice.objects.create(user=person, confirmed=True)
    answer = client.get("/")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/second-factor/code/")


@pytest.mark.parametrize("refused", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_a_refused_address_leads_home(refused: str) -> None:
    person = factories.staff(SUPPORT)
    person.set_password("Right-password-1")
    person.save()
    sent = {"username": person.username, "password": "Right-password-1", "next": refused}
    assert Client().post("/login/", sent)["Location"] == "/"
