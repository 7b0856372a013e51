"""A person who logs in through the form."""

import time
from collections.abc import Iterator

import pytest
from django.test import Client
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from tests.factories import staff
from waops.accounts.models import SignInEvent
from waops.models import User

PASSWORD = "correct horse battery staple"


@pytest.fixture(autouse=True)
def _quick_hashes(settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def mona() -> User:
    user = staff("Support", username="mona")
    user.set_password(PASSWORD)
    user.save()
    return user


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """The clock of the codes: `frozen[0] += 30` is the next code."""
    now = [1_800_000_000.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    yield now
    monkeypatch.undo()


def log_in(client: Client, password: str = PASSWORD, username: str = "mona", **extra: str):
    return client.post("/login/", {"username": username, "password": password, "next": "/"}, **extra)


def code_of(device: TOTPDevice) -> str:
    """What the person's phone shows now."""
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits)
    totp.time = time.time()
    return f"{totp.token():06}"


def kinds(**lookups: object) -> list[str]:
    return list(SignInEvent.objects.filter(**lookups).order_by("pk").values_list("kind", flat=True))
