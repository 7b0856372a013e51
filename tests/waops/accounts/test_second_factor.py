"""The second factor: set up, asked for before every page, throttled, replaceable, required where the setting says."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.checks import Tags, run_checks
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from tests import wording
from tests.addresses import addresses
from tests.factories import staff
from tests.waops.accounts.conftest import code_of, kinds, log_in
from waops.accounts.gate import OPEN
from waops.accounts.second_factor import make_backup_codes, plain
from waops.models import User

pytestmark = pytest.mark.django_db

OWN, CODE = "/second-factor/", "/second-factor/code/"


@pytest.fixture
def device(mona: User) -> TOTPDevice:
    return TOTPDevice.objects.create(user=mona, name="app")


def test_a_person_sets_it_up_and_logs_in_with_it(client: Client, mona: User, frozen: list[float]) -> None:
    log_in(client)
    assert "switched off" in client.get(OWN).content.decode()
    assert not TOTPDevice.objects.exists()
    client.post(OWN, {"action": "begin"})
    device = TOTPDevice.objects.get(confirmed=False)
    page = client.get(OWN).content.decode()
    assert "data:image/svg+xml" in page
    assert client.post(OWN, {"action": "confirm", "code": "000000"}).status_code == 400
    device.throttle_reset()
    shown = client.post(OWN, {"action": "confirm", "code": code_of(device)})
    assert shown.status_code == 200
    assert "no-store" in shown.headers["Cache-Control"]
    codes = shown.context["codes"]
    assert len(set(codes)) == 10
    assert client.get("/").status_code == 200

    frozen[0] += 30
    again = Client()
    log_in(again)
    asked = again.get("/usage/profile/?q=1")
    assert asked.headers["Location"] == f"{CODE}?next=%2Fusage%2Fprofile%2F%3Fq%3D1"
    before = again.session.session_key
    answer = again.post(asked.headers["Location"], {"code": code_of(device), "next": "/escalations/escalation/"})
    assert answer.headers["Location"] == "/escalations/escalation/"
    assert again.session.session_key != before
    assert again.get("/escalations/escalation/").status_code == 200
    assert kinds(person=mona)[-3:] == ["factor_set_up", "logged_in", "code_accepted"]


def test_no_page_opens_without_the_code(client: Client, device: TOTPDevice) -> None:
    """Each page of the URL configuration, so that a new one is behind the gate or fails here."""
    log_in(client)
    opened = set()
    for address in addresses():
        response = client.get(address.path)
        if address.name == "admin:logout":
            log_in(client)
        elif address.name == "admin:escalations_escalation_live":
            assert response.status_code == 403  # for a script, which has no use for a page
        elif not (response.status_code == 302 and response.headers["Location"].startswith(CODE)):
            opened.add(address.name)
    assert opened == {
        "admin:login",  # leads to the home page
        "admin:jsi18n",
        "admin:second_factor_code",
        "set_language",
    }
    assert opened >= OPEN - {"admin:logout", "admin:second_factor"}


def test_the_password_alone_does_not_replace_the_device(client: Client, device: TOTPDevice) -> None:
    log_in(client)
    for action in ("begin", "confirm", "remove", "new_codes"):
        assert client.post(OWN, {"action": action, "code": "1"}).headers["Location"] == CODE
    assert TOTPDevice.objects.get() == device


def test_a_code_counts_once(client: Client, device: TOTPDevice, frozen: list[float]) -> None:
    log_in(client)
    code = code_of(device)
    assert client.post(CODE, {"code": code}).status_code == 302
    other = Client()
    log_in(other)
    assert other.post(CODE, {"code": code}).status_code == 400
    assert other.get("/").status_code == 302


def test_wrong_codes_wait_longer_and_longer(client: Client, device: TOTPDevice, mona: User) -> None:
    log_in(client)
    assert client.post(CODE, {"code": "000000"}).status_code == 400
    TOTPDevice.objects.update(throttling_failure_count=5, throttling_failure_timestamp=timezone.now())
    response = client.post(CODE, {"code": code_of(device)})
    assert wording.TOO_MANY_WRONG_CODES.format(16) in response.content.decode()
    TOTPDevice.objects.update(throttling_failure_timestamp=timezone.now() - timedelta(seconds=17))
    assert client.post(CODE, {"code": code_of(device)}).status_code == 302
    assert kinds(person=mona)[-2:] == ["code_refused", "code_accepted"]


def test_a_backup_code_lets_in_once(client: Client, device: TOTPDevice, mona: User) -> None:
    code = make_backup_codes(mona)[0]
    log_in(client)
    assert client.post(CODE, {"code": code.upper()}).status_code == 302
    other = Client()
    log_in(other)
    assert other.post(CODE, {"code": code}).status_code == 400
    assert f"9 {wording.CODES_ARE_LEFT}" in client.get(OWN).content.decode()
    assert kinds(person=mona)[-3:] == ["backup_code_used", "logged_in", "code_refused"]


def test_new_codes_and_removal_ask_for_a_code_again(
    client: Client, device: TOTPDevice, mona: User, frozen: list[float]
) -> None:
    make_backup_codes(mona)
    log_in(client)
    client.post(CODE, {"code": code_of(device)})
    old = set(StaticToken.objects.values_list("token", flat=True))
    assert client.post(OWN, {"action": "new_codes", "code": ""}).status_code == 400
    StaticDevice.objects.update(throttling_failure_count=0)
    frozen[0] += 30
    shown = client.post(OWN, {"action": "new_codes", "code": code_of(device)}).context["codes"]
    assert not {plain(code) for code in shown} & old
    frozen[0] += 30
    client.post(OWN, {"action": "remove", "code": code_of(device)})
    assert not TOTPDevice.objects.exists()
    assert not StaticDevice.objects.exists()
    assert client.get("/").status_code == 200
    assert kinds(person=mona)[-1] == "factor_removed"


@pytest.mark.parametrize(
    ("required", "who", "must"),
    [
        ({"all"}, ["Support"], True),
        ({"Support", "Managers"}, ["Support"], True),
        ({"Managers"}, ["Support"], False),
        ({"administrators"}, ["Support"], False),
        ({"administrators"}, [], True),
        (set(), [], False),
    ],
)
def test_who_must_have_one(client: Client, settings, required: set[str], who: list[str], must: bool) -> None:
    settings.SECOND_FACTOR_REQUIRED = frozenset(required)
    user = staff(*who, is_superuser=not who)
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    response = client.get("/")
    assert response.status_code == (302 if must else 200)
    if must:
        assert response.headers["Location"].startswith(OWN)
        assert wording.SECOND_FACTOR_IS_REQUIRED in client.get(OWN).content.decode()


def test_a_group_that_does_not_exist_is_named(settings) -> None:
    settings.SECOND_FACTOR_REQUIRED = frozenset({"administrators", "Support", "Mangers"})
    (message,) = [m for m in run_checks(tags=[Tags.database], databases=["default"]) if m.id == "waops.W011"]
    assert "Mangers" in message.msg


def test_a_setting_that_comes_later_holds_for_open_sessions(client: Client, mona: User, settings) -> None:
    log_in(client)
    assert client.get("/").status_code == 200
    settings.SECOND_FACTOR_REQUIRED = frozenset({"Support"})
    assert client.get("/").headers["Location"].startswith(OWN)


def test_an_administrator_removes_it_and_others_may_not(client: Client, device: TOTPDevice, mona: User) -> None:
    address = f"/waops/user/{mona.pk}/remove-second-factor/"
    client.force_login(staff("Operators"), "django.contrib.auth.backends.ModelBackend")
    assert client.post(address).status_code == 403
    root = User.objects.create_superuser("root")
    client.force_login(root, "django.contrib.auth.backends.ModelBackend")
    assert wording.REMOVE_THE_SECOND_FACTOR in client.get(f"/waops/user/{mona.pk}/change/").content.decode()
    client.get(address)
    assert TOTPDevice.objects.exists()
    client.post(address)
    assert not TOTPDevice.objects.exists()
    assert kinds(person=mona, actor=root) == ["factor_removed"]


def test_the_last_administrator_is_let_in_by_a_command(device: TOTPDevice, mona: User) -> None:
    call_command("remove_second_factor", "mona", stdout=StringIO())
    assert not TOTPDevice.objects.exists()
    assert kinds(person=mona)[-1] == "factor_removed"
    for name, words in (("mona", wording.NO_SECOND_FACTOR), ("nobody", wording.NO_ACCOUNT)):
        with pytest.raises(CommandError, match=words):
            call_command("remove_second_factor", name)


def test_secrets_have_no_page_and_no_table_outside_our_schema(client: Client, device: TOTPDevice) -> None:
    client.force_login(User.objects.create_superuser("root"), "django.contrib.auth.backends.ModelBackend")
    assert client.get("/otp_totp/totpdevice/").status_code == 404
    assert client.get("/otp_static/staticdevice/").status_code == 404
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT schemaname FROM pg_catalog.pg_tables WHERE tablename LIKE 'otp\\_%'")
        assert cursor.fetchall() == [("waops",)]


def test_a_page_costs_one_query_more(client: Client, device: TOTPDevice, django_assert_num_queries) -> None:
    log_in(client)
    client.post(CODE, {"code": code_of(device)})
    with django_assert_num_queries(3):  # session, person, device
        client.get("/jsi18n/")


@pytest.mark.parametrize("typed", ["123 456", "123-456", "١٢٣٤٥٦", " 123456\n"])
def test_a_code_is_read_as_it_was_meant(typed: str) -> None:
    assert plain(typed) == "123456"


def test_no_one_is_redirected_elsewhere(client: Client, device: TOTPDevice) -> None:
    log_in(client)
    answer = client.post(CODE, {"code": code_of(device), "next": "https://evil.example/"})
    assert answer.headers["Location"] == "/"
