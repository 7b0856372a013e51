"""Sessions end, passwords are not weak, and cookies go nowhere they should not."""

from datetime import timedelta

import pytest
from django.conf import settings as project
from django.contrib.auth.password_validation import validate_password
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from tests.waops.accounts.conftest import PASSWORD, log_in
from waops.models import User

pytestmark = pytest.mark.django_db


def test_a_session_ends(client: Client, mona: User) -> None:
    log_in(client)
    session = Session.objects.get()
    lasts = session.expire_date - timezone.now()
    assert timedelta(hours=11) < lasts <= timedelta(seconds=project.SESSION_COOKIE_AGE)
    assert client.get("/").status_code == 200
    Session.objects.update(expire_date=timezone.now())
    assert client.get("/").headers["Location"] == "/login/?next=/"


def test_a_changed_password_ends_the_sessions_elsewhere(client: Client, mona: User) -> None:
    log_in(client)
    elsewhere = Client()
    log_in(elsewhere)
    form = {"old_password": PASSWORD, "new_password1": "quite another one", "new_password2": "quite another one"}
    client.post("/password_change/", form)
    assert client.get("/").status_code == 200
    assert elsewhere.get("/").status_code == 302


@pytest.mark.parametrize("weak", ["short", "password123", "4711081547110815", "mona.hassan1"])
def test_weak_passwords_are_refused(mona: User, weak: str) -> None:
    mona.username = "mona.hassan"
    with pytest.raises(ValidationError):
        validate_password(weak, mona)


def test_cookies_are_for_this_site_and_not_for_scripts(client: Client, mona: User) -> None:
    client.get("/login/")
    log_in(client)
    client.post("/i18n/setlang/", {"language": "ar"})
    for name in ("sessionid", "csrftoken", "django_language"):
        cookie = client.cookies[name]
        assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax"), name
