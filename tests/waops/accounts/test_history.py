"""Who logged in, tried to, or changed what it takes: recorded, kept, and shown to administrators only."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client

from tests.factories import staff
from tests.waops.accounts.conftest import PASSWORD, kinds, log_in
from waops.accounts.models import SignInEvent
from waops.models import User

pytestmark = pytest.mark.django_db

NEW_PASSWORD = "another staple for the horse"


def test_a_login_and_a_logout_say_who_when_and_from_where(client: Client, mona: User, settings) -> None:
    settings.TRUSTED_PROXIES = 1
    log_in(client, headers={"x-forwarded-for": "6.6.6.6, 203.0.113.9", "user-agent": "Browser/1"})
    client.post("/logout/")
    event = SignInEvent.objects.get(kind="logged_in")
    assert (event.person, event.person_name, event.actor) == (mona, "mona", None)
    assert (event.address, event.browser) == ("203.0.113.9", "Browser/1")
    assert len(event.request_id) == 32
    assert kinds(person=mona)[-2:] == ["logged_in", "logged_out"]


def test_a_failure_keeps_the_name_of_an_account_only(client: Client, mona: User) -> None:
    log_in(client, "wrong")
    log_in(client, "wrong", username="my password by mistake")
    log_in(client, "wrong", username="nul\0")
    failures = SignInEvent.objects.filter(kind="failed").order_by("pk")
    assert [failure.person_name for failure in failures] == ["mona", ""]  # the form refused the third
    assert failures[0].person == mona


def test_a_password_change_is_recorded_wherever_it_happens(client: Client, mona: User) -> None:
    log_in(client)
    form = {"old_password": PASSWORD, "new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    assert client.post("/password_change/", form).status_code == 302
    own = SignInEvent.objects.filter(kind="password_changed").latest("pk")
    assert (own.person, own.actor, own.address) == (mona, None, "127.0.0.1")

    root = User.objects.create_superuser("root")
    client.force_login(root, "django.contrib.auth.backends.ModelBackend")
    new = {"password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"}
    assert client.post(f"/waops/user/{mona.pk}/password/", new).status_code == 302
    by_root = SignInEvent.objects.filter(kind="password_changed").latest("pk")
    assert (by_root.person, by_root.actor, by_root.actor_name) == (mona, root, "root")


def test_a_command_that_sets_a_password_is_recorded_too(mona: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getpass", lambda prompt: NEW_PASSWORD)
    call_command("changepassword", "mona", verbosity=0, stdout=StringIO())
    event = SignInEvent.objects.filter(kind="password_changed").latest("pk")
    assert (event.person, event.address, event.request_id) == (mona, None, "")


@pytest.mark.parametrize("change", ["UPDATE {} SET person_name = 'nobody'", "DELETE FROM {}", "TRUNCATE {}"])
def test_no_one_rewrites_it(client: Client, mona: User, change: str) -> None:
    log_in(client)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change.format("waops.waops_signinevent"))


@pytest.mark.parametrize("group", ["Support", "Managers", "Operators"])
def test_only_administrators_read_it(client: Client, group: str) -> None:
    client.force_login(staff(group), "django.contrib.auth.backends.ModelBackend")
    assert client.get("/waops/signinevent/").status_code == 403
    client.force_login(User.objects.create_superuser("root"), "django.contrib.auth.backends.ModelBackend")
    page = client.get("/waops/signinevent/").content.decode()
    assert "logged in" in page
    row = SignInEvent.objects.latest("pk")
    assert client.get(f"/waops/signinevent/{row.pk}/change/").status_code == 200
    assert client.post(f"/waops/signinevent/{row.pk}/delete/", {"post": "yes"}).status_code == 403
