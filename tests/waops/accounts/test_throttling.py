"""Too many wrong passwords lock out their sender and no one else, also behind a proxy."""

import pytest
from django.test import Client, RequestFactory

from tests import wording
from tests.waops.accounts.conftest import kinds, log_in
from waops.accounts.models import SignInEvent
from waops.models import User
from waops.serving.client_address import client_address

pytestmark = pytest.mark.django_db

ATTACKER = {"x-forwarded-for": "198.51.100.1"}
COLLEAGUE = {"x-forwarded-for": "203.0.113.9"}


@pytest.fixture(autouse=True)
def _settings(settings) -> None:
    settings.AXES_FAILURE_LIMIT = 3
    settings.TRUSTED_PROXIES = 1


def test_the_attacker_is_locked_out_and_the_person_is_not(client: Client, mona: User) -> None:
    answers = [log_in(client, "wrong", headers=ATTACKER).status_code for _ in range(5)]
    assert answers == [200, 200, 429, 429, 429]
    locked = log_in(client, headers={**ATTACKER, "accept-language": "ar"})
    assert locked.status_code == 429
    assert '<html lang="ar" dir="rtl">' in locked.content.decode()
    assert "default-src 'self'" in locked.headers["Content-Security-Policy"]
    assert log_in(Client(), headers=COLLEAGUE).status_code == 302
    # A forged beginning of the header does not help.
    assert log_in(Client(), headers={"x-forwarded-for": "203.0.113.9, 198.51.100.1"}).status_code == 429


def test_a_lock_is_recorded_once(client: Client, mona: User) -> None:
    for _ in range(6):
        log_in(client, "wrong", headers=ATTACKER)
    assert kinds(address="198.51.100.1") == ["failed", "failed", "failed", "locked_out"]


def test_an_administrator_lifts_it(client: Client, mona: User) -> None:
    root = Client()
    root.force_login(User.objects.create_superuser("root"), "django.contrib.auth.backends.ModelBackend")
    page = f"/waops/user/{mona.pk}/change/"
    assert wording.LIFT_THE_LOCK not in root.get(page).content.decode()
    for _ in range(3):
        log_in(client, "wrong", headers=ATTACKER)
    assert wording.LIFT_THE_LOCK in root.get(page).content.decode()
    root.get(f"/waops/user/{mona.pk}/lift-lock/")
    assert log_in(client, headers=ATTACKER).status_code == 429
    root.post(f"/waops/user/{mona.pk}/lift-lock/")
    assert log_in(client, headers=ATTACKER).status_code == 302
    event = SignInEvent.objects.get(kind="lock_lifted")
    assert (event.person, event.actor_name) == (mona, "root")


@pytest.mark.parametrize(
    ("proxies", "header", "expected"),
    [
        (0, "6.6.6.6", "10.0.0.1"),
        (1, "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        (2, "6.6.6.6, 203.0.113.9, 10.1.1.1", "203.0.113.9"),
        (2, "203.0.113.9", "203.0.113.9"),
        (1, "2001:db8::1", "2001:db8::1"),
        (1, "", None),
        (1, "not an address", None),
    ],
)
def test_the_address_is_counted_from_the_end(settings, proxies: int, header: str, expected: str | None) -> None:
    settings.TRUSTED_PROXIES = proxies
    request = RequestFactory().get("/", headers={"x-forwarded-for": header}, REMOTE_ADDR="10.0.0.1")
    assert client_address(request) == expected
